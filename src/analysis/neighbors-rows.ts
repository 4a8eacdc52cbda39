import type { FloatTensor } from '../tensor/tensor.ts';

/** How distances are measured: Euclidean, or 1 - the cosine of the angle between two samples. */
export type NeighborMetric = 'euclidean' | 'cosine';

/**
 * One picture of both metrics: each row x becomes y = (x - shift) * factor, and half of |y_q - y_b|^2 is what neighbours are ordered by.
 * Euclidean: `shift` lies among the data and `factor` is one power of two, so that float32 neither overflows nor loses digits to a
 * common offset. Cosine: `shift` is 0 and `factor` is 1 / |x|, or 0 for a row of zeros, which is at distance 1 from every row.
 */
export interface RowMap {
  readonly metric: NeighborMetric;
  /** [D] */
  readonly shift: Float64Array;
  /** Of every row where the metric is Euclidean. */
  readonly scale: number;
}

/**
 * The map that suits these queries and some samples of the bank.
 * @param bank  [n, D], from all over the bank
 */
export function rowMap(metric: NeighborMetric, queries: FloatTensor, bank: Float32Array, D: number): RowMap {
  const shift = new Float64Array(D);
  if (metric === 'cosine') return { metric, shift, scale: 1 };
  const n = bank.length / D;
  for (let i = 0; i < bank.length; i++) shift[i % D] = (shift[i % D] as number) + (bank[i] as number) / n;
  const largest = Math.max(largestBeside(shift, queries.data), largestBeside(shift, bank));
  return { metric, shift, scale: largest > 0 ? 2 ** -Math.floor(Math.log2(largest)) : 1 };
}

function largestBeside(shift: Float64Array, x: Float32Array | Float64Array): number {
  let most = 0;
  for (let at = 0; at < x.length; at += shift.length) {
    for (let d = 0; d < shift.length; d++)
      most = Math.max(most, Math.abs((x[at + d] as number) - (shift[d] as number)));
  }
  return most;
}

/** 1 / |x|, or 0 for a row of zeros. */
export function inverseNorm(x: Float32Array | Float64Array, at: number, D: number): number {
  let squares = 0;
  for (let i = at; i < at + D; i++) squares += (x[i] as number) ** 2;
  return squares > 0 ? 1 / Math.sqrt(squares) : 0;
}

/**
 * Maps rows to float32.
 * @param role  what the last column becomes, 1 for queries and -|y|^2 / 2 for the bank, so that the product of a query and a bank row is
 * their score y_q . y_b - |y_b|^2 / 2
 * @param rows  [at least rows of x, D + 1], filled from the start
 * @returns norms |y|, and 1 in the cosine metric even for a row of zeros; NaN or infinite for a row that is not finite
 */
export function prepareRows(
  { metric, shift, scale }: RowMap,
  x: Float32Array | Float64Array,
  role: 'queries' | 'bank',
  rows: Float32Array,
): Float64Array {
  const D = shift.length;
  const norms = new Float64Array(x.length / D);
  for (let r = 0; r < norms.length; r++) {
    const [from, to] = [r * D, r * (D + 1)];
    const factor = metric === 'cosine' ? inverseNorm(x, from, D) : scale;
    let squares = 0;
    for (let d = 0; d < D; d++) {
      const y = ((x[from + d] as number) - (shift[d] as number)) * factor;
      squares += y * y;
      rows[to + d] = y;
    }
    if (metric === 'cosine') squares = squares * 0 + 1; // keeps NaN
    norms[r] = Math.sqrt(squares);
    rows[to + D] = role === 'queries' ? 1 : -squares / 2;
  }
  return norms;
}

/** Unit roundoff of float32. */
const UNIT = 2 ** -24;

/**
 * How far a score in float32 may lie from the exact one, whatever the order of summation: D + 1 products and their sum, and one more
 * rounding in each factor; what underflows; and what the float64 arithmetic around it may lose.
 * @param query  |y_q|
 * @param bank  largest |y_b|
 * @source Higham, Accuracy and Stability of Numerical Algorithms, 2002, eq. 3.5
 */
export function scoreError(D: number, query: number, bank: number): number {
  const gamma = ((D + 4) * UNIT) / (1 - (D + 4) * UNIT);
  const float64 = (D + 4) * Number.EPSILON * (query + bank) ** 2;
  return gamma * (query * bank + (bank * bank) / 2) + float64 + (D + 4) * 2 ** -124;
}
