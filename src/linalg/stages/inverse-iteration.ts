import { normal, randomKey } from '../../tensor/random.ts';

/** Solves with the same shift; two reach rounding wherever values stand apart, the third is for clusters. */
const SOLVES = 3;

/**
 * Singular vectors of an upper bidiagonal matrix B for some of its singular values, by inverse iteration on the symmetric tridiagonal
 * matrix with zero diagonal and off-diagonal d_1, e_1, d_2, ..., whose eigenvector of s is (v_1, u_1, v_2, u_2, ...).
 * Vectors are orthogonalised against those before them, so that clusters come out as orthonormal bases of their spaces.
 * @param d       diagonal [n]
 * @param e       superdiagonal [n - 1]
 * @param values  singular values of B, to full precision
 * @returns rows u_i and v_i, each [n] and of unit length
 * @source Golub and Van Loan, Matrix Computations, 8.6.1; LAPACK dstein, dbdsvdx
 */
export function bidiagonalVectors(
  d: Float64Array,
  e: Float64Array,
  values: Float64Array,
): { u: Float64Array[]; v: Float64Array[] } {
  const n = d.length;
  const off = Float64Array.from({ length: 2 * n - 1 }, (_, i) => (i % 2 === 0 ? d[i / 2] : e[(i - 1) / 2]) as number);
  const norm = off.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  const found = { u: [] as Float64Array[], v: [] as Float64Array[] };
  for (const [k, s] of values.entries()) {
    const start = normal(randomKey(k, 'inverse iteration'), [2 * n]).data;
    let z = start;
    for (let solve = 0; solve < SOLVES; solve++) {
      z = solveShifted(off, s, norm, z);
      const [u, v] = [z.filter((_, i) => i % 2 === 1), z.filter((_, i) => i % 2 === 0)];
      orthonormalise(u, found.u);
      orthonormalise(v, found.v);
      z = Float64Array.from(z, (_, i) => (i % 2 === 0 ? v[i / 2] : u[(i - 1) / 2]) as number);
    }
    found.u.push(z.filter((_, i) => i % 2 === 1));
    found.v.push(z.filter((_, i) => i % 2 === 0));
  }
  return found;
}

/** Solves (T - s I) z = b by elimination with row exchanges; pivots that vanish are replaced by eps times the norm. */
function solveShifted(off: Float64Array, s: number, norm: number, b: Float64Array): Float64Array {
  const n = b.length;
  const least = Number.EPSILON * (norm || 1);
  // Rows of U: diagonal, first and second superdiagonal. The current row is (p, q, 0) with right-hand side r.
  const [diagonal, first, second] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const right = b.slice();
  let [p, q] = [-s, off[0] ?? 0];
  for (let i = 0; i < n - 1; i++) {
    const below = off[i] as number;
    const next = off[i + 1] ?? 0;
    if (Math.abs(p) >= Math.abs(below)) {
      const pivot = Math.abs(p) < least ? least : p;
      const factor = below / pivot;
      [diagonal[i], first[i], second[i]] = [pivot, q, 0];
      [p, q] = [-s - factor * q, next];
      right[i + 1] = (right[i + 1] as number) - factor * (right[i] as number);
    } else {
      const factor = p / below;
      [diagonal[i], first[i], second[i]] = [below, -s, next];
      [p, q] = [q + factor * s, -factor * next];
      const kept = right[i] as number;
      right[i] = right[i + 1] as number;
      right[i + 1] = kept - factor * (right[i] as number);
    }
  }
  diagonal[n - 1] = Math.abs(p) < least ? least : p;
  for (let i = n - 1; i >= 0; i--) {
    const known = (first[i] as number) * (right[i + 1] ?? 0) + (second[i] as number) * (right[i + 2] ?? 0);
    right[i] = ((right[i] as number) - known) / (diagonal[i] as number);
  }
  return right;
}

/** Makes x orthogonal to unit vectors (twice, against cancellation) and of unit length, in place. */
function orthonormalise(x: Float64Array, basis: readonly Float64Array[]): void {
  scaleToUnit(x);
  for (const q of [...basis, ...basis]) {
    const along = dot(x, q);
    for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) - along * (q[i] as number);
  }
  scaleToUnit(x);
}

function scaleToUnit(x: Float64Array): void {
  const largest = x.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  if (largest === 0) return;
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) / largest;
  const norm = Math.sqrt(dot(x, x));
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) / norm;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
