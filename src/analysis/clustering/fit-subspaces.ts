import { DomainError } from '../../errors/errors.ts';
import { leadingSvd } from '../../linalg/svd.ts';
import { assertShape, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** One subspace a cluster. */
export interface ClusterSubspaces {
  /** [K, rank, n]; orthonormal rows by falling share of the cluster; zero rows where the members span less than `rank`. */
  readonly bases: Tensor<'float64'>;
  /** [K], dimensions found, at most `rank`. */
  readonly ranks: Int32Array;
  /** [K], members. */
  readonly sizes: Int32Array;
  /** [K], share of the sum of squares of the members inside their subspace; 1 where they are all zero. */
  readonly captured: Float64Array;
  /** Mean squared distance of a sample from the subspace of its cluster. */
  readonly cost: number;
}

/**
 * The subspace through the origin that fits each cluster best: leading right singular vectors of its members.
 * @param points  [N, n]; not consumed
 * @param labels  [N], 0 to K - 1; a cluster may be empty
 * @param clusters  K
 * @param rank    dimension at most, 1 <= rank <= n
 * @throws ShapeError; DomainError on a bad rank or label; NumericalError on NaN or infinity
 * @precision as `leadingSvd`; directions below 1e-10 of the largest singular value count as not spanned
 */
export function fitSubspaces(
  points: Tensor<'float64'>,
  labels: ArrayLike<number>,
  clusters: number,
  rank: number,
): ClusterSubspaces {
  assertShape('fitSubspaces', points, `${labels.length} n`);
  const [N, n] = points.shape as [number, number];
  if (!Number.isInteger(rank) || rank < 1 || rank > n) {
    throw new DomainError('fitSubspaces', `expected a whole rank from 1 to the dimension ${n}, got ${rank}.`);
  }
  const members: number[][] = Array.from({ length: clusters }, () => []);
  for (let i = 0; i < N; i++) {
    const own = members[labels[i] as number];
    if (own === undefined)
      throw new DomainError('fitSubspaces', `expected labels below ${clusters}, got ${labels[i]}.`);
    own.push(i);
  }
  const bases = new Float64Array(clusters * rank * n);
  const ranks = new Int32Array(clusters);
  const captured = new Float64Array(clusters).fill(1);
  let missed = 0;
  members.forEach((own, k) => {
    if (own.length === 0) return;
    const data = new Float64Array(own.length * n);
    own.forEach((i, at) => data.set(points.data.subarray(i * n, (i + 1) * n), at * n));
    const { values, v } = leadingSvd(tensor('float64', [own.length, n], data), Math.min(rank, own.length, n));
    const found = values.subarray(0, rank).filter((s) => s > 1e-10 * (values[0] as number)).length;
    bases.set(v.data.subarray(0, found * n), k * rank * n);
    ranks[k] = found;
    const squares = values.map((s) => s * s);
    const total = squares.reduce((sum, s) => sum + s, 0);
    const rest = squares.subarray(found).reduce((sum, s) => sum + s, 0);
    if (total > 0) captured[k] = 1 - rest / total;
    missed += rest;
  });
  const sizes = Int32Array.from(members, (own) => own.length);
  return { bases: tensor('float64', [clusters, rank, n], bases), ranks, sizes, captured, cost: missed / N };
}
