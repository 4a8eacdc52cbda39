import { DomainError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alignments, leadingDirections } from './learned-linear.ts';
import { reverseProducts } from './linear-reverse.ts';
import { drawTrainingSet } from './training-set.ts';

/** Linear data and how a denoiser sees them. */
export interface LinearSetting {
  /** Variances of the clean data; as many directions are learned. */
  readonly spectrum: readonly number[];
  readonly dimension: number;
  readonly samples: number;
  /** Noise draws per sample. */
  readonly draws: number;
}

/** Linear data and the noise levels that projections are learned at. */
export interface OperatorSetting extends LinearSetting {
  /** Noise level of P_1, P_2, ...: ascending along the reverse process read from its end. */
  readonly sigmas: readonly number[];
  /** `fresh` draws new samples for every step of every trial; `fixed` takes one training set for all of them and draws new noise. */
  readonly data: 'fresh' | 'fixed';
}

/** What the random numbers of a trial come from. */
export interface TrialKey {
  readonly seed: number;
  /** From 0. */
  readonly trial: number;
}

/** The variances top, top decay, top decay^2, ... @throws DomainError unless top > 0, 0 < decay <= 1 and count is whole and >= 1 */
export function geometricSpectrum({
  top,
  decay,
  count,
}: Readonly<Record<'top' | 'decay' | 'count', number>>): number[] {
  if (!(top > 0 && top < Infinity && decay > 0 && decay <= 1 && Number.isInteger(count) && count >= 1)) {
    throw new DomainError(
      'spectrum',
      `expected top > 0, 0 < decay <= 1 and a whole count >= 1, got ${top}, ${decay} and ${count}.`,
    );
  }
  return Array.from({ length: count }, (_, i) => top * decay ** i);
}

/** Noise levels in equal ratios around the thresholds: from a quarter of the lowest critical one to twice the highest. @param critical  descending */
export function emergenceLevels(critical: ArrayLike<number>, count: number): number[] {
  const [low, high] = [(critical[critical.length - 1] as number) / 4, 2 * (critical[0] as number)];
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)));
}

/**
 * Squared cosines of learned with true directions in one trial: the samples are the same at every level, the noise is not.
 * @param level  index of the noise level
 * @returns one a direction
 * @throws DomainError outside the domain of the setting
 */
export function trialAlignments(
  { spectrum, dimension, samples, draws }: LinearSetting,
  sigma: number,
  { seed, trial, level }: TrialKey & { readonly level: number },
): Float64Array {
  const set = drawTrainingSet({ seed, path: ['critical', trial] }, { spectrum, dimension, count: samples });
  const noise = { sigma, draws, stream: { seed, path: ['critical', trial, level] } };
  return alignments(leadingDirections(set, noise, spectrum.length).vectors);
}

/** The projections P_1, ..., P_T that one trial learns, [p, p] each. @throws DomainError outside the domain of the setting */
export function trialProjections(
  { spectrum, dimension, samples, draws, sigmas, data }: OperatorSetting,
  { seed, trial }: TrialKey,
): Tensor<'float64'>[] {
  return sigmas.map((sigma, k) => {
    const path = data === 'fresh' ? ['operator', trial, 'data', k] : ['operator', 'data'];
    const set = drawTrainingSet({ seed, path }, { spectrum, dimension, count: samples });
    const noise = { sigma, draws, stream: { seed, path: ['operator', trial, 'noise', k] } };
    const { vectors } = leadingDirections(set, noise, spectrum.length);
    return matmul(vectors, vectors, { transposeA: true });
  });
}

/**
 * The operators of one trial in the true directions: U^T P_1 ... P_k U after every step k.
 * @returns [r, r] row-major, one a step
 * @throws DomainError outside the domain of the setting
 * @source theory.md A.2, "mean operator"
 */
export function trialOperators(setting: OperatorSetting, key: TrialKey): Float64Array[] {
  const [rank, p] = [setting.spectrum.length, setting.dimension];
  const truth = new Float64Array(rank * p);
  for (let i = 0; i < rank; i++) truth[i * (p + 1)] = 1;
  const rows = tensor('float64', [rank, p], truth);
  return reverseProducts(trialProjections(setting, key), rows).map(
    (product) => matmul(product, rows, { transposeB: true }).data,
  );
}
