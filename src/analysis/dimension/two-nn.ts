import { DomainError, NumericalError } from '../../errors/errors.ts';
import { integers, randomKey } from '../../tensor/random.ts';
import type { DimensionEstimate } from './estimate.ts';
import type { Neighbours } from './neighbours.ts';

/** The estimate with the line that was fitted. */
export interface TwoNnEstimate extends DimensionEstimate {
  /** Share of the samples, those of largest ratio, that the fit leaves out. */
  readonly discarded: number;
  /** Coefficient of determination of the line through the origin. */
  readonly rSquared: number;
  /** log(r_2 / r_1), ascending, and -log(1 - i/n): on a line of slope d where the density is even. The kept samples. */
  readonly fit: { readonly x: Float64Array; readonly y: Float64Array };
}

/** Options of `twoNnDimension`. */
export interface TwoNnOptions {
  /** Share of the largest ratios left out, default 0.1 as in the paper. */
  readonly discard?: number;
  /** Resamples of the interval, default 200. */
  readonly resamples?: number;
  readonly seed?: number;
}

/**
 * Intrinsic dimension from the two nearest neighbours: r_2 / r_1 has distribution 1 - r^-d wherever the density is even over that range.
 * @param neighbours  of distinct samples, at least 10, two neighbours or more each
 * @returns slope of the line through the origin; interval: percentiles over resampled samples, neighbours kept
 * @throws DomainError for too few samples or neighbours or a share outside [0, 1); NumericalError where a distance is 0 or all ratios are 1
 * @source Facco, d'Errico, Rodriguez and Laio 2017, Scientific Reports 7:12140
 */
export function twoNnDimension(neighbours: Neighbours, options: TwoNnOptions = {}): TwoNnEstimate {
  const { discard = 0.1, resamples = 200, seed = 0 } = options;
  const n = neighbours.queries.length;
  if (n < 10 || neighbours.k < 2) {
    throw new DomainError(
      'twoNnDimension',
      `expected at least 10 samples with 2 neighbours, got ${n} with ${neighbours.k}.`,
    );
  }
  if (!(discard >= 0 && discard < 1)) {
    throw new DomainError('twoNnDimension', `expected a share to discard in [0, 1), got ${discard}.`);
  }
  const { logRatios, scale } = sortedRatios(neighbours);
  const once = new Int32Array(n).fill(1);
  const { slope, x, y } = fitLine(logRatios, once, discard);
  if (!Number.isFinite(slope)) {
    throw new NumericalError('twoNnDimension', 'expected distances that differ, got r_2 = r_1 for every sample kept.');
  }
  const slopes = Float64Array.from({ length: resamples }, (_, b) => {
    const counts = new Int32Array(n);
    for (const i of integers(randomKey(seed, 'two-nn', b), [n], n).data) counts[i] = (counts[i] as number) + 1;
    return fitLine(logRatios, counts, discard).slope;
  }).sort();
  const residual = x.reduce((sum, value, i) => sum + ((y[i] as number) - slope * value) ** 2, 0);
  const mean = y.reduce((a, b) => a + b, 0) / y.length;
  const spread = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    dimension: slope,
    low: slopes[Math.floor(0.025 * resamples)] ?? slope,
    high: slopes[Math.ceil(0.975 * resamples) - 1] ?? slope,
    interval: `percentiles of ${resamples} bootstrap resamples, 95 %, neighbours kept`,
    samples: n,
    scale,
    discarded: discard,
    rSquared: 1 - residual / spread,
    fit: { x, y },
  };
}

function sortedRatios({ distances, k, queries }: Neighbours): { logRatios: Float64Array; scale: number } {
  let scale = 0;
  const logRatios = Float64Array.from(queries, (_, i) => {
    const [first, second] = [distances[i * k] as number, distances[i * k + 1] as number];
    if (!(first > 0)) {
      throw new NumericalError(
        'twoNnDimension',
        'expected distinct samples, got distance 0. Pass those of distinctSamples.',
      );
    }
    scale += second / queries.length;
    return Math.log(second / first);
  }).sort();
  return { logRatios, scale };
}

/** Least squares through the origin of -log(1 - F) on the ratios that a resample holds, F counting it out of n. */
function fitLine(
  logRatios: Float64Array,
  counts: Int32Array,
  discard: number,
): { slope: number; x: Float64Array; y: Float64Array } {
  const n = logRatios.length;
  const kept = Math.min(n - 1, Math.floor(n * (1 - discard)));
  const x = new Float64Array(kept);
  const y = new Float64Array(kept);
  let [i, xx, xy] = [0, 0, 0];
  logRatios.forEach((ratio, at) => {
    for (let c = 0; c < (counts[at] as number) && i < kept; c++, i++) {
      x[i] = ratio;
      y[i] = -Math.log1p(-(i + 1) / n);
      xx += ratio * ratio;
      xy += ratio * (y[i] as number);
    }
  });
  return { slope: xy / xx, x, y };
}
