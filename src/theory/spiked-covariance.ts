import { DomainError } from '../errors/errors.ts';

/**
 * Dimensions per noise draw, gamma = p / (n m): what decides how well a sample covariance knows its directions.
 * Drawing the noise m times per clean sample averages the noise part of the covariance, so it counts like m times the samples.
 * @param dimension  p >= 1
 * @param samples    n >= 1
 * @param draws      noise draws per sample m >= 1, possibly Infinity, where gamma is 0; default 1
 * @throws DomainError outside these
 * @source theory.md A.2 (p / n: Baik, Ben Arous and Peche 2005; several draws: derived for one direction and checked by simulation)
 */
export function aspectRatio(dimension: number, samples: number, draws: number = 1): number {
  const whole = (value: number): boolean => Number.isInteger(value) && value >= 1;
  if (!whole(dimension) || !whole(samples) || !(whole(draws) || draws === Infinity)) {
    throw new DomainError(
      'aspectRatio',
      `expected dimension, samples and draws to be whole numbers >= 1, got ${dimension}, ${samples} and ${draws}.`,
    );
  }
  return dimension / samples / draws;
}

/** Signal-to-noise ratio sqrt(gamma) at and below which a sample covariance knows nothing of a direction. @source Baik, Ben Arous and Peche 2005 */
export function recoveryThreshold(gamma: number): number {
  return Math.sqrt(checkedRatio('recoveryThreshold', gamma));
}

/**
 * Squared cosine between a direction and its estimate by the sample covariance, in the limit of large dimension.
 * @param snr    ell = variance along the direction over the noise variance, >= 0
 * @param gamma  dimensions per noise draw, >= 0
 * @returns (1 - gamma / ell^2) / (1 + gamma / ell) above the threshold sqrt(gamma), 0 at and below it
 * @throws DomainError outside these
 * @precision a few eps; at finite size n the truth scatters about it by 2 / sqrt(n), more within a tenth of the threshold
 * @source Paul 2007; Benaych-Georges and Nadakuditi 2011; as in Dobriban's EigenEdge, standard_spiked_forward
 */
export function overlapSquared(snr: number, gamma: number): number {
  checkSnr('overlapSquared', snr);
  if (snr <= recoveryThreshold(gamma)) return 0;
  return (1 - gamma / snr / snr) / (1 + gamma / snr);
}

/**
 * Largest eigenvalue of the sample covariance of noise and one direction, in the limit of large dimension.
 * @param noiseVariance  S > 0 along every direction, default 1
 * @returns S (1 + ell) (1 + gamma / ell) above the threshold, the edge S (1 + sqrt(gamma))^2 of the noise below it
 * @throws DomainError outside the domain of `overlapSquared`
 * @source Baik, Ben Arous and Peche 2005; Baik and Silverstein 2006
 */
export function sampleEigenvalue(snr: number, gamma: number, noiseVariance: number = 1): number {
  checkSnr('sampleEigenvalue', snr);
  if (snr <= recoveryThreshold(gamma)) return bulkEdges(gamma, noiseVariance).upper;
  return checkedNoise('sampleEigenvalue', noiseVariance) * (1 + snr) * (1 + gamma / snr);
}

/** Ends of the interval that holds the eigenvalues of a sample covariance of noise alone; some are 0 besides where gamma > 1. */
export interface BulkEdges {
  readonly lower: number;
  readonly upper: number;
}

/** Edges S (1 -+ sqrt(gamma))^2 of the noise eigenvalues. @source Marchenko and Pastur 1967 */
export function bulkEdges(gamma: number, noiseVariance: number = 1): BulkEdges {
  const root = recoveryThreshold(gamma);
  const scale = checkedNoise('bulkEdges', noiseVariance);
  return { lower: scale * (1 - root) ** 2, upper: scale * (1 + root) ** 2 };
}

/**
 * Noise level above which a direction is lost: sqrt(variance) gamma^(-1/4); wider directions come back first as noise falls.
 * @param variance  lam >= 0 of the clean data along the direction
 * @returns sigma in data units; Infinity for gamma = 0, where no noise hides a direction
 * @throws DomainError outside these
 * @source theory.md A.2: lam / sigma^2 = sqrt(gamma) solved for sigma
 */
export function criticalNoise(variance: number, gamma: number): number {
  checkSnr('criticalNoise', variance);
  if (variance === 0) return 0;
  return Math.sqrt(variance / recoveryThreshold(gamma));
}

function checkSnr(where: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) {
    throw new DomainError(where, `expected a variance or ratio >= 0 and finite, got ${value}.`);
  }
}

function checkedRatio(where: string, gamma: number): number {
  if (!(gamma >= 0 && gamma < Infinity)) {
    throw new DomainError(where, `expected gamma = p / (n m) >= 0 and finite, got ${gamma}.`);
  }
  return gamma;
}

function checkedNoise(where: string, variance: number): number {
  if (!(variance > 0 && variance < Infinity)) {
    throw new DomainError(where, `expected a noise variance > 0 and finite, got ${variance}.`);
  }
  return variance;
}
