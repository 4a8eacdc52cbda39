import { edmTrainingNoise } from '../diffusion/edm.ts';
import { DomainError } from '../errors/errors.ts';

/** Everything that a training run is determined by, besides the network and the data. */
export interface TrainingSpec {
  /** Optimizer steps in all. */
  readonly steps: number;
  /** Images a step. */
  readonly batchSize: number;
  /** Equal parts of a batch that workers compute beside each other; part of the spec, since it decides the rounding. */
  readonly shards: number;
  /** Peak learning rate; linear warm-up, then a half cosine to zero. */
  readonly learningRate: number;
  /** Steps of the warm-up. */
  readonly warmup: number;
  /** Images after which an old weight counts half in the average; the average starts faster. */
  readonly emaHalfLife: number;
  /** Mean of ln sigma, by which noise levels are drawn. */
  readonly noiseMean: number;
  /** Standard deviation of ln sigma. */
  readonly noiseDeviation: number;
  /** Steps between measurements of the loss on training and held-out images, alike in their noise; 0 measures nothing. */
  readonly evaluateEvery: number;
  /**
   * Relative gap (held-out loss - training loss) / training loss at which training stops, once `patience` measurements in a row exceed it;
   * the weights of the last one within it are kept. Without it nothing stops early.
   */
  readonly stopGap?: number | undefined;
  readonly patience: number;
  /** Seed of weights, order, noise levels and noise. */
  readonly seed: number;
}

/** Defaults of `eigenlens train`. */
export const trainingDefaults: TrainingSpec = {
  steps: 10_000,
  batchSize: 32,
  shards: 2,
  learningRate: 2e-3,
  warmup: 200,
  emaHalfLife: 20_000,
  noiseMean: edmTrainingNoise.pMean,
  noiseDeviation: edmTrainingNoise.pStd,
  evaluateEvery: 0,
  patience: 3,
  seed: 0,
};

/** @throws DomainError for a size or rate that cannot be trained with */
export function checkTrainingSpec(spec: TrainingSpec): void {
  for (const name of ['steps', 'batchSize', 'shards'] as const) {
    if (!Number.isSafeInteger(spec[name]) || spec[name] < 1) {
      throw new DomainError('train', `expected ${name} to be a whole number of at least 1, got ${spec[name]}.`);
    }
  }
  if (spec.batchSize % spec.shards !== 0) {
    const got = `${spec.batchSize} in ${spec.shards}`;
    throw new DomainError('train', `expected a batch that divides into equal shards, got ${got}.`);
  }
  if (!Number.isSafeInteger(spec.warmup) || spec.warmup < 0) {
    throw new DomainError('train', `expected warmup to be a whole number of at least 0, got ${spec.warmup}.`);
  }
  for (const name of ['learningRate', 'emaHalfLife', 'noiseDeviation'] as const) {
    if (!(spec[name] > 0 && spec[name] < Infinity)) {
      throw new DomainError('train', `expected ${name} to be positive and finite, got ${spec[name]}.`);
    }
  }
  if (!Number.isFinite(spec.noiseMean)) {
    throw new DomainError('train', `expected noiseMean to be finite, got ${spec.noiseMean}.`);
  }
  for (const [name, least] of [
    ['evaluateEvery', 0],
    ['patience', 1],
  ] as const) {
    if (!Number.isSafeInteger(spec[name]) || spec[name] < least) {
      throw new DomainError('train', `expected ${name} to be a whole number of at least ${least}, got ${spec[name]}.`);
    }
  }
  if (spec.stopGap !== undefined && !(spec.stopGap > 0)) {
    throw new DomainError('train', `expected stopGap to be positive, got ${spec.stopGap}.`);
  }
  if (spec.stopGap !== undefined && spec.evaluateEvery === 0) {
    throw new DomainError('train', 'expected evaluateEvery above 0 where a gap is to stop it, got 0.');
  }
}

/** Learning rate of step 1, 2, ...: linear over the warm-up, then a half cosine that reaches zero at the last step. */
export function learningRateAt(spec: TrainingSpec, step: number): number {
  const { learningRate, steps, warmup } = spec;
  if (step <= warmup) return (learningRate * step) / (warmup + 1);
  const progress = (step - warmup) / Math.max(1, steps - warmup);
  return learningRate * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
}

/**
 * Decay of the weight average at a step: half-life in images, but never longer than a twentieth of what was seen so far.
 * @source the ramp of Karras et al. 2022 (arXiv 2206.00364, appendix F.1: EMA half-life with ramp-up 5 %)
 */
export function emaDecayAt(spec: TrainingSpec, step: number): number {
  const halfLife = Math.min(spec.emaHalfLife, 0.05 * step * spec.batchSize);
  return 0.5 ** (spec.batchSize / Math.max(halfLife, 1e-8));
}
