import { DomainError, throwIfAborted } from '../../errors/errors.ts';
import { eigenvaluesSymmetric } from '../../linalg/eigh.ts';
import { matmul } from '../../linalg/matmul.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { trialMean } from '../../theory/trials.ts';
import type { WatchOptions } from '../jacobian.ts';
import type { DimensionEstimate } from './estimate.ts';
import type { Neighbours } from './neighbours.ts';

/** The estimate with its counts. */
export interface LocalPcaEstimate extends DimensionEstimate {
  /** [M], number of directions at each sample. */
  readonly counts: Int32Array;
  /** Share of the largest local variance above which a direction counts. */
  readonly threshold: number;
  /** Whether the counts come near k, so that the neighbourhood cannot show a larger dimension. */
  readonly saturated: boolean;
}

/** Options of `localPcaDimension`. */
export interface LocalPcaOptions extends WatchOptions {
  /** Default 0.05. */
  readonly threshold?: number;
}

/**
 * Intrinsic dimension as the number of directions in which a neighbourhood spreads: those whose variance exceeds a share of the largest.
 * Exact on a linear subspace once k is a few times its dimension; curvature adds directions where the neighbourhood is wide.
 * @param x  [N, D], the samples that the neighbours were sought among
 * @param neighbours  k >= 2
 * @returns mean count over samples with its normal interval
 * @throws DomainError for fewer than 2 neighbours or samples, or a threshold outside (0, 1); CancelledError
 * @source Fukunaga and Olsen 1971, IEEE Trans. Computers C-20, 176
 */
export async function localPcaDimension(
  x: FloatTensor,
  neighbours: Neighbours,
  { threshold = 0.05, signal, onProgress }: LocalPcaOptions = {},
): Promise<LocalPcaEstimate> {
  const { k, queries, distances, indices } = neighbours;
  if (k < 2) throw new DomainError('localPcaDimension', `expected at least 2 neighbours, got ${k}.`);
  if (!(threshold > 0 && threshold < 1)) {
    throw new DomainError('localPcaDimension', `expected a threshold in (0, 1), got ${threshold}.`);
  }
  const counts = new Int32Array(queries.length);
  let scale = 0;
  for (const [i, query] of queries.entries()) {
    if (i % 32 === 0) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      throwIfAborted('localPcaDimension', signal);
      onProgress?.(i, queries.length);
    }
    const variances = localVariances(x, [query, ...indices.subarray(i * k, (i + 1) * k)]);
    const least = threshold * (variances[0] as number);
    counts[i] = variances.reduce((count, l) => count + (l > least ? 1 : 0), 0);
    scale += (distances[(i + 1) * k - 1] as number) / queries.length;
  }
  const { mean, low, high } = trialMean(counts);
  return {
    dimension: mean,
    low,
    high,
    interval: 'normal over samples, 95 %',
    samples: queries.length,
    scale,
    counts,
    threshold,
    saturated: mean > k / 2 && k < (x.shape[1] as number),
  };
}

/** Eigenvalues of the samples' scatter about their mean, descending, from the smaller of its two Gram matrices. */
function localVariances(x: FloatTensor, places: readonly number[]): Float64Array {
  const D = x.shape[1] as number;
  const rows = new Float64Array(places.length * D);
  for (let d = 0; d < D; d++) {
    const mean = places.reduce((sum, place) => sum + (x.data[place * D + d] as number), 0) / places.length;
    places.forEach((place, i) => (rows[i * D + d] = (x.data[place * D + d] as number) - mean));
  }
  const centred = tensor('float64', [places.length, D], rows);
  const wide = places.length <= D;
  return eigenvaluesSymmetric(matmul(centred, centred, wide ? { transposeB: true } : { transposeA: true }));
}
