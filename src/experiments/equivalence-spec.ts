import { z } from 'zod';

import { SpecError } from '../errors/errors.ts';

/** Everything that decides the numbers of one `equivalence`; plain data with every default filled in. */
export interface EquivalenceSpec {
  readonly command: 'equivalence';
  /** `molrg:n=48,K=2,d=3` (a mixture is drawn) or a data set as `openDataset` names it. */
  readonly data: string;
  /** Points in all; of a mixture, evenly many a component. */
  readonly points: number;
  /** Standard deviation of the noise on each coordinate of a mixture's points, which are without unless told. */
  readonly pointNoise: number;
  /** Number of subspaces and their rank, for data sets; mixtures have their own. */
  readonly clusters: number;
  readonly rank: number;
  readonly weights: 'soft-max' | 'hard-max';
  /** In units of the standard deviation inside the subspaces. */
  readonly sigma: number | { readonly logMean: number; readonly logStd: number };
  readonly noise: 'drawn' | 'integrated';
  readonly steps: number;
  /** First step, as in `LowRankSpec`. */
  readonly rate: number;
  readonly decay: number;
  readonly batchSize: number;
  readonly restarts: number;
  readonly seed: number;
}

const whole = z.number().int().positive();
const real = z.number().positive().finite();

const schema = z.strictObject({
  command: z.literal('equivalence').default('equivalence'),
  data: z.string().min(1).default('molrg:n=48,K=2,d=3'),
  points: whole.max(100_000).default(60),
  pointNoise: z.number().nonnegative().finite().default(0),
  clusters: whole.max(100).default(1),
  rank: whole.max(1000).default(4),
  weights: z.enum(['soft-max', 'hard-max']).default('soft-max'),
  sigma: z.union([real, z.strictObject({ logMean: z.number().finite(), logStd: real })]).default(0.1),
  noise: z.enum(['drawn', 'integrated']).default('integrated'),
  steps: whole.max(10_000_000).default(2000),
  rate: real.default(2),
  decay: real.default(200),
  batchSize: whole.default(1000),
  restarts: whole.max(1000).default(6),
  seed: z.number().int().nonnegative().default(0),
});

/** Fills in every default. @throws SpecError naming every field that is wrong, in one line */
export function resolveEquivalenceSpec(input: Partial<EquivalenceSpec>): EquivalenceSpec {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new SpecError('equivalence', `${text}. See 'eigenlens equivalence --help'.`, { details: { issues } });
}
