import { DomainError } from '../errors/errors.ts';
import { cosineChain } from './betas.ts';
import type { DiscreteVpSpec } from './betas.ts';
import { sigmaFromVpTime, vpTimeFromSigma } from './coordinates.ts';
import { discreteSchedule, timeOfSigma, timeOnSchedule } from './discrete-schedule.ts';
import type { SigmaRange, SigmaTime, TimeConvention } from './discrete-schedule.ts';
import { edmPreconditioning, edmSigmaData } from './edm.ts';

// A network F becomes a denoiser in VE coordinates, x = x0 + sigma n in the network's own pixel units, by four scalars of sigma:
// D(x; sigma) = cSkip x + cOut F(cIn x, time). VP networks see x_t = sqrt(alphaBar) x, and sqrt(alphaBar) = 1 / sqrt(1 + sigma^2).

/** The scalars of one noise level in D(x; sigma) = cSkip x + cOut F(cIn x, time). */
export interface NetworkCoefficients {
  readonly cSkip: number;
  readonly cOut: number;
  readonly cIn: number;
  /** What the network is told of the noise level; 0 where it is told nothing. */
  readonly time: number;
}

/** How a network's output becomes D(x; sigma). */
export interface Parameterization {
  readonly kind: ParameterizationKind;
  /** Whether F has a time input. */
  readonly needsTime: boolean;
  /** Noise levels that it was trained on as far as known, otherwise 0 to Infinity; the coefficients exist beyond. */
  readonly sigmaRange: SigmaRange;
  /** @throws DomainError if sigma is not positive and finite */
  coefficients(sigma: number): NetworkCoefficients;
}

/** What every kind may say: the noise levels of the training, where they differ from what the kind implies. */
interface Ranged {
  readonly sigmaRange?: SigmaRange | undefined;
}

/** A time input: what it is told, and the factor on it. */
interface Timed<Convention> {
  readonly time?: Convention | undefined;
  /** Factor on the time, default 1. */
  readonly timeScale?: number | undefined;
}

/** F is D itself, as in an EDM export with its preconditioning inside; time is sigma by default. */
export interface DenoisedSpec extends Ranged, Timed<SigmaTime> {
  readonly kind: 'denoised';
}

/** A raw network in EDM's preconditioning; time is ln(sigma) / 4. */
export interface EdmSpec extends Ranged {
  readonly kind: 'edm';
  /** Standard deviation of the data, default 0.5. */
  readonly sigmaData?: number | undefined;
  /** The network gives the negative, which is what diffusers calls v-prediction on an EDM schedule; default false. */
  readonly negated?: boolean | undefined;
}

/** A network of a VP schedule that predicts the noise, v = sqrt(alphaBar) n - sqrt(1 - alphaBar) x0, or x0; time is the step by default. */
export interface VpNetworkSpec extends Ranged, Timed<TimeConvention> {
  readonly kind: 'epsilon' | 'v' | 'x0';
  /** Default: the chain of DDPM. */
  readonly schedule?: DiscreteVpSpec | undefined;
}

/** A raw network in one of the other preconditionings of Karras et al., Table 1. */
export interface PreconditionedSpec extends Ranged {
  readonly kind: 'vp' | 've' | 'iddpm';
  /** M, the steps that the times of vp and iddpm count; default 1000. */
  readonly steps?: number | undefined;
}

/**
 * A network of the straight path x_t = (1 - t) x0 + t n that predicts its velocity n - x0.
 * `shift` of a sampler's configuration needs no field: it chooses at which t to sample, and the network is told the t that results. Any
 * sigma has the one time t = sigma / (1 + sigma), whatever the shift.
 */
export interface FlowSpec extends Ranged {
  readonly kind: 'flow';
  /** Factor on t, default 1; diffusers uses 1000. */
  readonly timeScale?: number | undefined;
  /** The end of [0, 1] at which the data lie, default 0. At 1, time runs and the velocity points from noise to data. */
  readonly dataAt?: 0 | 1 | undefined;
}

/** F is the score of the VE marginal, D = x + sigma^2 F; time is sigma by default. */
export interface ScoreSpec extends Ranged, Timed<SigmaTime> {
  readonly kind: 'score';
}

/** A network without time: F is the noise in x (residual, D = x - F) or D itself (blind). */
export interface BlindSpec extends Ranged {
  readonly kind: 'residual' | 'blind';
}

/** Plain data that says how to read a network. */
export type ParameterizationSpec =
  DenoisedSpec | EdmSpec | VpNetworkSpec | PreconditionedSpec | FlowSpec | ScoreSpec | BlindSpec;

/** The ways to read a network. */
export type ParameterizationKind = ParameterizationSpec['kind'];

const unknownRange: SigmaRange = { min: 0, max: Infinity };

/** What a kind computes, before sigma is checked and the range of the spec is put in. */
interface Rule {
  readonly range: SigmaRange;
  readonly needsTime?: false;
  at(sigma: number): NetworkCoefficients;
}

/**
 * The parameterization that a spec says.
 * @precision coefficients to a few eps relative at every sigma; the time on a schedule is clamped to its steps
 * @throws DomainError for a schedule, sigmaData or range outside its domain
 * @source Karras et al. 2022, arXiv 2206.00364, Table 1 (edm, vp, ve, iddpm); Salimans and Ho 2022, arXiv 2202.00512, appendix D (v)
 */
export function parameterization(spec: ParameterizationSpec): Parameterization {
  const rule = ruleOf(spec);
  const { min, max } = spec.sigmaRange ?? rule.range;
  if (!(min >= 0 && max > min)) {
    throw new DomainError('parameterization', `expected a range of sigma with 0 <= min < max, got ${min} to ${max}.`);
  }
  return {
    kind: spec.kind,
    needsTime: rule.needsTime ?? true,
    sigmaRange: { min, max },
    coefficients: (sigma) => {
      if (!(sigma > 0 && sigma < Infinity)) {
        throw new DomainError('parameterization', `expected sigma to be positive and finite, got ${sigma}.`);
      }
      return rule.at(sigma);
    },
  };
}

function ruleOf(spec: ParameterizationSpec): Rule {
  switch (spec.kind) {
    case 'denoised':
      return {
        range: unknownRange,
        at: (sigma) => ({ cSkip: 0, cOut: 1, cIn: 1, time: scaledTime(spec, sigma) }),
      };
    case 'edm':
      return edm(spec);
    case 'epsilon':
    case 'v':
    case 'x0':
      return onSchedule(spec);
    case 'vp':
      return vp(spec.steps ?? 1000);
    case 've':
      return {
        range: { min: 0.02, max: 100 },
        at: (sigma) => ({ cSkip: 1, cOut: sigma, cIn: 1, time: Math.log(sigma / 2) }),
      };
    case 'iddpm':
      return onSchedule({
        kind: 'epsilon',
        schedule: { ...cosineChain, steps: spec.steps ?? cosineChain.steps },
        time: 'nearest-step',
      });
    case 'flow':
      return flow(spec);
    case 'score':
      return {
        range: unknownRange,
        at: (sigma) => ({ cSkip: 1, cOut: sigma * sigma, cIn: 1, time: scaledTime(spec, sigma) }),
      };
    case 'residual':
      return { range: unknownRange, needsTime: false, at: () => ({ cSkip: 1, cOut: -1, cIn: 1, time: 0 }) };
    case 'blind':
      return { range: unknownRange, needsTime: false, at: () => ({ cSkip: 0, cOut: 1, cIn: 1, time: 0 }) };
  }
}

function scaledTime({ time = 'sigma', timeScale = 1 }: Timed<SigmaTime>, sigma: number): number {
  return timeScale * timeOfSigma(time, sigma);
}

function edm({ sigmaData = edmSigmaData, negated = false }: EdmSpec): Rule {
  edmPreconditioning(1, sigmaData); // refuses a sigmaData outside its domain now rather than at the first call
  return {
    range: { min: 0.002, max: 80 },
    at: (sigma) => {
      const { cSkip, cOut, cIn, cNoise } = edmPreconditioning(sigma, sigmaData);
      return { cSkip, cOut: negated ? -cOut : cOut, cIn, time: cNoise };
    },
  };
}

function onSchedule({ kind, schedule: chain, time = 'step', timeScale = 1 }: VpNetworkSpec): Rule {
  const schedule = discreteSchedule(chain);
  return {
    range: schedule.sigmaRange,
    at: (sigma) => {
      const cIn = 1 / Math.hypot(1, sigma); // sqrt(alphaBar)
      const told = timeScale * timeOnSchedule(time, sigma, schedule);
      if (kind === 'epsilon') return { cSkip: 1, cOut: -sigma, cIn, time: told };
      if (kind === 'v') return { cSkip: cIn * cIn, cOut: -sigma * cIn, cIn, time: told };
      return { cSkip: 0, cOut: 1, cIn, time: told };
    },
  };
}

/** Lowest time of a continuous VP model. @source Karras et al. 2022, Table 1: epsilon_t */
const VP_EARLIEST = 1e-5;

function vp(steps: number): Rule {
  if (!(steps > 1 && steps < Infinity)) {
    throw new DomainError('parameterization', `expected more than one step, got ${steps}.`);
  }
  return {
    range: { min: sigmaFromVpTime(VP_EARLIEST), max: sigmaFromVpTime(1) },
    at: (sigma) => ({
      cSkip: 1,
      cOut: -sigma,
      cIn: 1 / Math.hypot(1, sigma),
      time: (steps - 1) * Math.min(1, vpTimeFromSigma(sigma)),
    }),
  };
}

/** With t = sigma / (1 + sigma): x_t = x / (1 + sigma), so D = x_t - t u = (x - sigma u) / (1 + sigma). */
function flow({ timeScale = 1, dataAt = 0 }: FlowSpec): Rule {
  return {
    range: unknownRange,
    at: (sigma) => {
      const kept = 1 / (1 + sigma); // 1 - t
      const t = sigma / (1 + sigma);
      return dataAt === 0
        ? { cSkip: kept, cOut: -t, cIn: kept, time: timeScale * t }
        : { cSkip: kept, cOut: t, cIn: kept, time: timeScale * kept };
    },
  };
}
