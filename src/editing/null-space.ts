import { NumericalError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Directions after a projection. */
export interface Projected {
  /** [K, n] unit rows. */
  readonly vectors: Tensor<'float64'>;
  /** [K], length that the projection left. */
  readonly kept: Float64Array;
  /** Largest |Vb^T v|. */
  readonly orthogonality: number;
}

/** A direction that keeps less than this of its length is one of the null block. */
const LEAST = 1e-6;

/**
 * (I - Vb^T Vb) v for every row, at unit length; projected twice, since once leaves rounding of eps over the length kept.
 * @param rows  [K, n] unit rows
 * @param block  [R, n] orthonormal rows to be free of; undefined for none
 * @throws NumericalError for a row within the block, naming the remedy
 * @source arXiv 2409.02374, algorithm 1, line 6
 */
export function withoutNullBlock(rows: Tensor<'float64'>, block: Tensor<'float64'> | undefined): Projected {
  const [count = 0, n = 0] = rows.shape;
  if (block === undefined) return { vectors: rows, kept: new Float64Array(count).fill(1), orthogonality: 0 };
  const once = normalized(lessBlock(rows, block), count, n);
  const lost = once.lengths.findIndex((length) => !(length > LEAST));
  if (lost >= 0) {
    throw new NumericalError(
      'edit',
      `direction ${lost + 1} lies within the ${block.shape[0]} leading directions of the outside. Lower the null rank or widen the mask.`,
    );
  }
  const { vectors } = normalized(lessBlock(once.vectors, block), count, n);
  const products = matmul(vectors, block, { transposeB: true }).data;
  return { vectors, kept: once.lengths, orthogonality: products.reduce((most, v) => Math.max(most, Math.abs(v)), 0) };
}

function lessBlock(rows: Tensor<'float64'>, block: Tensor<'float64'>): Tensor<'float64'> {
  const parts = matmul(matmul(rows, block, { transposeB: true }), block).data;
  return tensor(
    'float64',
    rows.shape,
    rows.data.map((v, i) => v - (parts[i] as number)),
  );
}

function normalized(
  rows: Tensor<'float64'>,
  count: number,
  n: number,
): { vectors: Tensor<'float64'>; lengths: Float64Array } {
  const lengths = Float64Array.from({ length: count }, (_, k) =>
    Math.sqrt(rows.data.subarray(k * n, (k + 1) * n).reduce((sum, v) => sum + v * v, 0)),
  );
  const data = rows.data.map((v, i) => v / (lengths[Math.floor(i / n)] as number));
  return { vectors: tensor('float64', rows.shape, data), lengths };
}
