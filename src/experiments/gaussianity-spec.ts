import { z } from 'zod';

import { karrasGrid } from '../diffusion/noise-grid.ts';
import { deviceNames } from '../engine/backend/device.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { SpecError } from '../errors/errors.ts';
import { modelNames } from './gaussianity-models.ts';
import type { ModelName } from './gaussianity-models.ts';
import { readingInputSchema } from './reading-input.ts';
import type { ReadingInput } from './reading-input.ts';

/** Everything that decides the numbers of one `gaussianity`. */
export interface GaussianitySpec {
  readonly job: 'gaussianity';
  readonly model: string;
  readonly data?: string | undefined;
  readonly models: readonly ModelName[];
  readonly sigmas: readonly number[];
  readonly samples: number;
  readonly pairs: number;
  readonly draws: number;
  readonly ridge: number;
  readonly rank: number;
  readonly patch: number;
  readonly lsImages: number;
  readonly elsImages: number;
  readonly seed: number;
  readonly reading?: ReadingInput | undefined;
  readonly trust?: true | undefined;
  readonly device?: DeviceRequest | undefined;
}

/** What a user may say. */
export type GaussianityInput = {
  readonly [K in keyof Omit<GaussianitySpec, 'job' | 'trust' | 'models'>]?: GaussianitySpec[K] | undefined;
} & {
  readonly models?: readonly string[] | undefined;
  readonly trust?: boolean | undefined;
  /** Number of EDM levels where `sigmas` is not given. */
  readonly levels?: number | undefined;
};

const count = z.number().int('expected an integer').min(1, 'expected at least 1').max(1e6, 'expected at most 1e6');
const sigma = z.number().gt(0, 'expected positive noise levels').max(1e6, 'expected noise levels up to 1e6');

const schema: z.ZodType<GaussianitySpec> = z.strictObject({
  job: z.literal('gaussianity'),
  model: z.string().min(1),
  data: z.string().min(1).optional(),
  models: z.array(z.enum(modelNames, { error: `expected some of ${modelNames.join(', ')}` })).min(1),
  sigmas: z.array(sigma).min(1).max(200),
  samples: count,
  pairs: count,
  draws: count.min(2, 'expected at least 2'),
  ridge: z.number().min(0, 'expected a ridge >= 0').max(1, 'expected a ridge <= 1'),
  rank: count,
  patch: count,
  lsImages: count,
  elsImages: count,
  seed: z.number().int().min(0, 'expected a seed >= 0'),
  reading: readingInputSchema.optional(),
  trust: z.literal(true).optional(),
  device: z.enum(['auto', ...deviceNames]).optional(),
});

const defaults = {
  models: modelNames,
  samples: 16,
  pairs: 32,
  draws: 3200,
  ridge: 1e-4,
  rank: 32,
  patch: 7,
  lsImages: 1000,
  elsImages: 10,
  seed: 0,
};

/**
 * Fills in defaults and checks every field, all at once. The levels are the ten of the paper, or as many of EDM's as asked for.
 * @throws SpecError in one line
 * @source arXiv 2410.24060, section 3 (ten EDM levels from 80 to 0.002)
 */
export function resolveGaussianitySpec(input: GaussianityInput): GaussianitySpec {
  const { levels = 10, trust, model = 'fashion', sigmas, ...rest } = input;
  if (sigmas === undefined && (!Number.isInteger(levels) || levels < 2 || levels > 200)) {
    throw new SpecError('gaussianity', `expected levels to be an integer from 2 to 200, got ${levels}.`);
  }
  const said = Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== undefined));
  const candidate = {
    job: 'gaussianity',
    model,
    sigmas: [...new Set(sigmas ?? karrasGrid({ steps: levels }))].sort((a, b) => b - a),
    ...defaults,
    ...(trust === true && { trust }),
    ...said,
  };
  const checked = schema.safeParse(candidate);
  if (checked.success) return checked.data;
  const issues = checked.error.issues.map(({ path, message }) => `${path[0]?.toString() ?? ''}: ${message}`);
  throw new SpecError('gaussianity', `${[...new Set(issues)].join('; ')}. See eigenlens gaussianity --help.`);
}
