import { matmul } from '../../linalg/matmul.ts';
import { tensor, zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Multiplications below which handing matrices to the WebAssembly kernels costs more than it saves. */
const SMALL = 20_000;

/** A B^T of [m, n] and [r, n]: the coefficients [m, r] of rows in a basis. */
export function coefficients(a: Tensor<'float64'>, b: Tensor<'float64'>): Tensor<'float64'> {
  const [m, n, r] = [a.shape[0] as number, a.shape[1] as number, b.shape[0] as number];
  if (m * n * r > SMALL) return matmul(a, b, { transposeB: true });
  const out = new Float64Array(m * r);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < r; j++) {
      let sum = 0;
      for (let l = 0; l < n; l++) sum += (a.data[i * n + l] as number) * (b.data[j * n + l] as number);
      out[i * r + j] = sum;
    }
  }
  return tensor('float64', [m, r], out);
}

/** A B of [m, r] and [r, n]: the rows with these coefficients. */
export function combination(a: Tensor<'float64'>, b: Tensor<'float64'>): Tensor<'float64'> {
  const [m, r, n] = [a.shape[0] as number, a.shape[1] as number, b.shape[1] as number];
  if (m * n * r > SMALL) return matmul(a, b);
  const out = zeros('float64', [m, n]);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < r; j++) addRow(out.data, i * n, a.data[i * r + j] as number, b.data, j * n, n);
  }
  return out;
}

/** A^T B of [m, r] and [m, n], summed over the rows. */
export function correlation(a: Tensor<'float64'>, b: Tensor<'float64'>): Tensor<'float64'> {
  const [m, r, n] = [a.shape[0] as number, a.shape[1] as number, b.shape[1] as number];
  if (m * n * r > SMALL) return matmul(a, b, { transposeA: true });
  const out = zeros('float64', [r, n]);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < r; j++) addRow(out.data, j * n, a.data[i * r + j] as number, b.data, i * n, n);
  }
  return out;
}

/** Adds `factor` times n numbers of `from` to n numbers of `to`. */
export function addRow(
  to: Float64Array,
  toAt: number,
  factor: number,
  from: Float64Array,
  fromAt: number,
  n: number,
): void {
  for (let l = 0; l < n; l++) to[toAt + l] = (to[toAt + l] as number) + factor * (from[fromAt + l] as number);
}
