import { DomainError } from '../errors/errors.ts';

/** Extent of a noise grid. */
export interface NoiseGridOptions {
  /** Number of noise levels, >= 1; a single level is sigmaMax. */
  readonly steps: number;
  /** Lowest level, > 0, default 0.002. */
  readonly sigmaMin?: number;
  /** Highest level, >= sigmaMin, default 80. */
  readonly sigmaMax?: number;
}

/**
 * The EDM noise levels from sigmaMax down to sigmaMin, evenly spaced in sigma^(1/rho).
 * @param options.rho  > 0, default 7; larger values put more levels at low noise
 * @returns [steps] float64, descending, without the final 0 (see `endAtZero`); the ends are exact
 * @throws DomainError if the extent is empty
 * @source Karras et al. 2022, arXiv 2206.00364, eq. 5
 */
export function karrasGrid(options: NoiseGridOptions & { readonly rho?: number }): Float64Array {
  const rho = options.rho ?? 7;
  if (!(rho > 0 && rho < Infinity)) {
    throw new DomainError('karrasGrid', `expected rho to be positive and finite, got ${rho}.`);
  }
  return spaced(
    'karrasGrid',
    options,
    (sigma) => sigma ** (1 / rho),
    (root) => root ** rho,
  );
}

/**
 * Noise levels from sigmaMax down to sigmaMin, evenly spaced in ln sigma.
 * @returns [steps] float64, descending; the ends are exact
 * @throws DomainError if the extent is empty
 */
export function logGrid(options: NoiseGridOptions): Float64Array {
  return spaced('logGrid', options, Math.log, Math.exp);
}

/** The same levels followed by 0: the grid of a sampler that ends on clean data. */
export function endAtZero(grid: Float64Array): Float64Array {
  const ended = new Float64Array(grid.length + 1);
  ended.set(grid);
  return ended;
}

function spaced(
  where: string,
  { steps, sigmaMin = 0.002, sigmaMax = 80 }: NoiseGridOptions,
  forward: (sigma: number) => number,
  back: (u: number) => number,
): Float64Array {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new DomainError(where, `expected steps to be an integer >= 1, got ${steps}.`);
  }
  if (!(sigmaMin > 0 && sigmaMin <= sigmaMax && sigmaMax < Infinity)) {
    throw new DomainError(where, `expected 0 < sigmaMin <= sigmaMax < Infinity, got ${sigmaMin} and ${sigmaMax}.`);
  }
  const grid = new Float64Array(steps);
  const [high, low] = [forward(sigmaMax), forward(sigmaMin)];
  for (let i = 1; i < steps - 1; i++) grid[i] = back(high + (i / (steps - 1)) * (low - high));
  grid[0] = sigmaMax; // the round trip through `back` would miss the ends by rounding
  if (steps > 1) grid[steps - 1] = sigmaMin;
  return grid;
}
