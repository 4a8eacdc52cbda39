import { DomainError } from '../errors/errors.ts';
import { overlapSquared } from './spiked-covariance.ts';

/**
 * Gains of one projection step along the true directions, on average over data and noise: c^2(lam_i / S, gamma).
 * @param spectrum       variances of the clean data, >= 0
 * @param noiseVariance  S > 0 of the noise at this step
 * @param gamma          dimensions per noise draw
 * @throws DomainError outside these
 * @source theory.md A.2, "mean operator"
 */
export function projectionGains(spectrum: ArrayLike<number>, noiseVariance: number, gamma: number): Float64Array {
  if (!(noiseVariance > 0)) {
    throw new DomainError('projectionGains', `expected a noise variance > 0, got ${noiseVariance}.`);
  }
  return Float64Array.from(spectrum, (variance) => overlapSquared(variance / noiseVariance, gamma));
}

/**
 * Gains after 1, 2, ..., T steps: running products along every direction.
 * Independent steps multiply in the mean, so this is power iteration with gains that change from step to step.
 * @param steps  gains of each step, one a direction
 */
export function runningGains(steps: readonly ArrayLike<number>[]): Float64Array[] {
  let product = new Float64Array(steps[0]?.length ?? 0).fill(1);
  return steps.map((gains) => (product = product.map((gain, i) => gain * (gains[i] as number))));
}

/**
 * Gains relative to the first: what the normalised operator keeps of each direction.
 * @returns gains[i] / gains[0]; NaN where the first direction is lost too
 */
export function gainRatios(gains: ArrayLike<number>): Float64Array {
  return Float64Array.from(gains, (gain) => gain / (gains[0] as number));
}

/**
 * What power iteration on a covariance keeps of each direction relative to the first after some steps: (lam_i / lam_1)^steps.
 * @throws DomainError for a leading variance of 0
 */
export function powerIterationRatios(spectrum: ArrayLike<number>, steps: number): Float64Array {
  const first = spectrum[0] ?? 0;
  if (!(first > 0)) {
    throw new DomainError('powerIterationRatios', `expected a leading variance > 0, got ${first}.`);
  }
  return Float64Array.from(spectrum, (variance) => (variance / first) ** steps);
}
