import { DomainError, throwIfAborted } from '../../errors/errors.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { svd } from '../../linalg/svd.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { assertFinite, assertShape, slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { descend } from './subspace-descent.ts';
import { assign, blankFrame, createProblem, inOwnSpan, rowsOf } from './subspace-fit.ts';
import type { Assignment, Frame, Problem } from './subspace-fit.ts';
import { startFrame } from './subspace-starts.ts';
import type { Start } from './subspace-starts.ts';

/** Options of `kSubspaces`. */
export interface KSubspacesOptions {
  /** K, at most the number of points. */
  readonly clusters: number;
  /** Dimension of the subspaces: one for all, or one a cluster. */
  readonly rank: number | readonly number[];
  /** Starts tried; the fit of least cost is kept. A fit of cost zero ends the search: none is better. */
  readonly restarts?: number;
  /** Alternations of one restart. */
  readonly iterations?: number;
  readonly seed: number;
  /** Subspaces off the origin: each cluster has a mean. */
  readonly affine?: boolean;
  /**
   * `neighbours` spans each subspace by a point and those best aligned with it, points drawn far from the subspaces before it;
   * `random` takes subspaces at random.
   */
  readonly start?: Start;
  readonly signal?: AbortSignal | undefined;
}

/** K subspaces and the points of each. */
export interface KSubspaces {
  /** [N], from 0 to K - 1: the subspace nearest to each point, the first of equals. */
  readonly labels: Int32Array;
  /** U_k^T, [d_k, n] with orthonormal rows: leading principal directions of the cluster, random ones beyond its rank. */
  readonly bases: readonly Tensor<'float64'>[];
  /** Means of the clusters, for affine subspaces. */
  readonly means?: readonly Float64Array[];
  /** Sum of squared distances of the points from their subspaces. */
  readonly cost: number;
  /** `converged`: labels and subspaces fit each other; otherwise the iterations ran out. */
  readonly status: 'converged' | 'maxIterations';
  readonly restartsUsed: number;
}

/** Exact fits of the kept restart: labels may move once more after one, rarely twice. */
const POLISHES = 20;

/**
 * K-subspaces clustering: subspaces and assignments that minimise the squared distances of points from their subspaces, from many starts.
 * Each alternation assigns points to the nearest subspace and takes one power step X_k^T X_k on each basis, which never raises the cost and
 * costs less than an eigenproblem; the best restart then alternates with exact principal subspaces until its labels stay. A local optimum
 * is not always the global one. One cluster is principal component analysis.
 * @param points  [N, n]; not consumed
 * @throws ShapeError if not a matrix; NumericalError on NaN or infinity; DomainError if N < K, a rank exceeds n, or a count is none
 * @precision cost absolute to about 10 eps of the sum of squares of the points; restarts are compared to about 1e-3 of their cost
 * @source Bradley and Mangasarian 2000; Wang et al. 2024, arXiv 2409.02426, Theorem 3 (the equivalence with the low-rank denoiser's loss)
 */
export function kSubspaces(points: Tensor<'float64'>, options: KSubspacesOptions): KSubspaces {
  const { restarts = 20, iterations = 200, seed, affine = false, start = 'neighbours', signal } = options;
  const problem = createProblem(points, checkOptions(points, options), affine);
  const { labels, restartsUsed } =
    problem.ranks.length === 1
      ? { labels: new Int32Array(problem.energies.length), restartsUsed: 1 } // every start meets the one optimum
      : search(inOwnSpan(problem), { restarts, iterations, seed, start, signal });
  return { ...polish(problem, labels, seed), restartsUsed };
}

type SearchOptions = Required<Pick<KSubspacesOptions, 'restarts' | 'iterations' | 'seed' | 'start'>> &
  Pick<KSubspacesOptions, 'signal'>;

/** Labels of the restart of least cost. */
function search(
  problem: Problem,
  { restarts, iterations, seed, start, signal }: SearchOptions,
): { labels: Int32Array; restartsUsed: number } {
  let best: Assignment | undefined;
  let restartsUsed = 0;
  do {
    throwIfAborted('kSubspaces', signal);
    const frame = startFrame(problem, start, randomKey(seed, 'k-subspaces', restartsUsed++));
    const found = descend(problem, frame, iterations, signal);
    if (!best || found.cost < best.cost) best = found;
  } while (restartsUsed < restarts && best.cost > problem.negligible);
  return { labels: best.labels, restartsUsed };
}

/** Alternates exact principal subspaces and assignments until the labels stay. */
function polish(problem: Problem, start: Int32Array, seed: number): Omit<KSubspaces, 'restartsUsed'> {
  const frame = blankFrame(problem);
  let [labels, cost, settled] = [start, Infinity, false];
  for (let i = 0; i < POLISHES && !settled; i++) {
    problem.ranks.forEach((_, k) => fitExactly(problem, frame, labels, k, seed));
    const next = assign(problem, frame);
    // Points that two subspaces fit equally well may move for ever without a gain.
    settled = next.labels.every((k, j) => k === labels[j]) || !(next.cost < cost);
    ({ labels, cost } = next);
  }
  const bases = problem.ranks.map((_, k) => rowsOf(problem, frame, k));
  const status = settled ? 'converged' : 'maxIterations';
  return { labels, bases, cost, status, ...(problem.affine ? { means: frame.means } : {}) };
}

/** Principal directions of one cluster, about its mean where subspaces are affine; random ones where it has too few. */
function fitExactly(problem: Problem, frame: Frame, labels: Int32Array, k: number, seed: number): void {
  const { points, affine } = problem;
  const [, n] = points.shape as [number, number];
  const rank = problem.ranks[k] as number;
  const own = Array.from(labels.keys()).filter((i) => labels[i] === k);
  const data = new Float64Array(own.length * n);
  own.forEach((i, at) => data.set(slice(points, i, i + 1).data, at * n));
  const mean = frame.means[k] as Float64Array;
  if (affine && own.length > 0) {
    mean.fill(0);
    data.forEach((value, i) => ((mean[i % n] as number) += value / own.length));
    for (let i = 0; i < data.length; i++) (data[i] as number) -= mean[i % n] as number;
  }
  const target = rowsOf(problem, frame, k).data;
  let found = 0;
  if (own.length > 0) {
    const { values, v } = svd(tensor('float64', [own.length, n], data));
    const floor = Math.max(own.length, n) * Number.EPSILON * (values[0] as number);
    found = values.subarray(0, rank).filter((value) => value > floor).length;
    target.set(v.data.subarray(0, found * n));
  }
  if (found === rank) return;
  const random = normal(randomKey(seed, 'k-subspaces', 'fill', k), [rank - found, n]).data;
  const rows = new Float64Array(rank * n);
  rows.set(target.subarray(0, found * n));
  rows.set(random, found * n);
  target.set(orthonormalRows(tensor('float64', [rank, n], rows)).q.data);
}

/** @returns the rank of each cluster */
function checkOptions(points: Tensor<'float64'>, options: KSubspacesOptions): readonly number[] {
  const { clusters, rank, restarts = 1, iterations = 1 } = options;
  assertShape('kSubspaces', points, 'N n');
  assertFinite('kSubspaces', points, 'Drop or repair these points.');
  const [N, n] = points.shape as [number, number];
  for (const [name, value] of Object.entries({ clusters, restarts, iterations })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new DomainError('kSubspaces', `expected ${name} to be a whole number >= 1, got ${value}.`);
    }
  }
  if (N < clusters) {
    throw new DomainError('kSubspaces', `expected at least ${clusters} points, one a cluster, got ${N}.`);
  }
  const ranks = typeof rank === 'number' ? new Array<number>(clusters).fill(rank) : rank;
  if (ranks.length !== clusters) {
    throw new DomainError('kSubspaces', `expected one rank or ${clusters}, got ${ranks.length}.`);
  }
  const bad = ranks.find((d) => !(Number.isInteger(d) && d >= 1 && d <= n));
  if (bad !== undefined) {
    throw new DomainError('kSubspaces', `expected whole ranks from 1 to the dimension ${n}, got ${bad}.`);
  }
  return ranks;
}
