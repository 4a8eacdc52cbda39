import { z } from 'zod';
import { SpecError } from '../errors/errors.ts';
import { trainingDefaults } from '../training/spec.ts';
import type { TrainingSpec } from '../training/spec.ts';

/** Resolved spec of `eigenlens train`. */
export interface TrainSpec extends TrainingSpec {
  /** Data set as `openDataset` names it. */
  readonly data: string;
  readonly name: string;
  readonly architecture: 'unet' | 'mlp';
  /** U-Net: channels by level. MLP: one number, the width. */
  readonly channels: readonly number[];
  /** MLP: residual blocks. */
  readonly depth: number;
  /** U-Net: self-attention in the middle. */
  readonly attention: boolean;
}

const whole = z.number().int().positive();

const schema = z.strictObject({
  data: z.string().min(1).default('fashion-train'),
  name: z.string().min(1).default('model'),
  architecture: z.enum(['unet', 'mlp']).default('unet'),
  channels: z.array(whole).min(1).default([16, 32, 64]),
  depth: whole.default(3),
  attention: z.boolean().default(true),
  steps: whole.default(trainingDefaults.steps),
  batchSize: whole.default(trainingDefaults.batchSize),
  shards: whole.default(trainingDefaults.shards),
  learningRate: z.number().positive().default(trainingDefaults.learningRate),
  warmup: z.number().int().nonnegative().default(trainingDefaults.warmup),
  emaHalfLife: z.number().positive().default(trainingDefaults.emaHalfLife),
  seed: z.number().int().nonnegative().default(trainingDefaults.seed),
});

/** Fills in every default. @throws SpecError naming the first field that is wrong */
export function resolveTrainSpec(input: Partial<TrainSpec>): TrainSpec {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SpecError('train', `${issue?.path.join('.')}: ${issue?.message}. See 'eigenlens train --help'.`);
}
