import type { Tensor } from '../../tensor/tensor.ts';
import { symmetricAffinity } from './affinity.ts';
import { fitSubspaces } from './fit-subspaces.ts';
import type { ClusterSubspaces } from './fit-subspaces.ts';
import { kSubspaces } from './k-subspaces.ts';
import type { SparseRows } from './sparse-rows.ts';
import { byAppearance, spectralClustering } from './spectral.ts';
import type { SpectralClusters } from './spectral.ts';
import { sscOmp } from './ssc-omp.ts';
import { tsc } from './thresholding.ts';
import { unitRows } from './unit-rows.ts';
import { turn } from './watch.ts';
import type { Watch } from './watch.ts';

/** Ways to cluster by subspaces: two affinities with spectral clustering, and the direct minimisation of the cost. */
export const clusterMethods = ['ssc-omp', 'tsc', 'k-subspaces'] as const;

/** One of `clusterMethods`. */
export type ClusterMethod = (typeof clusterMethods)[number];

/** Options of `clusterBySubspaces`. */
export interface SubspaceClusteringOptions {
  readonly method: ClusterMethod;
  /** K, 2 to N. */
  readonly clusters: number;
  /** Dimension of the fitted subspaces; K-subspaces depends on it, the others only report with it. */
  readonly rank: number;
  /** Samples that express one (SSC-OMP), neighbours of one (TSC). */
  readonly sparsity: number;
  /** Starts of k-means (SSC-OMP, TSC) or of K-subspaces. */
  readonly restarts: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    ((phase: 'affinity' | 'k-means' | 'k-subspaces', done: number, total: number) => void) | undefined;
}

/** Clusters with the subspace of each, whichever method found them. */
export interface SubspaceClusters {
  /** [N], 0 to K - 1, numbered by first appearance. */
  readonly labels: Int32Array;
  /** Fitted to the unit samples of each cluster. */
  readonly subspaces: ClusterSubspaces;
  /** `converged`, or why not. */
  readonly status: string;
  /** SSC-OMP and TSC only. */
  readonly affinity?: SparseRows;
  /** SSC-OMP and TSC only. */
  readonly spectral?: SpectralClusters;
}

/** Alternations of one start of K-subspaces; few gain after these. */
const ITERATIONS = 60;

/**
 * Clusters samples by the subspaces that they lie near, through the origin, after scaling each to unit length.
 * @param points  [N, n]; not consumed. Samples of length zero lie in every subspace: their labels mean nothing
 * @throws ShapeError, NumericalError on bad points; DomainError on bad options; CancelledError
 */
export async function clusterBySubspaces(
  points: Tensor<'float64'>,
  options: SubspaceClusteringOptions,
): Promise<SubspaceClusters> {
  const { method, clusters, rank, sparsity, restarts, seed, signal, onProgress } = options;
  const unit = unitRows('clusterBySubspaces', points);
  if (method === 'k-subspaces') return bestStart(unit, options);
  const watch: Watch = { signal, onProgress: (done, total) => onProgress?.('affinity', done, total) };
  const coefficients =
    method === 'ssc-omp'
      ? await sscOmp(unit, { sparsity, ...watch })
      : await tsc(unit, { neighbours: sparsity, ...watch });
  const affinity = symmetricAffinity(coefficients);
  const spectral = await spectralClustering(affinity, {
    clusters,
    restarts,
    seed,
    signal,
    onProgress: (done, total) => onProgress?.('k-means', done, total),
  });
  const { labels, status } = spectral;
  return { labels, subspaces: fitSubspaces(unit, labels, clusters, rank), status, affinity, spectral };
}

/** The start of least cost; each has a turn of its own, so that an interrupt is heard between them. */
async function bestStart(unit: Tensor<'float64'>, options: SubspaceClusteringOptions): Promise<SubspaceClusters> {
  const { clusters, rank, restarts, seed, signal, onProgress } = options;
  const watch: Watch = { signal, onProgress: (done, total) => onProgress?.('k-subspaces', done, total) };
  let best: { labels: Int32Array; cost: number; status: string } | undefined;
  for (let start = 0; start < restarts; start++) {
    await turn('clusterBySubspaces', watch, start, restarts);
    const found = kSubspaces(unit, { clusters, rank, restarts: 1, iterations: ITERATIONS, seed: seed + start, signal });
    if (best === undefined || found.cost < best.cost) best = found;
  }
  watch.onProgress?.(restarts, restarts);
  const { labels, status } = best as { labels: Int32Array; status: string };
  const renamed = byAppearance(labels);
  return { labels: renamed, subspaces: fitSubspaces(unit, renamed, clusters, rank), status };
}
