import { ShapeError } from '../../errors/errors.ts';
import { subspaceDistance } from '../../linalg/angles.ts';
import { matmul } from '../../linalg/matmul.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { optimalAssignment } from './assignment.ts';

/** How well subspaces were found, up to their order. */
export interface Recovery {
  /** [K]; index of the estimate paired with each true subspace. */
  readonly estimateOf: Int32Array;
  /** [K]; |P_hat - P|_F of each true subspace and its estimate. */
  readonly errors: Float64Array;
  /** The largest of them: what a threshold of success is put on. */
  readonly worst: number;
  /** Root of the sum of their squares. */
  readonly total: number;
}

/**
 * Error of estimated subspaces up to a permutation: |U_hat U_hat^T - U U^T|_F for each, under the pairing of least sum of squares.
 * @param estimates  K bases [d, n] with orthonormal rows; ranks may differ from the truth's
 * @param truth      K bases [d, n] with orthonormal rows
 * @throws ShapeError if the numbers or dimensions differ, or there are none; DomainError if rows are not orthonormal
 * @precision absolute, a small multiple of n eps
 * @source Wang et al. 2024, arXiv 2409.02426, the error of Theorems 2 and 4
 */
export function recoveryError(estimates: readonly Tensor<'float64'>[], truth: readonly Tensor<'float64'>[]): Recovery {
  const K = truth.length;
  if (K === 0 || estimates.length !== K) {
    throw new ShapeError(
      'recoveryError',
      `expected as many estimates as true subspaces, got ${estimates.length}, ${K}.`,
    );
  }
  // The common part of two subspaces orders pairs well enough; only the errors reported need the accuracy of angles.
  const cost = new Float64Array(K * K);
  truth.forEach((u, i) => estimates.forEach((v, j) => (cost[i * K + j] = roughDistance(u, v))));
  const estimateOf = optimalAssignment(tensor('float64', [K, K], cost)).columns;
  const errors = Float64Array.from(truth, (u, i) =>
    subspaceDistance(estimates[estimateOf[i] as number] as Tensor<'float64'>, u),
  );
  return { estimateOf, errors, worst: Math.max(...errors), total: Math.hypot(...errors) };
}

/** |P_u - P_v|_F^2 = k + l - 2 |U V^T|_F^2, to about eps. */
function roughDistance(u: Tensor<'float64'>, v: Tensor<'float64'>): number {
  const common = matmul(u, v, { transposeB: true }).data.reduce((sum, c) => sum + c * c, 0);
  return (u.shape[0] as number) + (v.shape[0] as number) - 2 * common;
}
