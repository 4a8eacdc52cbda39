import { ShapeError } from '../errors/errors.ts';
import { assertShape, showShape, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { withWorkspace } from './kernels/workspace.ts';

/** Which factors enter transposed. */
export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * Matrix product op(A) op(B) in float64.
 * @param a  [m, k], or [k, m] with `transposeA`; not consumed
 * @param b  [k, n], or [n, k] with `transposeB`; not consumed
 * @returns [m, n]
 * @throws ShapeError if the inner sizes differ
 * @precision k eps |A| |B| elementwise; the order of summation is fixed, so equal input gives equal bits. NaN and infinity pass through
 */
export function matmul(a: Tensor<'float64'>, b: Tensor<'float64'>, options: MatmulOptions = {}): Tensor<'float64'> {
  const { transposeA = false, transposeB = false } = options;
  assertShape('matmul', a, 'm k');
  assertShape('matmul', b, 'k n');
  const [aRows, aColumns] = a.shape as [number, number];
  const [bRows, bColumns] = b.shape as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (inner !== k) {
    const shapes = `${showShape(a.shape)}${transposeA ? '^T' : ''} and ${showShape(b.shape)}${transposeB ? '^T' : ''}`;
    throw new ShapeError('matmul', `expected equal inner sizes, got ${shapes}.`);
  }
  return withWorkspace((workspace) => {
    const aAt = workspace.allocate(a.data.length);
    const bAt = workspace.allocate(b.data.length);
    const cAt = workspace.allocate(m * n);
    workspace.view(aAt, a.data.length).set(a.data);
    workspace.view(bAt, b.data.length).set(b.data);
    const left = { at: aAt, stride: aColumns, transposed: transposeA };
    workspace.gemm([m, n, k], 1, left, { at: bAt, stride: bColumns, transposed: transposeB }, { at: cAt, stride: n });
    return tensor('float64', [m, n], workspace.view(cAt, m * n).slice());
  });
}
