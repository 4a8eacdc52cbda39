import { DomainError } from '../errors/errors.ts';

// The house counts in variance-exploding (VE) coordinates: x = x0 + sigma n. Papers on DDPM-like models count in
// variance-preserving (VP) ones: x_t = sqrt(alphaBar) x0 + sqrt(1 - alphaBar) n = sqrt(alphaBar) x. Hence sigma^2 = (1 - alphaBar) / alphaBar.

/** Coordinates of a noisy sample, and so of a Jacobian with respect to it. */
export type Coordinates = 'VE' | 'VP';

/** Continuous VP schedule: beta rises linearly from betaMin at t = 0 to betaMax at t = 1. */
export interface VpSchedule {
  readonly betaMin: number;
  readonly betaMax: number;
}

/**
 * The VP schedule of Song et al., which DDPM's 1000 steps (beta 1e-4 to 0.02) discretize; t = step / 1000.
 * @source Song et al. 2021, arXiv 2011.13456, appendix C
 */
export const linearVpSchedule: VpSchedule = { betaMin: 0.1, betaMax: 20 };

/** Signal fraction alphaBar = 1 / (1 + sigma^2) of a VE noise level. @throws DomainError if sigma is negative or not a number */
export function alphaBarFromSigma(sigma: number): number {
  if (!(sigma >= 0)) throw new DomainError('alphaBarFromSigma', `expected sigma >= 0, got ${sigma}.`);
  return 1 / (1 + sigma * sigma);
}

/**
 * VE noise level of a VP signal fraction.
 * @param alphaBar  in (0, 1]; near 1 it has lost sigma's digits, so come from `sigmaFromVpTime` where the time is known
 * @throws DomainError if alphaBar lies outside
 */
export function sigmaFromAlphaBar(alphaBar: number): number {
  if (!(alphaBar > 0 && alphaBar <= 1)) {
    throw new DomainError('sigmaFromAlphaBar', `expected alphaBar in (0, 1], got ${alphaBar}.`);
  }
  return Math.sqrt((1 - alphaBar) / alphaBar);
}

/**
 * VE noise level at a VP time.
 * @param t  in [0, 1]
 * @precision a few eps relative, also near t = 0
 * @throws DomainError if t lies outside
 * @source Karras et al. 2022, arXiv 2206.00364, Table 1, "VP" schedule: sigma = sqrt(exp(betaD t^2 / 2 + betaMin t) - 1)
 */
export function sigmaFromVpTime(t: number, schedule: VpSchedule = linearVpSchedule): number {
  if (!(t >= 0 && t <= 1)) throw new DomainError('sigmaFromVpTime', `expected t in [0, 1], got ${t}.`);
  return Math.sqrt(Math.expm1(t * (schedule.betaMin + (t * (schedule.betaMax - schedule.betaMin)) / 2)));
}

/**
 * VP time of a VE noise level, the inverse of `sigmaFromVpTime`; above 1 where the schedule never gets so noisy.
 * @throws DomainError if sigma is negative or not finite
 */
export function vpTimeFromSigma(sigma: number, schedule: VpSchedule = linearVpSchedule): number {
  if (!(sigma >= 0 && sigma < Infinity)) {
    throw new DomainError('vpTimeFromSigma', `expected sigma >= 0 and finite, got ${sigma}.`);
  }
  const { betaMin, betaMax } = schedule;
  const logNoise = Math.log1p(sigma * sigma);
  // The root of betaD t^2 / 2 + betaMin t = logNoise, in the form that does not cancel near 0.
  return (2 * logNoise) / (betaMin + Math.sqrt(betaMin * betaMin + 2 * (betaMax - betaMin) * logNoise));
}

/**
 * Factor by which singular values of a denoiser's Jacobian grow when it is taken in other coordinates than VE.
 * dx0/dx_t (VP) = dD/dx (VE) / sqrt(alphaBar), as x = x_t / sqrt(alphaBar); vectors, ranks and ratios stay the same.
 * @param sigma  VE noise level, >= 0
 */
export function jacobianScale(sigma: number, coordinates: Coordinates): number {
  return coordinates === 'VE' ? 1 : 1 / Math.sqrt(alphaBarFromSigma(sigma));
}
