import type { Denoiser } from '../../denoisers/denoiser.ts';
import { DomainError, throwIfAborted } from '../../errors/errors.ts';
import type { LinearOperator } from '../../linalg/operator.ts';
import { leadingTriplets } from '../../linalg/triplets.ts';
import type { TripletStatus } from '../../linalg/triplets.ts';
import { normal, randomKey, uniform } from '../../tensor/random.ts';
import type { RandomKey } from '../../tensor/random.ts';
import { row, sizeOf, tensor } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { trialMean } from '../../theory/trials.ts';
import type { TrialMean } from '../../theory/trials.ts';
import type { WatchOptions } from '../jacobian.ts';

/** Dimension as a denoiser sees it at one noise level, each with its interval over samples. */
export interface DenoiserLevel {
  readonly sigma: number;
  /** |D(y) - x|^2 / sigma^2: the squared error an independent direction. */
  readonly error: TrialMean;
  /** The same without the clean samples, by Stein: 2 tr J + |y - D(y)|^2 / sigma^2 - D. */
  readonly sure: TrialMean;
  /** tr J, which equals the error where D is the exact posterior mean. */
  readonly trace: TrialMean;
  /** Singular values of J above 1/2: directions that pass rather than vanish. */
  readonly rank: TrialMean;
  /** Whether at some sample all values sought exceeded 1/2, so that the rank is at least this. */
  readonly rankIsLowerBound: boolean;
  /** Mean leading singular values, descending. */
  readonly values: Float64Array;
  /** The worst outcome of the iterations. */
  readonly status: TripletStatus;
}

/** Dimension of the data from a denoiser at small noise. */
export interface DenoiserDimension {
  /** Ascending noise. */
  readonly levels: readonly DenoiserLevel[];
  /** The level about which error / sigma^2 changes least with the noise, and d log(error / sigma^2) / d log sigma there. */
  readonly plateau: { readonly sigma: number; readonly dimension: TrialMean; readonly slope: number };
}

/** Options of `denoiserDimension`. */
export interface DenoiserDimensionOptions extends WatchOptions {
  /** Noise levels, data units; two or more. */
  readonly sigmas: readonly number[];
  readonly seed: number;
  /** Random signs for each trace; default 8. As many as dimensions or more: the trace is exact. */
  readonly probes?: number;
  /** Leading singular values sought, default 24. */
  readonly triplets?: number;
}

const statuses: readonly TripletStatus[] = ['converged', 'stagnated', 'maxIterations', 'nonFinite'];

/**
 * Intrinsic dimension from a denoiser: on a d-dimensional manifold, at noise below its curvature and spread, the Jacobian has d singular
 * values near 1 and the rest near 0, and the squared error is d sigma^2.
 * @param clean  [N, ...sampleShape], N >= 2, data that the denoiser was not made from
 * @throws DomainError for fewer than two samples or levels; CancelledError; whatever the denoiser throws
 * @precision of the trace: standard deviation about sqrt(2 / probes) |J|_F a sample, part of its interval
 * @source Kadkhodaie et al. 2024, arXiv 2310.02557, sections 2 to 4; Stein 1981; Hutchinson 1990
 */
export async function denoiserDimension(
  denoiser: Denoiser,
  clean: FloatTensor,
  options: DenoiserDimensionOptions,
): Promise<DenoiserDimension> {
  const N = clean.shape[0] ?? 0;
  const sigmas = options.sigmas.toSorted((a, b) => a - b);
  if (N < 2 || sigmas.length < 2) {
    throw new DomainError(
      'denoiserDimension',
      `expected at least two samples and two noise levels, got ${N} and ${sigmas.length}.`,
    );
  }
  const levels: DenoiserLevel[] = [];
  for (const [l, sigma] of sigmas.entries()) {
    const points: Point[] = [];
    for (let n = 0; n < N; n++) {
      throwIfAborted('denoiserDimension', options.signal);
      points.push(await measurePoint(denoiser, clean, n, sigma, options));
      options.onProgress?.(l * N + n + 1, sigmas.length * N);
    }
    levels.push(summary(sigma, points));
  }
  return { levels, plateau: flattest(levels) };
}

interface Point {
  readonly error: number;
  readonly sure: number;
  readonly trace: number;
  readonly values: Float64Array;
  readonly status: TripletStatus;
}

async function measurePoint(
  denoiser: Denoiser,
  clean: FloatTensor,
  n: number,
  sigma: number,
  { seed, probes = 8, triplets = 24, signal }: DenoiserDimensionOptions,
): Promise<Point> {
  const D = sizeOf(denoiser.sampleShape);
  const x = row(clean as Tensor<'float32'>, n).data;
  const noise = normal(randomKey(seed, 'dimension-noise', sigma, n), [D]).data;
  const y = tensor(
    'float64',
    [1, ...denoiser.sampleShape],
    noise.map((z, i) => (x[i] as number) + sigma * z),
  );
  const out = (await denoiser.denoise(y, sigma)).data;
  const op = denoiser.linearize(y, sigma);
  const trace = await traceOf(op, probes, randomKey(seed, 'dimension-probes', sigma, n));
  let [error, residual] = [0, 0];
  for (let i = 0; i < D; i++) {
    error += ((out[i] as number) - (x[i] as number)) ** 2 / sigma ** 2;
    residual += ((y.data[i] as number) - (out[i] as number)) ** 2 / sigma ** 2;
  }
  const rank = Math.min(triplets, D);
  const { values, status } = await leadingTriplets(op, { rank, tolerance: 1e-2, seed, ...(signal && { signal }) });
  return { error, sure: 2 * trace + residual - D, trace, values, status };
}

/** Mean of v J v over random signs v, or the exact trace where there are as many probes as dimensions. */
async function traceOf(op: LinearOperator, probes: number, key: RandomKey): Promise<number> {
  const D = op.columns;
  const exact = probes >= D;
  const count = exact ? D : probes;
  const v = tensor('float64', [count, D], new Float64Array(count * D));
  if (exact) for (let i = 0; i < D; i++) v.data[i * D + i] = 1;
  else v.data.set(uniform(key, [count * D]).data.map((u) => (u < 0.5 ? -1 : 1)));
  const image = (await op.apply(v)).data;
  const sum = v.data.reduce((total, value, i) => total + value * (image[i] as number), 0);
  return exact ? sum : sum / count;
}

function summary(sigma: number, points: readonly Point[]): DenoiserLevel {
  const over = (pick: (point: Point) => number): TrialMean => trialMean(points.map(pick));
  const K = points[0]?.values.length ?? 0;
  const above = ({ values }: Point): number => values.reduce((count, s) => count + (s > 0.5 ? 1 : 0), 0);
  return {
    sigma,
    error: over((p) => p.error),
    sure: over((p) => p.sure),
    trace: over((p) => p.trace),
    rank: over(above),
    rankIsLowerBound: points.some((p) => above(p) === K && K > 0),
    values: Float64Array.from({ length: K }, (_, i) => over((p) => p.values[i] as number).mean),
    status: points.reduce<TripletStatus>(
      (worst, { status }) => (statuses.indexOf(status) > statuses.indexOf(worst) ? status : worst),
      'converged',
    ),
  };
}

/** Slope about each level from its neighbours in noise; the least in magnitude wins. */
function flattest(levels: readonly DenoiserLevel[]): DenoiserDimension['plateau'] {
  const candidates = levels.map((level, i) => {
    const before = levels[Math.max(0, i - 1)] as DenoiserLevel;
    const after = levels[Math.min(levels.length - 1, i + 1)] as DenoiserLevel;
    const slope = Math.log(after.error.mean / before.error.mean) / Math.log(after.sigma / before.sigma);
    return { sigma: level.sigma, dimension: level.error, slope };
  });
  return candidates.reduce((best, c) => (Math.abs(c.slope) < Math.abs(best.slope) ? c : best));
}
