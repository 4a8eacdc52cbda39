import { z } from 'zod';
import { SpecError } from '../errors/errors.ts';
import { trainingDefaults } from '../training/spec.ts';
import type { TrainingSpec } from '../training/spec.ts';
import { checkSpec, real, seedSchema, whole } from './check-spec.ts';

/** Resolved spec of `eigenlens train`. */
export interface TrainSpec extends TrainingSpec {
  /** Data set as `openDataset` names it; what is held out from it (`splitDataset`) is never trained on. */
  readonly data: string;
  /** Height and width to which images are brought. */
  readonly imageSize?: number | undefined;
  /** Model whose weights the training starts from, instead of random ones. */
  readonly from?: string | undefined;
  readonly name: string;
  readonly architecture: (typeof architectures)[number];
  /** U-Net: channels by level. MLP: one number, the width. */
  readonly channels: readonly number[];
  /** MLP: residual blocks. */
  readonly depth: number;
  /** U-Net: self-attention in the middle. */
  readonly attention: boolean;
  /** Low-rank network: number of subspaces. */
  readonly components: number;
  /** Low-rank network: dimension of each subspace, default 8. Linear: directions with a variance of their own, default all, 1024 at most. */
  readonly rank?: number | undefined;
}

/** What `train` trains: U-Net, perceptron, linear denoiser, mixture of low-rank subspaces. */
export const architectures = ['unet', 'mlp', 'linear', 'low-rank'] as const;

const count = whole(1, 1e9);
const positive = real('a positive number', (v) => v > 0);

const schema: z.ZodType<TrainSpec> = z.strictObject({
  data: z.string().min(1).default('fashion-train'),
  imageSize: whole(2, 4096).optional(),
  from: z.string().min(1).optional(),
  name: z.string().min(1).default('model'),
  architecture: z.enum(architectures).default('unet'),
  channels: z.array(count).min(1).default([16, 32, 64]),
  depth: count.default(3),
  attention: z.boolean().default(true),
  components: count.default(2),
  rank: count.optional(),
  steps: count.default(trainingDefaults.steps),
  batchSize: count.default(trainingDefaults.batchSize),
  shards: count.default(trainingDefaults.shards),
  learningRate: positive.default(trainingDefaults.learningRate),
  warmup: whole(0, 1e9).default(trainingDefaults.warmup),
  emaHalfLife: positive.default(trainingDefaults.emaHalfLife),
  noiseMean: real('a number', () => true).default(trainingDefaults.noiseMean),
  noiseDeviation: positive.default(trainingDefaults.noiseDeviation),
  evaluateEvery: whole(0, 1e9).default(trainingDefaults.evaluateEvery),
  stopGap: positive.optional(),
  patience: count.default(trainingDefaults.patience),
  seed: seedSchema.default(trainingDefaults.seed),
});

/** What a user may say; the rest is filled in. */
export type TrainInput = { readonly [K in keyof TrainSpec]?: TrainSpec[K] | undefined } & {
  /** Samples to train on, the first of the data's shuffled order: `data` becomes `DATA:N`. */
  readonly size?: number | undefined;
};

/** Fills in every default. @throws SpecError in one line, naming each field that is wrong */
export function resolveTrainSpec({ size, ...input }: TrainInput): TrainSpec {
  const data = input.data ?? 'fashion-train';
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 1)) {
    throw new SpecError('train', `expected size to be a whole number of at least 1, got ${size}.`);
  }
  return checkSpec('train', schema, {
    ...input,
    // What is no text is left to the schema, which refuses it by name.
    data: size === undefined || typeof data !== 'string' ? data : `${data}:${size}`,
    // A gap can only stop what measures it.
    ...(input.stopGap !== undefined && input.evaluateEvery === undefined && { evaluateEvery: 250 }),
  });
}
