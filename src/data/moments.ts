import { sizeOf, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Dataset } from './dataset.ts';

/** Mean and covariance of a data set's flattened samples. */
export interface Moments {
  /** [D] */
  readonly mean: Float64Array;
  /** [D, D], symmetric to the last bit, divided by `count`: the covariance of the samples as a distribution. */
  readonly covariance: Tensor<'float64'>;
  readonly count: number;
}

/** What adds the products of a block of samples to a scatter matrix. */
export interface GramKernel {
  /** Samples in one block of samples of D numbers. */
  readonly block: (D: number) => number;
  /** scatter [D, D] += A A^T for A [D, K], at least in the lower triangle. */
  readonly add: (columns: Float64Array, D: number, K: number, scatter: Float64Array) => void;
}

/** Options of `computeMoments`. */
export interface MomentsOptions {
  /** Default: plain code. `gramKernel` of linalg, which this floor cannot see, is about five times as fast. */
  readonly gram?: GramKernel;
  readonly signal?: AbortSignal;
  /** Called after each block with the samples seen and the samples in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

// 190 is not a power of two: columns would fall on the same cache lines.
const plainGram: GramKernel = { block: () => 190, add: addProducts };

/**
 * Mean and covariance in float64, in one pass.
 * Each block is centred by its own mean and added to the scatter so far with one more row for the shift between the two means.
 * @precision relative to the variances about eps * sqrt(N), however far the mean lies from 0
 * @source Chan, Golub and LeVeque 1983, eq. 1.5, by blocks
 */
export async function computeMoments(dataset: Dataset, options: MomentsOptions = {}): Promise<Moments> {
  const { gram = plainGram, signal, onProgress } = options;
  const D = sizeOf(dataset.sampleShape);
  const mean = new Float64Array(D);
  const scatter = new Float64Array(D * D);
  let n = 0;
  for await (const { x } of dataset.batches({ size: gram.block(D), ...(signal && { signal }) })) {
    const b = x.shape[0] as number;
    const K = n === 0 ? b : b + 1;
    const columns = centredColumns(x.data, b, D, K, mean, n);
    n += b;
    gram.add(columns, D, K, scatter);
    onProgress?.(n, dataset.count);
  }
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) scatter[j * D + i] = scatter[i * D + j] = (scatter[i * D + j] as number) / n;
  }
  return { mean, covariance: tensor('float64', [D, D], scatter), count: n };
}

/** The block's centred columns [D, K], the last entry of each being the shift of means; moves `mean` on. */
function centredColumns(x: Float32Array, b: number, D: number, K: number, mean: Float64Array, n: number): Float64Array {
  const blockMean = new Float64Array(D);
  for (let k = 0, at = 0; k < b; k++) {
    for (let d = 0; d < D; d++, at++) blockMean[d] = (blockMean[d] as number) + (x[at] as number);
  }
  for (let d = 0; d < D; d++) blockMean[d] = (blockMean[d] as number) / b;
  const columns = new Float64Array(D * K);
  // Turned round in squares of a few cache lines each way.
  for (let k0 = 0; k0 < b; k0 += 16) {
    const k1 = Math.min(k0 + 16, b);
    for (let d = 0; d < D; d++) {
      const m = blockMean[d] as number;
      for (let k = k0; k < k1; k++) columns[d * K + k] = (x[k * D + d] as number) - m;
    }
  }
  const weight = Math.sqrt((n * b) / (n + b));
  for (let d = 0; d < D; d++) {
    const shift = (blockMean[d] as number) - (mean[d] as number);
    if (K > b) columns[d * K + b] = weight * shift;
    mean[d] = (mean[d] as number) + (shift * b) / (n + b);
  }
  return columns;
}

/** scatter += A A^T for A [D, K], lower triangle by tiles of 4 x 4 held in registers; tiles on the diagonal are done whole. */
function addProducts(A: Float64Array, D: number, K: number, scatter: Float64Array): void {
  for (let i = 0; i < D; i += 4) {
    for (let j = 0; j <= i; j += 4) {
      if (i + 4 <= D) addTile(A, D, K, i, j, scatter);
      else addEdge(A, D, K, i, j, scatter);
    }
  }
}

function addEdge(A: Float64Array, D: number, K: number, i0: number, j0: number, scatter: Float64Array): void {
  for (let i = i0; i < D; i++) {
    for (let j = j0; j < Math.min(j0 + 4, D); j++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += (A[i * K + k] as number) * (A[j * K + k] as number);
      scatter[i * D + j] = (scatter[i * D + j] as number) + sum;
    }
  }
}

function addTile(A: Float64Array, D: number, K: number, i: number, j: number, scatter: Float64Array): void {
  const [a, b] = [i * K, j * K];
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  let [s20, s21, s22, s23] = [0, 0, 0, 0];
  let [s30, s31, s32, s33] = [0, 0, 0, 0];
  for (let k = 0; k < K; k++) {
    const b0 = A[b + k] as number;
    const b1 = A[b + K + k] as number;
    const b2 = A[b + 2 * K + k] as number;
    const b3 = A[b + 3 * K + k] as number;
    let v = A[a + k] as number;
    s00 += v * b0;
    s01 += v * b1;
    s02 += v * b2;
    s03 += v * b3;
    v = A[a + K + k] as number;
    s10 += v * b0;
    s11 += v * b1;
    s12 += v * b2;
    s13 += v * b3;
    v = A[a + 2 * K + k] as number;
    s20 += v * b0;
    s21 += v * b1;
    s22 += v * b2;
    s23 += v * b3;
    v = A[a + 3 * K + k] as number;
    s30 += v * b0;
    s31 += v * b1;
    s32 += v * b2;
    s33 += v * b3;
  }
  const sums = [s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33];
  for (let t = 0; t < 16; t++) {
    const at = (i + (t >> 2)) * D + j + (t & 3);
    scatter[at] = (scatter[at] as number) + (sums[t] as number);
  }
}
