import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { matmul } from './matmul.ts';
import type { LinearOperator } from './operator.ts';
import { orthonormalRows } from './qr.ts';

/** A random [k, n] matrix of orthonormal rows. */
export function randomRows(k: number, n: number, seed: number): Tensor<'float64'> {
  return orthonormalRows(normal(randomKey(seed, 'rows'), [k, n])).q;
}

/** U^T diag(values) V for orthonormal rows U [r, m] and V [r, n]. */
export function assemble(u: Tensor<'float64'>, values: ArrayLike<number>, v: Tensor<'float64'>): Tensor<'float64'> {
  const n = v.shape[1] as number;
  const scaled = v.data.map((x, i) => x * (values[Math.floor(i / n)] as number));
  return matmul(u, tensor('float64', v.shape, scaled), { transposeA: true });
}

/** Largest element of |Q Q^T - I|. */
export function orthogonalityError(q: Tensor<'float64'>): number {
  const k = q.shape[0] as number;
  const gram = matmul(q, q, { transposeB: true }).data;
  return gram.reduce((most, x, i) => Math.max(most, Math.abs(x - (i % (k + 1) === 0 ? 1 : 0))), 0);
}

/** Largest difference of two arrays, element by element. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) {
    const gap = Math.abs((a[i] as number) - (b[i] as number));
    most = gap <= most ? most : gap;
  }
  return most;
}

/** A matrix as an operator that counts its products and rounds them to float32 where `epsilon` says so. */
export function countingOperator(
  a: Tensor<'float64'>,
  epsilon: number = Number.EPSILON,
): LinearOperator & { products(): number } {
  const [rows, columns] = a.shape as [number, number];
  let count = 0;
  const round = (x: Tensor<'float64'>): Tensor<'float32'> | Tensor<'float64'> => {
    count += x.shape[0] as number;
    return epsilon > 1e-10 ? castFloat(x, 'float32') : x;
  };
  return {
    rows,
    columns,
    epsilon,
    products: () => count,
    apply: (v) => Promise.resolve(round(matmul(castFloat(v, 'float64'), a, { transposeB: true }))),
    applyTranspose: (u) => Promise.resolve(round(matmul(castFloat(u, 'float64'), a))),
  };
}
