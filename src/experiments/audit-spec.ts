import { z } from 'zod';
import { deviceNames } from '../engine/backend/device.ts';
import type { DeviceRequest } from '../engine/backend/device.ts';
import { checkSpec, real, seedSchema, whole } from './check-spec.ts';
import { readingInputSchema } from './reading-input.ts';
import type { ReadingInput } from './reading-input.ts';

/** Everything that decides the numbers of one `audit`. */
export interface AuditSpec {
  readonly job: 'audit';
  /** A model, from which samples are drawn, or images that somebody drew. */
  readonly subject: string;
  /** Training set; undefined takes what the model says it was trained on. */
  readonly train?: string | undefined;
  /** Images of the same kind that were not trained on; undefined takes the held-out part of the training set's whole. */
  readonly holdout?: string | undefined;
  /** Samples to draw, or most images to take. */
  readonly samples: number;
  /** Steps of the sampler. */
  readonly steps: number;
  /** `pixels`, `centred`, `pca`, `gradients`, or the path of an ONNX descriptor; undefined takes what the shape allows. */
  readonly descriptors?: readonly string[] | undefined;
  /** Similarity that counts as a copy; undefined calibrates it on held-out images at `falsePositives`. */
  readonly similarity?: number | undefined;
  /** Nearest over second-nearest distance below which a sample counts as a copy. */
  readonly ratio: number;
  /** Rate of false positives at which thresholds are calibrated on held-out images. */
  readonly falsePositives: number;
  /** Largest memorized fraction that is tolerated. */
  readonly tolerance: number;
  /** Root-mean-square pixel difference, data units, below which two training images are near-duplicates. */
  readonly duplicates: number;
  /** Whether an image that cannot be used fails the audit instead of being counted. */
  readonly strict?: true | undefined;
  readonly seed: number;
  readonly reading?: ReadingInput | undefined;
  readonly device?: DeviceRequest | undefined;
}

/** What a user may say; the rest is filled in. */
export type AuditInput = {
  readonly [K in keyof Omit<AuditSpec, 'job' | 'strict'>]?: AuditSpec[K] | undefined;
} & { readonly strict?: boolean | undefined };

const share = real('a number above 0 and below 1', (v) => v > 0 && v < 1);

const schema: z.ZodType<AuditSpec> = z.strictObject({
  job: z.literal('audit'),
  subject: z.string().min(1),
  train: z.string().min(1).optional(),
  holdout: z.string().min(1).optional(),
  samples: whole(1, 1_000_000),
  steps: whole(2, 10_000),
  descriptors: z.array(z.string().min(1)).min(1).optional(),
  similarity: real('a number from -1 to 1', (v) => v >= -1 && v <= 1).optional(),
  ratio: share,
  falsePositives: share,
  tolerance: share,
  duplicates: real('a number from 0 to 1', (v) => v >= 0 && v <= 1),
  strict: z.literal(true).optional(),
  seed: seedSchema,
  reading: readingInputSchema.optional(),
  device: z.enum(['auto', ...deviceNames]).optional(),
});

/** Fills in defaults and checks every field. @throws SpecError in one line, naming each field that is wrong */
export function resolveAuditSpec(input: AuditInput): AuditSpec {
  const { strict, ...said } = input;
  return checkSpec('audit', schema, {
    job: 'audit',
    ...said,
    subject: said.subject ?? 'fashion',
    samples: said.samples ?? 256,
    steps: said.steps ?? 18,
    ratio: said.ratio ?? 1 / 3,
    falsePositives: said.falsePositives ?? 0.01,
    tolerance: said.tolerance ?? 0.05,
    duplicates: said.duplicates ?? 0.02,
    seed: said.seed ?? 0,
    ...(strict === true && { strict: true }),
  });
}
