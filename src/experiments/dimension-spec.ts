import { z } from 'zod';
import { logGrid } from '../diffusion/noise-grid.ts';
import { deviceNames } from '../engine/backend/device.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { SpecError } from '../errors/errors.ts';
import { readingInputSchema } from './reading-input.ts';
import type { ReadingInput } from './reading-input.ts';

/** Everything that decides the numbers of one `dimension`. */
export interface DimensionSpec {
  readonly job: 'dimension';
  /** Data set whose samples are measured; without it those that the model was made from. */
  readonly data?: string | undefined;
  /** Denoiser whose dimension at small noise is measured too. */
  readonly model?: string | undefined;
  /** Samples that neighbours are sought among, at most. */
  readonly samples: number;
  /** Samples whose neighbours are sought, at most. */
  readonly queries: number;
  /** Neighbours of the maximum likelihood estimate, ascending. */
  readonly k: readonly number[];
  /** Neighbours of local PCA. */
  readonly pcaK: number;
  /** Noise levels of the denoiser, data units, ascending. */
  readonly sigmas: readonly number[];
  /** Held-out samples that the denoiser is looked at with. */
  readonly images: number;
  /** Random signs for each trace of a Jacobian. */
  readonly probes: number;
  /** Leading singular values of each Jacobian. */
  readonly triplets: number;
  readonly seed: number;
  readonly reading?: ReadingInput | undefined;
  readonly trust?: true | undefined;
  readonly device?: DeviceRequest | undefined;
}

/** What a user may say. */
export type DimensionInput = {
  readonly [K in keyof Omit<DimensionSpec, 'job' | 'trust'>]?: DimensionSpec[K] | undefined;
} & { readonly trust?: boolean | undefined };

const count = z.number().int('expected an integer').min(1, 'expected at least 1').max(1e6, 'expected at most 1e6');
const several = count.min(2, 'expected at least 2');
const sigma = z.number().gt(0, 'expected positive noise levels').max(1e6, 'expected noise levels up to 1e6');

const schema: z.ZodType<DimensionSpec> = z.strictObject({
  job: z.literal('dimension'),
  data: z.string().min(1).optional(),
  model: z.string().min(1).optional(),
  samples: count.min(10, 'expected at least 10'),
  queries: count.min(10, 'expected at least 10'),
  k: z.array(several).min(1, 'expected a number of neighbours').max(50),
  pcaK: several,
  sigmas: z.array(sigma).min(2, 'expected two noise levels or more').max(200),
  images: several,
  probes: count,
  triplets: count,
  seed: z.number().int().min(0, 'expected a seed >= 0'),
  reading: readingInputSchema.optional(),
  trust: z.literal(true).optional(),
  device: z.enum(['auto', ...deviceNames]).optional(),
});

/** Fills in defaults and checks every field, all at once. @throws SpecError in one line */
export function resolveDimensionSpec(input: DimensionInput): DimensionSpec {
  if (input.data === undefined && input.model === undefined) {
    throw new SpecError('dimension', 'expected data or a model, got neither. Give --data DATA, --model MODEL or both.');
  }
  const { trust, k = [5, 10, 20, 50], sigmas = logGrid({ steps: 6, sigmaMin: 0.01, sigmaMax: 1 }), ...rest } = input;
  const ascending = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);
  const defaults = { samples: 10_000, queries: 2000, pcaK: 100, images: 8, probes: 8, triplets: 24, seed: 0 };
  const candidate = {
    job: 'dimension',
    k: ascending(k),
    sigmas: ascending(sigmas),
    ...defaults,
    ...(trust === true && { trust }),
    ...Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== undefined)),
  };
  const checked = schema.safeParse(candidate);
  if (checked.success) return checked.data;
  const issues = checked.error.issues.map(({ path, message }) => `${path[0]?.toString() ?? ''}: ${message}`);
  throw new SpecError('dimension', `${[...new Set(issues)].join('; ')}. See eigenlens dimension --help.`);
}
