import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { tracedValue } from '../value.ts';
import { scalar } from './constant.ts';

/**
 * NumPy's product over stacks of matrices; consumes both. Axes of size 1 are put in before anything is transposed: the engine then finds
 * the stored matrix and moves nothing. jax-js's own product hides it, and takes batch axes amiss where the left operand has fewer.
 */
export function matrixProduct(call: OperatorCall, a: JaxArray, b: JaxArray): JaxArray {
  const np = call.jax.numpy;
  const left = a.ndim === 1 ? [1, ...a.shape] : a.shape;
  const right = b.ndim === 1 ? [...b.shape, 1] : b.shape;
  const rank = Math.max(left.length, right.length);
  const ones = (length: number): number[] => Array<number>(rank - length).fill(1);
  const rows = a.reshape([...ones(left.length), ...left.slice(0, -1), 1, ...left.slice(-1)]);
  const columns = b.reshape([...ones(right.length), ...right.slice(0, -2), 1, ...right.slice(-2)]);
  const product = np.vecdot(rows, np.swapaxes(columns, -1, -2));
  if (a.ndim !== 1 && b.ndim !== 1) return product;
  const m = a.ndim === 1 ? [] : left.slice(-2, -1);
  const n = b.ndim === 1 ? [] : right.slice(-1);
  return product.reshape([...product.shape.slice(0, -2), ...m, ...n]);
}

/** alpha A' B' + beta C. */
const gemm: OperatorRule = (call) => {
  const np = call.jax.numpy;
  const [a, b] = [call.array(0), call.array(1)];
  const scaled = (x: JaxArray, name: string): JaxArray => {
    const factor = call.float(name, 1);
    return factor === 1 ? x : x.mul(scalar(call, factor));
  };
  const rows = call.int('transA', 0) === 0 ? np.expandDims(a, 1) : np.swapaxes(np.expandDims(a, 1), 0, 2);
  const columns = call.int('transB', 0) === 0 ? np.swapaxes(np.expandDims(b, 0), 1, 2) : np.expandDims(b, 0);
  const product = scaled(np.vecdot(rows, columns), 'alpha');
  return tracedValue(call.has(2) ? product.add(scaled(call.array(2), 'beta')) : product);
};

/** Products of matrices. */
export const matmulRules: OperatorRules = {
  MatMul: (call) => tracedValue(matrixProduct(call, call.array(0), call.array(1))),
  Gemm: gemm,
};
