import { DomainError } from '../errors/errors.ts';
import { betasOf } from './betas.ts';
import type { DiscreteVpSpec } from './betas.ts';

/** An interval of VE noise levels. */
export interface SigmaRange {
  readonly min: number;
  readonly max: number;
}

/** The noise levels of a chain of VP steps 0 ... N - 1, and the times between them: ln sigma is linear in t from step to step. */
export interface DiscreteSchedule {
  /** N. */
  readonly steps: number;
  /** [N] signal fractions, descending; 0 at the end of a chain of zero terminal SNR. */
  readonly alphaBar: Float64Array;
  /** [N] VE noise levels sqrt(1 / alphaBar - 1), ascending; Infinity where alphaBar is 0. */
  readonly sigmas: Float64Array;
  /** Lowest and highest finite noise level. */
  readonly sigmaRange: SigmaRange;
  /** Noise level at a time. @throws DomainError if t lies outside [0, last step of finite noise] */
  readonly sigmaAt: (t: number) => number;
  /** Time of a noise level, the inverse of `sigmaAt`; the first or last finite step for levels outside `sigmaRange`. */
  readonly timeAt: (sigma: number) => number;
  /** The step whose noise level is nearest to sigma, a whole number. */
  readonly nearestStep: (sigma: number) => number;
}

/**
 * The noise levels that a DDPM-like model was trained on.
 * @precision sigma and alphaBar to a few N eps relative, without cancellation at either end
 * @throws DomainError for betas outside (0, 1], or noise that does not grow at every step
 * @source Ho et al. 2020, arXiv 2006.11239, eq. 4; zero terminal SNR: Lin et al. 2023, arXiv 2305.08891, algorithm 1
 */
export function discreteSchedule(spec: DiscreteVpSpec = {}): DiscreteSchedule {
  const { alphaBar, sigmas } = noiseLevels(betasOf(spec), spec.zeroTerminalSnr ?? false);
  const steps = sigmas.length;
  const firstInfinite = sigmas.indexOf(Infinity);
  const finite = firstInfinite < 0 ? steps : firstInfinite;
  for (let i = 1; i < finite; i++) {
    if (!(at(sigmas, i) > at(sigmas, i - 1))) {
      throw new DomainError('discreteSchedule', `expected noise to grow at every step, got the same at step ${i}.`);
    }
  }
  if (finite < 2) throw new DomainError('discreteSchedule', 'expected two steps of finite noise at least, got fewer.');
  const last = finite - 1;

  /** The last step whose noise is at most sigma, at most the last but one; 0 if there is none. */
  const stepBelow = (sigma: number): number => {
    let [low, high] = [0, last];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (at(sigmas, middle) <= sigma) low = middle;
      else high = middle;
    }
    return low;
  };

  return {
    steps,
    alphaBar,
    sigmas,
    sigmaRange: { min: at(sigmas, 0), max: at(sigmas, last) },
    sigmaAt: (t) => {
      if (!(t >= 0 && t <= last)) throw new DomainError('sigmaAt', `expected t in [0, ${last}], got ${t}.`);
      const i = Math.min(Math.floor(t), last - 1);
      if (t === i + 1) return at(sigmas, i + 1); // the power below would miss it by rounding
      return at(sigmas, i) * (at(sigmas, i + 1) / at(sigmas, i)) ** (t - i);
    },
    timeAt: (sigma) => {
      const i = stepBelow(sigma);
      const [low, high] = [at(sigmas, i), at(sigmas, i + 1)];
      return i + Math.min(1, Math.max(0, Math.log(sigma / low) / Math.log(high / low)));
    },
    nearestStep: (sigma) => {
      const i = stepBelow(sigma);
      return sigma - at(sigmas, i) <= at(sigmas, i + 1) - sigma ? i : i + 1;
    },
  };
}

/** What a network is told of the noise level where there is no schedule: sigma, ln(sigma) / 4 or ln(1 / sigma^2). */
export const sigmaTimes = ['sigma', 'quarter-log-sigma', 'log-snr'] as const;

/** One of `sigmaTimes`. */
export type SigmaTime = (typeof sigmaTimes)[number];

/**
 * What a network of a VP schedule is told of the noise level: the step t in [0, N - 1] with its fraction, the nearest whole step, t / N,
 * or one of `sigmaTimes`.
 */
export const timeConventions = ['step', 'nearest-step', 'unit', 'sigma', 'quarter-log-sigma', 'log-snr'] as const;

/** One of `timeConventions`. */
export type TimeConvention = (typeof timeConventions)[number];

/** The time of a noise level sigma > 0 that needs no schedule. */
export function timeOfSigma(convention: SigmaTime, sigma: number): number {
  switch (convention) {
    case 'sigma':
      return sigma;
    case 'quarter-log-sigma':
      return Math.log(sigma) / 4;
    case 'log-snr':
      return -2 * Math.log(sigma); // alphaBar / (1 - alphaBar) = 1 / sigma^2
  }
}

/** The time of a noise level sigma > 0 on a schedule; clamped to its first and last finite step where it counts steps. */
export function timeOnSchedule(convention: TimeConvention, sigma: number, schedule: DiscreteSchedule): number {
  switch (convention) {
    case 'step':
      return schedule.timeAt(sigma);
    case 'nearest-step':
      return schedule.nearestStep(sigma);
    case 'unit':
      return schedule.timeAt(sigma) / schedule.steps;
    default:
      return timeOfSigma(convention, sigma);
  }
}

interface NoiseLevels {
  readonly alphaBar: Float64Array;
  readonly sigmas: Float64Array;
}

function noiseLevels(betas: Float64Array, zeroTerminalSnr: boolean): NoiseLevels {
  const N = betas.length;
  const alphaBar = new Float64Array(N);
  const sigmas = new Float64Array(N);
  const logAlphaBar = new Float64Array(N);
  let sum = 0;
  for (let i = 0; i < N; i++) {
    sum += Math.log1p(-at(betas, i));
    logAlphaBar[i] = sum;
    alphaBar[i] = Math.exp(sum);
    // sqrt(1 / alphaBar - 1) with no difference of near numbers and no early overflow
    sigmas[i] = sum === -Infinity ? Infinity : Math.exp(-sum / 2) * Math.sqrt(-Math.expm1(sum));
  }
  if (zeroTerminalSnr && sum > -Infinity) rescale(logAlphaBar, { alphaBar, sigmas });
  return { alphaBar, sigmas };
}

/**
 * Moves sqrt(alphaBar) = s linearly so that the last becomes 0 and the first stays: r_i = s_0 (s_i - s_T) / (s_0 - s_T).
 * Differences are taken from the logarithms, where no digit is lost.
 */
function rescale(logAlphaBar: Float64Array, out: NoiseLevels): void {
  const first = at(logAlphaBar, 0);
  const final = at(logAlphaBar, logAlphaBar.length - 1);
  const span = lostFrom(first, final);
  for (let i = 0; i < logAlphaBar.length; i++) {
    const log = at(logAlphaBar, i);
    const r = (Math.exp(log / 2) * lostFrom(log, final)) / span;
    const lost = lostFrom(0, first) + (Math.exp(first / 2) * lostFrom(first, log)) / span; // 1 - r
    out.alphaBar[i] = r * r;
    out.sigmas[i] = Math.sqrt(lost * (1 + r)) / r;
  }
}

/** (s_a - s_b) / s_a for logarithms a >= b of alphaBar = s^2; never -0, which would turn an infinite sigma around. */
function lostFrom(a: number, b: number): number {
  return Math.abs(Math.expm1((b - a) / 2));
}

/** Element i, which the caller knows to be inside. */
function at(values: Float64Array, i: number): number {
  return values[i] as number;
}
