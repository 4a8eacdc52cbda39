import type { LinearOperator } from '../linalg/operator.ts';
import { tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/**
 * P A of an operator A, where P keeps the rows that are flagged and sets the others to 0.
 * @param flags  [rows], 1 kept and 0 dropped
 */
export function maskRows(op: LinearOperator, flags: Uint8Array): LinearOperator {
  return {
    rows: op.rows,
    columns: op.columns,
    epsilon: op.epsilon,
    apply: async (v) => masked(await op.apply(v), flags),
    applyTranspose: (u) => op.applyTranspose(masked(u, flags)),
  };
}

/**
 * (I - A) / sigma of a square operator A: the Jacobian of the noise prediction (x - D(x; sigma)) / sigma.
 * @param sigma  noise level, > 0
 */
export function noiseOperator(op: LinearOperator, sigma: number): LinearOperator {
  const residual = (x: FloatTensor, image: FloatTensor): Tensor<'float64'> =>
    tensor(
      'float64',
      x.shape,
      Float64Array.from(x.data, (v, i) => (v - (image.data[i] as number)) / sigma),
    );
  return {
    rows: op.rows,
    columns: op.columns,
    epsilon: op.epsilon,
    apply: async (v) => residual(v, await op.apply(v)),
    applyTranspose: async (u) => residual(u, await op.applyTranspose(u)),
  };
}

/** A copy of rows [K, n] with the columns that are not flagged set to 0. */
function masked(x: FloatTensor, flags: Uint8Array): Tensor<'float64'> {
  const data = Float64Array.from(x.data, (v, i) => (flags[i % flags.length] === 0 ? 0 : v));
  return tensor('float64', x.shape, data);
}
