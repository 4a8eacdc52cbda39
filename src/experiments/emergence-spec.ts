import { z } from 'zod';

import { basisKinds } from '../analysis/alignment.ts';
import type { BasisKind } from '../analysis/alignment.ts';
import { logGrid } from '../diffusion/noise-grid.ts';
import { deviceNames } from '../engine/backend/device.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { SpecError } from '../errors/errors.ts';
import { readingInputSchema } from './reading-input.ts';
import type { ReadingInput } from './reading-input.ts';

/** Everything that decides the numbers of one `emergence`; without a model the linear denoisers of the data are looked at. */
export interface EmergenceSpec {
  readonly job: 'emergence';
  readonly model?: string | undefined;
  readonly data?: string | undefined;
  readonly components: number;
  /** Noise levels, descending; undefined leaves them to the linear half. */
  readonly sigmas?: readonly number[] | undefined;
  readonly basis: BasisKind;
  readonly steps: number;
  /** Training samples of the linear denoisers, where not all. */
  readonly samples?: number | undefined;
  /** Noise draws a training sample of the linear denoisers. */
  readonly draws?: number | undefined;
  readonly seed: number;
  readonly reading?: ReadingInput | undefined;
  readonly trust?: true | undefined;
  readonly device?: DeviceRequest | undefined;
}

/** What a user may say. */
export type EmergenceInput = {
  readonly [K in keyof Omit<EmergenceSpec, 'job' | 'trust'>]?: EmergenceSpec[K] | undefined;
} & {
  readonly trust?: boolean | undefined;
  /** Number of noise levels where `sigmas` is not given. */
  readonly levels?: number | undefined;
};

const count = z.number({ error: 'expected a number' }).int('expected an integer').min(1, 'expected at least 1');
const sigma = z.number().gt(0, 'expected positive noise levels').max(1e6, 'expected noise levels up to 1e6');

const schema: z.ZodType<EmergenceSpec> = z.strictObject({
  job: z.literal('emergence'),
  model: z.string().min(1).optional(),
  data: z.string().min(1).optional(),
  components: count.max(1000, 'expected at most 1000'),
  sigmas: z.array(sigma).min(2, 'expected at least two noise levels').max(200).optional(),
  basis: z.enum(basisKinds),
  steps: count.min(2, 'expected at least 2').max(1000, 'expected at most 1000'),
  samples: count.min(2, 'expected at least 2').optional(),
  draws: count.optional(),
  seed: z.number().int().min(0, 'expected a seed >= 0'),
  reading: readingInputSchema.optional(),
  trust: z.literal(true).optional(),
  device: z.enum(['auto', ...deviceNames]).optional(),
});

/**
 * Fills in defaults and checks every field, all at once.
 * @throws SpecError in one line
 */
export function resolveEmergenceSpec(input: EmergenceInput): EmergenceSpec {
  const { levels = 14, trust, model: said, data, sigmas: given, ...rest } = input;
  const model = said ?? (data === undefined ? 'fashion' : undefined);
  if (model !== undefined && (rest.samples !== undefined || rest.draws !== undefined)) {
    throw new SpecError(
      'emergence',
      '--samples and --draws are of the linear denoisers of --data. Leave the model out.',
    );
  }
  const sigmas = given ?? (model === undefined ? undefined : Array.from(defaultLevels(levels)));
  const candidate = {
    job: 'emergence',
    ...(model !== undefined && { model }),
    ...(data !== undefined && { data }),
    ...(sigmas !== undefined && { sigmas: [...new Set(sigmas)].sort((a, b) => b - a) }),
    ...(trust === true && { trust }),
    ...withDefaults(rest),
  };
  const checked = schema.safeParse(candidate);
  if (checked.success) return checked.data;
  const issues = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new SpecError('emergence', `${[...new Set(issues)].join('; ')}. See eigenlens emergence --help.`);
}

/** From the noise of sampling down to where a network's Jacobian still has a leading basis: below, it nears the identity. */
function defaultLevels(levels: number): Float64Array {
  if (!Number.isInteger(levels) || levels < 2 || levels > 200) {
    throw new SpecError('emergence', `expected levels to be an integer from 2 to 200, got ${levels}.`);
  }
  return logGrid({ steps: levels, sigmaMin: 0.05 });
}

function withDefaults(rest: Omit<EmergenceInput, 'levels' | 'trust' | 'model' | 'data' | 'sigmas'>): object {
  const said = Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== undefined));
  return { components: 6, basis: 'symmetrised', steps: 18, seed: 0, ...said };
}
