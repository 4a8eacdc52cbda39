import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { withWorkspace } from './kernels/workspace.ts';
import { checkMatrix, powerOfTwoScale } from './stages/prepare.ts';
import { applyReflectors, householder } from './stages/reflectors.ts';

/** Thin factorisation A = Q R, r = min(m, n). */
export interface Qr {
  /** [m, r], orthonormal columns. */
  readonly q: Tensor<'float64'>;
  /** [r, n], upper triangular, diagonal >= 0. */
  readonly r: Tensor<'float64'>;
}

/** An orthonormal basis of a row space. */
export interface OrthonormalRows {
  /** [rank, n], orthonormal rows. */
  readonly q: Tensor<'float64'>;
  readonly rank: number;
}

/**
 * Thin QR factorisation by Householder reflections, with a non-negative diagonal of R (unique where A has full column rank).
 * @param a  [m, n]; not consumed
 * @throws ShapeError if not a matrix; NumericalError on NaN or infinity
 * @precision |A - Q R| and |Q^T Q - I| are small multiples of m eps (|A|), whatever the rank
 */
export function qr(a: Tensor<'float64'>): Qr {
  const [m, n] = checkMatrix('qr', a);
  const k = Math.min(m, n);
  const scale = powerOfTwoScale(a.data);
  return withWorkspace((workspace) => {
    const columnsAt = workspace.allocate(m * n);
    const qAt = workspace.allocate(k * m);
    const columns = workspace.view(columnsAt, m * n);
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) columns[j * m + i] = (a.data[i * n + j] as number) * scale;
    const { tau, r } = triangularize(columns, m, n);
    const qRows = workspace.view(qAt, k * m);
    for (let i = 0; i < k; i++) qRows[i * m + i] = (r[i * n + i] as number) < 0 ? -1 : 1;
    applyReflectors(
      workspace,
      { at: qAt, stride: m },
      k,
      { vectors: { at: columnsAt, stride: m }, tau, support: (i) => [i, m] },
      'descending',
    );
    const q = new Float64Array(m * k);
    const rows = workspace.view(qAt, k * m);
    for (let i = 0; i < k; i++) {
      const sign = (r[i * n + i] as number) < 0 ? -1 : 1;
      for (let j = i; j < n; j++) r[i * n + j] = (sign * (r[i * n + j] as number)) / scale;
      for (let j = 0; j < m; j++) q[j * k + i] = rows[i * m + j] as number;
    }
    return { q: tensor('float64', [m, k], q), r: tensor('float64', [k, n], r) };
  });
}

// Householder reduction of n columns of length m; column i is left holding reflector i from element i on.
function triangularize(columns: Float64Array, m: number, n: number): { tau: Float64Array; r: Float64Array } {
  const k = Math.min(m, n);
  const tau = new Float64Array(k);
  const r = new Float64Array(k * n);
  for (let i = 0; i < k; i++) {
    const v = columns.subarray(i * m + i, (i + 1) * m);
    const h = householder(v[0] as number, squaresAfterFirst(v));
    for (let j = 1; j < v.length; j++) v[j] = (v[j] as number) * h.scale;
    v[0] = 1;
    tau[i] = h.tau;
    r[i * n + i] = h.beta;
    for (let j = i + 1; j < n; j++) {
      const x = columns.subarray(j * m + i, (j + 1) * m);
      addScaled(x, v, -h.tau * dot(v, x));
      r[i * n + j] = x[0] as number;
    }
  }
  return { tau, r };
}

/**
 * Orthonormal basis of the span of the rows, in their order: q's first rows span what x's first rows span.
 * Gram-Schmidt, repeated where more than half of a row cancels. A row is dropped if less than `tolerance` times the largest row norm is left of it.
 * @param x  [k, n]; not consumed
 * @param options.tolerance  default max(k, n) eps
 * @returns q [rank, n]; rank 0 for a zero matrix
 * @throws ShapeError if not a matrix; NumericalError on NaN or infinity
 * @precision |Q Q^T - I| within a small multiple of n eps, also for nearly dependent rows
 * @source Giraud, Langou, Rozloznik 2005 ("twice is enough")
 */
export function orthonormalRows(x: Tensor<'float64'>, options: { readonly tolerance?: number } = {}): OrthonormalRows {
  const [k, n] = checkMatrix('orthonormalRows', x);
  const { tolerance = Math.max(k, n) * Number.EPSILON } = options;
  const scale = powerOfTwoScale(x.data);
  const rows = Array.from({ length: k }, (_, i) => x.data.slice(i * n, (i + 1) * n).map((value) => value * scale));
  const largest = rows.reduce((most, row) => Math.max(most, Math.sqrt(dot(row, row))), 0);
  const basis: Float64Array[] = [];
  for (const row of rows) {
    let left = Math.sqrt(dot(row, row));
    // Where at least half of the row is left, cancellation has at most doubled the rounding error of the projection.
    for (let before = Infinity, pass = 0; left < before / 2 && pass < 4; pass++) {
      for (const q of basis) addScaled(row, q, -dot(q, row));
      before = left;
      left = Math.sqrt(dot(row, row));
      if (left <= tolerance * largest) break;
    }
    if (left <= tolerance * largest) continue;
    basis.push(row.map((value) => value / left));
  }
  const q = new Float64Array(basis.length * n);
  basis.forEach((row, i) => q.set(row, i * n));
  return { q: tensor('float64', [basis.length, n], q), rank: basis.length };
}

function squaresAfterFirst(x: Float64Array): number {
  let sum = 0;
  for (let i = 1; i < x.length; i++) sum += (x[i] as number) ** 2;
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) + factor * (source[i] as number);
}
