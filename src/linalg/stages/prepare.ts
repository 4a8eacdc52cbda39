import { DomainError } from '../../errors/errors.ts';
import { assertFinite, assertShape } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Largest asymmetry, relative to the largest element, that passes as rounding. */
const ASYMMETRY = 1e-8;

/** Power of two that brings the largest element into [0.5, 1), so that squares neither overflow nor vanish; 1 for a zero matrix. */
export function powerOfTwoScale(data: Float64Array): number {
  let largest = 0;
  for (const x of data) largest = Math.max(largest, Math.abs(x));
  if (largest === 0) return 1;
  const exponent = Math.floor(Math.log2(largest)) + 1;
  return 2 ** Math.min(1000, Math.max(-1000, -exponent));
}

/** Checks a finite matrix at a public entry. @returns its rows and columns. @throws ShapeError, NumericalError */
export function checkMatrix(where: string, a: Tensor<'float64'>): [number, number] {
  const { m, n } = assertShape(where, a, 'm n') as { m: number; n: number };
  assertFinite(where, a, 'Look for the first step that makes such values.');
  return [m, n];
}

/** Checks a symmetric matrix. @returns its size. @throws ShapeError, NumericalError, DomainError if it is not symmetric */
export function checkSymmetric(where: string, a: Tensor<'float64'>): number {
  const { n } = assertShape(where, a, 'n n') as { n: number };
  checkMatrix(where, a);
  const x = a.data;
  let [largest, asymmetry, worst] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const lower = x[i * n + j] as number;
      const upper = x[j * n + i] as number;
      largest = Math.max(largest, Math.abs(lower), Math.abs(upper));
      if (Math.abs(lower - upper) > asymmetry) {
        asymmetry = Math.abs(lower - upper);
        worst = i * n + j;
      }
    }
  }
  if (asymmetry > ASYMMETRY * largest) {
    const [i, j] = [Math.floor(worst / n), worst % n];
    throw new DomainError(
      where,
      `expected a symmetric matrix, got ${x[i * n + j]} at [${i}, ${j}] and ${x[j * n + i]} across. Pass (A + A^T) / 2, or use svd.`,
    );
  }
  return n;
}

/** Index of the element of largest magnitude in [from, to), the first of equals. */
export function largestAt(x: Float64Array, from: number, to: number): number {
  let at = from;
  for (let i = from + 1; i < to; i++) if (Math.abs(x[i] as number) > Math.abs(x[at] as number)) at = i;
  return at;
}

/** Indices of `values` in descending order of value, stable. */
export function descendingOrder(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((i, j) => (values[j] as number) - (values[i] as number) || i - j);
}
