import { DomainError } from '../errors/errors.ts';

/** How beta grows over the steps of a VP chain; the names are those of diffusers. */
export const betaSchedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2', 'sigmoid'] as const;

/** One of `betaSchedules`. */
export type BetaSchedule = (typeof betaSchedules)[number];

/** A chain of VP steps x_t = sqrt(1 - beta_t) x_(t-1) + sqrt(beta_t) n, as configuration files describe it. */
export interface DiscreteVpSpec {
  /** N, default 1000; the number of `trainedBetas` where these are given. */
  readonly steps?: number | undefined;
  /** Default linear. */
  readonly betaSchedule?: BetaSchedule | undefined;
  /** Default 1e-4; the cosine schedule knows none. */
  readonly betaStart?: number | undefined;
  /** Default 0.02; the cosine schedule knows none. */
  readonly betaEnd?: number | undefined;
  /** Every beta, in place of the fields above. */
  readonly trainedBetas?: readonly number[] | undefined;
  /** Rescaled so that the last step is pure noise, default false. */
  readonly zeroTerminalSnr?: boolean | undefined;
}

/** The chain of DDPM. @source Ho et al. 2020, arXiv 2006.11239, section 4 */
export const ddpmChain = { steps: 1000, betaSchedule: 'linear', betaStart: 1e-4, betaEnd: 0.02 } as const;

/** The chain of Stable Diffusion and other latent models. @source Rombach et al. 2022, the configuration of its released models */
export const latentChain = { steps: 1000, betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 } as const;

/** The cosine chain. @source Nichol and Dhariwal 2021, arXiv 2102.09672, eq. 17 */
export const cosineChain = { steps: 1000, betaSchedule: 'squaredcos_cap_v2' } as const;

/** Chains longer than this are refused: no model has one, and a file must not make us allocate what it likes. */
export const LONGEST_CHAIN = 100_000;

/**
 * The betas of a chain.
 * @returns [N] float64, each in (0, 1]; 1 only at the end
 * @throws DomainError for a number of steps or a beta outside its domain
 */
export function betasOf(spec: DiscreteVpSpec): Float64Array {
  const betas = spec.trainedBetas ? Float64Array.from(spec.trainedBetas) : namedBetas(spec);
  const bad = betas.findIndex((beta, i) => !(beta > 0 && (beta < 1 || (beta === 1 && i === betas.length - 1))));
  if (bad >= 0) throw new DomainError('betas', `expected betas between 0 and 1, got ${betas[bad]} at step ${bad}.`);
  return betas;
}

function namedBetas(spec: DiscreteVpSpec): Float64Array {
  const { steps, betaSchedule, betaStart: start, betaEnd: end } = { ...ddpmChain, ...withoutUndefined(spec) };
  if (!Number.isInteger(steps) || steps < 2 || steps > LONGEST_CHAIN) {
    throw new DomainError('betas', `expected steps to be an integer from 2 to ${LONGEST_CHAIN}, got ${steps}.`);
  }
  const along = (i: number): number => i / (steps - 1);
  const beta: Record<BetaSchedule, (i: number) => number> = {
    linear: (i) => start + along(i) * (end - start),
    scaled_linear: (i) => (Math.sqrt(start) + along(i) * (Math.sqrt(end) - Math.sqrt(start))) ** 2,
    squaredcos_cap_v2: (i) => cosineBeta(i, steps),
    sigmoid: (i) => start + (end - start) / (1 + Math.exp(6 - 12 * along(i))),
  };
  return Float64Array.from({ length: steps }, (_, i) => beta[betaSchedule](i));
}

/** Offset and cap of the cosine chain. @source Nichol and Dhariwal 2021, section 3.2 */
const COSINE_OFFSET = 0.008;
const COSINE_CAP = 0.999;

/** 1 - cos^2 b / cos^2 a for the angles a, b at the start and end of step i, as sin(b - a) sin(b + a) / cos^2 a. */
function cosineBeta(i: number, steps: number): number {
  const angle = (t: number): number => ((t + COSINE_OFFSET) / (1 + COSINE_OFFSET)) * (Math.PI / 2);
  const [a, b] = [angle(i / steps), angle((i + 1) / steps)];
  return Math.min((Math.sin(b - a) * Math.sin(b + a)) / Math.cos(a) ** 2, COSINE_CAP);
}

/** An absent field and one that is undefined mean the same: the default. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
