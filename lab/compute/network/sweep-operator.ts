import type { LinearOperator } from '../../../src/linalg/operator.ts';
import { castFloat, slice, tensor } from '../../../src/tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../../src/tensor/tensor.ts';

/** Leading singular triplets of the Jacobian at one point; while they are sought, as far as they are known. */
export interface TripletEstimate {
  /** [K], descending. */
  readonly values: Float64Array;
  /** [K, D], flat. */
  readonly left: Float64Array;
  /** [K, D], flat. */
  readonly right: Float64Array;
  /** [K]; a singular value lies within bound_i of value i. */
  readonly bound: Float64Array;
}

/** Vectors in one product: with blocks of one size, one graph of each kind is compiled. */
export const BLOCK = 8;

/** An operator that tells the triplets of a sweep of `leadingTriplets` before it is done with them. */
export interface SweepOperator extends LinearOperator {
  /**
   * Triplets from the last block of left vectors u, with v along A^T u; undefined before the first.
   * @param values    the values of the sweep, descending
   * @param residual  largest |A^T u - s v| relative to the largest value
   */
  estimate(values: Float64Array, residual: number): TripletEstimate | undefined;
}

/** The operator with its blocks filled up to one size. */
export function sweepOperator(op: LinearOperator): SweepOperator {
  let last: { readonly left: Tensor<'float64'>; readonly image: Tensor<'float64'> } | undefined;
  return {
    ...op,
    apply: (v) => inBlock((x) => op.apply(x), v),
    applyTranspose: async (u) => {
      const image = await inBlock((x) => op.applyTranspose(x), u);
      last = { left: castFloat(u, 'float64'), image: castFloat(image, 'float64') };
      return image;
    },
    estimate: (values, residual) => {
      if (last === undefined) return undefined;
      const count = values.length;
      const [left, right] = [slice(last.left, 0, count).data.slice(), slice(last.image, 0, count).data.slice()];
      for (let i = 0; i < count; i++) {
        const u = left.subarray(i * op.rows, (i + 1) * op.rows);
        const v = right.subarray(i * op.columns, (i + 1) * op.columns);
        const length = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
        // Signs as in the end: the element of largest magnitude, the first of equals, is positive.
        const sign = v.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0) < 0 ? -1 : 1;
        u.forEach((x, j) => (u[j] = sign * x));
        v.forEach((x, j) => (v[j] = (sign * x) / length));
      }
      // As of finished triplets, with A v = s u, which holds inside the space of the sweep.
      const bound = values.map(() => (residual * Math.SQRT1_2 + 4 * op.epsilon) * (values[0] as number));
      return { values, left, right, bound };
    },
  };
}

async function inBlock(product: (x: FloatTensor) => Promise<FloatTensor>, x: FloatTensor): Promise<FloatTensor> {
  const [count = 0, length = 0] = x.shape;
  if (count >= BLOCK) return product(x);
  const data = new Float64Array(BLOCK * length);
  data.set(x.data);
  const y = await product(tensor('float64', [BLOCK, length], data));
  return slice<'float32' | 'float64'>(y, 0, count) as FloatTensor;
}
