import { SpecError } from '../../errors/errors.ts';
import { checkTrainingSpec } from '../../training/spec.ts';
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

const defaults: Omit<GeneralizationSpec, 'train'> = {
  samples: 512,
  samplerSteps: 18,
  sigmas: [0.1, 0.3, 1, 3, 10],
  images: 128,
  falsePositives: 0.01,
};

const least: Readonly<Record<'samples' | 'samplerSteps' | 'images', number>> = {
  samples: 3,
  samplerSteps: 2,
  images: 2,
};

/** Fills in every default. @throws SpecError in one line, naming each field that is wrong */
export function resolveGeneralizationSpec(input: GeneralizationInput): GeneralizationSpec {
  const { samples, samplerSteps, sigmas, images, falsePositives, ...train } = input;
  const said = { samples, samplerSteps, sigmas, images, falsePositives };
  const measured = { ...defaults, ...Object.fromEntries(Object.entries(said).filter(([, v]) => v !== undefined)) };
  const wrong = Object.entries(least).filter(([name, n]) => !isWhole(measured[name as keyof typeof least], n));
  const { sigmas: levels, falsePositives: rate } = measured;
  const problems = [
    ...wrong.map(([name, n]) => `${name}: expected a whole number of at least ${n}, got ${measured[name as keyof typeof least]}`),
    ...(Array.isArray(levels) && levels.length > 0 && levels.every((s: unknown) => typeof s === 'number' && s > 0 && s < Infinity)
      ? []
      : ['sigmas: expected positive noise levels']),
    ...(rate > 0 && rate < 1 ? [] : [`falsePositives: expected a number above 0 and below 1, got ${rate}`]),
  ]; // prettier-ignore
  if (problems.length > 0) throw new SpecError('generalization', `${problems.join('; ')}.`);
  // A sweep has a job for every core already.
  const spec = resolveTrainSpec({ shards: 1, ...train });
  checkTrainingSpec(spec);
  return { train: spec, ...measured };
}

function isWhole(value: unknown, atLeast: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= atLeast;
}
