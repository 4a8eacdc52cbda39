import { DomainError, ShapeError } from '../errors/errors.ts';
import { showShape, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { matmul } from './matmul.ts';
import { checkMatrix } from './stages/prepare.ts';
import { singularValues } from './svd.ts';

/** Rows further than this from orthonormal are refused: the angles would mean nothing. */
const ORTHONORMAL = 1e-6;

/**
 * Principal angles between the row spaces of two orthonormal bases, ascending.
 * Large angles come from cosines (singular values of U V^T), small ones from sines (those of V - V U^T U), so both are accurate.
 * @param u  [k, n], orthonormal rows; not consumed
 * @param v  [l, n], orthonormal rows; not consumed
 * @returns [min(k, l)] radians in [0, pi / 2]
 * @throws ShapeError if n differs; DomainError if rows are not orthonormal to 1e-6; NumericalError on NaN or infinity
 * @precision absolute, a small multiple of n eps
 * @source Bjorck and Golub 1973
 */
export function principalAngles(u: Tensor<'float64'>, v: Tensor<'float64'>): Float64Array {
  assertOrthonormal(u);
  assertOrthonormal(v);
  if (u.shape[1] !== v.shape[1]) {
    throw new ShapeError(
      'principalAngles',
      `expected rows of equal length, got ${showShape(u.shape)} and ${showShape(v.shape)}.`,
    );
  }
  const [large, small] = (u.shape[0] as number) >= (v.shape[0] as number) ? [u, v] : [v, u];
  const overlap = matmul(small, large, { transposeB: true });
  const projected = matmul(overlap, large);
  const rest = tensor(
    'float64',
    small.shape,
    small.data.map((x, i) => x - (projected.data[i] as number)),
  );
  const cosines = singularValues(overlap);
  const sines = singularValues(rest).reverse();
  return cosines.map((cosine, i) => {
    const sine = sines[i] ?? 0;
    return cosine > sine ? Math.asin(Math.min(1, sine)) : Math.acos(Math.min(1, cosine));
  });
}

/**
 * Distance of two row spaces as the Frobenius norm of the difference of their projectors, |P_u - P_v|_F.
 * Equals sqrt(2 sum sin^2 angle_i + |k - l|): 0 for equal spaces, sqrt(k + l) for orthogonal ones; computed from the angles, so it is
 * accurate near 0, where the difference of projectors would cancel.
 * @param u  [k, n], orthonormal rows
 * @param v  [l, n], orthonormal rows
 * @throws as `principalAngles`
 */
export function subspaceDistance(u: Tensor<'float64'>, v: Tensor<'float64'>): number {
  const squares = principalAngles(u, v).reduce((sum, angle) => sum + Math.sin(angle) ** 2, 0);
  return Math.sqrt(2 * squares + Math.abs((u.shape[0] as number) - (v.shape[0] as number)));
}

function assertOrthonormal(x: Tensor<'float64'>): void {
  const [k] = checkMatrix('principalAngles', x);
  const gram = matmul(x, x, { transposeB: true }).data;
  const worst = gram.reduce((most, g, i) => Math.max(most, Math.abs(g - (i % (k + 1) === 0 ? 1 : 0))), 0);
  if (worst > ORTHONORMAL) {
    throw new DomainError(
      'principalAngles',
      `expected orthonormal rows, got |Q Q^T - I| = ${worst}. Call orthonormalRows first.`,
    );
  }
}
