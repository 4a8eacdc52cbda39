import { z } from 'zod';
import { checkTrainingSpec } from '../../training/spec.ts';
import { checkSpec, real, whole } from '../check-spec.ts';
import { resolveTrainSpec } from '../train-spec.ts';
import type { TrainInput, TrainSpec } from '../train-spec.ts';

/** One point of the curve from memorizing to generalizing: a training, and how its model is measured. */
export interface GeneralizationSpec {
  readonly train: TrainSpec;
  /** Samples to draw, of the latents 0, 1, ...: the same for every model of one shape. */
  readonly samples: number;
  /** Noise levels of the sampler. */
  readonly samplerSteps: number;
  /** Noise levels, data units, at which denoisers are compared. */
  readonly sigmas: readonly number[];
  /** Training and held-out images, each, on which denoisers are compared. */
  readonly images: number;
  /** Rate of false positives of the calibrated threshold. */
  readonly falsePositives: number;
}

/** What a user may say: fields of the training and of the measures side by side. */
export type GeneralizationInput = TrainInput & Partial<Omit<GeneralizationSpec, 'train'>>;

const schema: z.ZodType<Omit<GeneralizationSpec, 'train'>> = z.strictObject({
  samples: whole(3, 1_000_000).default(512),
  samplerSteps: whole(2, 10_000).default(18),
  sigmas: z
    .array(real('a positive number', (v) => v > 0))
    .min(1, 'expected noise levels, got none')
    .default([0.1, 0.3, 1, 3, 10]),
  images: whole(2, 100_000).default(128),
  falsePositives: real('a number above 0 and below 1', (v) => v > 0 && v < 1).default(0.01),
});

/** Fills in every default. @throws SpecError in one line, naming each field that is wrong */
export function resolveGeneralizationSpec(input: GeneralizationInput): GeneralizationSpec {
  const { samples, samplerSteps, sigmas, images, falsePositives, ...train } = input;
  const measures = checkSpec('sweep', schema, { samples, samplerSteps, sigmas, images, falsePositives });
  // A sweep has a job for every core already.
  const spec = resolveTrainSpec({ shards: 1, ...train });
  checkTrainingSpec(spec);
  return { train: spec, ...measures };
}
