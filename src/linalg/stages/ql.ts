import { NumericalError } from '../../errors/errors.ts';
import type { Tridiagonal } from './tridiagonal.ts';

/** Sweeps allowed for one eigenvalue; two are usual. */
const MAX_SWEEPS = 60;
const EPSILON = Number.EPSILON;

/** Rows that are rotated along: element (i, j) at `offset + i * stride + j`. */
export interface RotatedRows {
  readonly data: Float64Array;
  readonly offset: number;
  readonly stride: number;
  readonly columns: number;
}

/**
 * Eigenvalues of a symmetric tridiagonal matrix by implicit QL, left in `d` in no order; `e` is destroyed.
 * @param rows  starts as the identity and ends with eigenvector i in row i
 * @throws NumericalError if one eigenvalue does not settle in 60 sweeps
 * @source Bowdler, Martin, Reinsch, Wilkinson 1968; EISPACK tql2
 */
export function tridiagonalQl({ d, e }: Tridiagonal, rows?: RotatedRows): void {
  const n = d.length;
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i] as number), i < n - 1 ? Math.abs(e[i] as number) : 0);
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; ; sweep++) {
      let m = l;
      while (m < n - 1 && !negligible(d, e, m, sweep > 30 ? norm : 0)) m++;
      if (m === l) break;
      if (sweep === MAX_SWEEPS) {
        throw new NumericalError(
          'tridiagonalQl',
          `expected eigenvalue ${l} to settle in ${MAX_SWEEPS} sweeps, it did not. Report the matrix.`,
        );
      }
      qlSweep(d, e, l, m, rows);
    }
  }
}

// Relative to the neighbours at first, to the whole matrix where that does not end (both are backward stable).
function negligible(d: Float64Array, e: Float64Array, m: number, norm: number): boolean {
  const scale = Math.max(norm, Math.abs(d[m] as number) + Math.abs(d[m + 1] as number));
  return Math.abs(e[m] as number) <= EPSILON * scale;
}

function qlSweep(d: Float64Array, e: Float64Array, l: number, m: number, rows: RotatedRows | undefined): void {
  const [dl, el] = [d[l] as number, e[l] as number];
  const ratio = ((d[l + 1] as number) - dl) / (2 * el);
  const root = Math.hypot(ratio, 1);
  let g = (d[m] as number) - dl + el / (ratio + (ratio < 0 ? -root : root));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const ei = e[i] as number;
    const f = s * ei;
    const b = c * ei;
    const r = Math.sqrt(f * f + g * g);
    if (i < m - 1) e[i + 1] = r;
    if (r === 0) {
      // The chase met a zero and the matrix splits here.
      d[i + 1] = (d[i + 1] as number) - p;
      if (m < e.length) e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = (d[i + 1] as number) - p;
    const t = ((d[i] as number) - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    if (rows) rotate(rows, i, c, s);
  }
  d[l] = dl - p;
  e[l] = g;
  if (m < e.length) e[m] = 0;
}

function rotate({ data, offset, stride, columns }: RotatedRows, i: number, c: number, s: number): void {
  const upper = offset + i * stride;
  const lower = upper + stride;
  for (let j = 0; j < columns; j++) {
    const f = data[upper + j] as number;
    const g = data[lower + j] as number;
    data[lower + j] = s * f + c * g;
    data[upper + j] = c * f - s * g;
  }
}
