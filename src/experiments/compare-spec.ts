import { z } from 'zod';
import { deviceNames } from '../engine/backend/device.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { checkSpec, real, seedSchema, whole } from './check-spec.ts';

/** Everything that decides the numbers of one `compare`. */
export interface CompareSpec {
  readonly job: 'compare';
  readonly a: string;
  readonly b: string;
  /** Data set whose held-out part is noised; undefined takes the first model's own. */
  readonly data?: string | undefined;
  /** Samples drawn from each, from the same noise. */
  readonly samples: number;
  readonly steps: number;
  /** As of `audit`; only those compared by cosine. Default `centred`, and `gradients` of images of 8 x 8 or more. */
  readonly descriptors?: readonly string[] | undefined;
  /** Cosine above which two samples count as the same; undefined calibrates it on shuffled pairs at `falsePositives`. */
  readonly similarity?: number | undefined;
  readonly falsePositives: number;
  /** Noise levels at which the denoisers are compared, data units, descending. */
  readonly sigmas: readonly number[];
  /** Held-out images that are noised. */
  readonly images: number;
  readonly seed: number;
  readonly device?: DeviceRequest | undefined;
}

/** What a user may say; the rest is filled in. */
export type CompareInput = { readonly [K in keyof Omit<CompareSpec, 'job'>]?: CompareSpec[K] | undefined };

const fields = z.strictObject({
  job: z.literal('compare'),
  a: z.string().min(1),
  b: z.string({ error: 'expected two models, got one' }).min(1),
  data: z.string().min(1).optional(),
  samples: whole(3, 1_000_000),
  steps: whole(2, 10_000),
  descriptors: z.array(z.string().min(1)).min(1).optional(),
  similarity: real('a number from -1 to 1', (v) => v >= -1 && v <= 1).optional(),
  falsePositives: real('a number above 0 and below 1', (v) => v > 0 && v < 1),
  sigmas: z.array(real('a positive number up to 1e6', (v) => v > 0 && v <= 1e6)).min(1).max(200), // prettier-ignore
  images: whole(2, 100_000),
  seed: seedSchema,
  device: z.enum(['auto', ...deviceNames]).optional(),
});

/** Pairs from which a threshold at this rate can be calibrated, as `calibrateThreshold` counts them. */
const leastPairs = (falsePositives: number): number => Math.ceil(1 / falsePositives - 1 - 1e-9);

const schema: z.ZodType<CompareSpec> = fields.superRefine((spec, context) => {
  const { samples, similarity, falsePositives } = spec;
  const least = leastPairs(falsePositives);
  if (similarity !== undefined || samples >= least) return;
  const message = `expected at least ${least} to calibrate at ${falsePositives} false positives, got ${samples}; or state a similarity`;
  context.addIssue({ code: 'custom', path: ['samples'], message });
});

/** Fills in defaults and checks every field. @throws SpecError in one line, naming each field that is wrong */
export function resolveCompareSpec(input: CompareInput): CompareSpec {
  return checkSpec('compare', schema, {
    job: 'compare',
    ...input,
    a: input.a ?? 'fashion',
    samples: input.samples ?? 256,
    steps: input.steps ?? 18,
    ...(input.descriptors !== undefined && { descriptors: input.descriptors }),
    falsePositives: input.falsePositives ?? 0.01,
    sigmas: [...(input.sigmas ?? [20, 5, 2, 1, 0.5, 0.2, 0.1, 0.02])].sort((a, b) => b - a),
    images: input.images ?? 32,
    seed: input.seed ?? 0,
  });
}
