import { zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { StackedBases } from './loss.ts';
import { addRow } from './product.ts';

/**
 * One step down a gradient on the product of Grassmann manifolds: each block moves against the part of the gradient that turns its
 * subspace, and is made orthonormal again (QR retraction).
 * @param gradient  [R, n], not consumed
 * @returns the moved bases and the norm of the turning part of the gradient before the step
 * @source Absil, Mahony, Sepulchre 2008, Optimization Algorithms on Matrix Manifolds, 3.6 and 4.1
 */
export function retractedStep(
  { rows, ranks }: StackedBases,
  gradient: Tensor<'float64'>,
  rate: number,
): { bases: StackedBases; slope: number } {
  const n = rows.shape[1] as number;
  const next = rows.data.slice();
  const turn = gradient.data.slice();
  let [start, squares] = [0, 0];
  for (const d of ranks) {
    const end = start + d;
    for (let i = start; i < end; i++) {
      // U U^T g from the untouched gradient: the rows of U are orthonormal, so that one pass is exact to rounding.
      for (let j = start; j < end; j++) {
        addRow(turn, i * n, -dot(gradient.data, i * n, rows.data, j * n, n), rows.data, j * n, n);
      }
      squares += dot(turn, i * n, turn, i * n, n);
      addRow(next, i * n, -rate, turn, i * n, n);
    }
    start = end;
  }
  const moved = { shape: rows.shape, dtype: 'float64', data: next } as const;
  start = 0;
  for (const d of ranks) orthonormalize(moved, start, (start += d));
  return { bases: { rows: moved, ranks }, slope: Math.sqrt(squares) };
}

/**
 * An orthonormal basis [R, n] of the span of all blocks; rows that add nothing to those before them become zero.
 */
export function spanOf({ rows }: StackedBases): Tensor<'float64'> {
  const span = { ...zeros('float64', rows.shape), data: rows.data.slice() };
  orthonormalize(span, 0, rows.shape[0] as number);
  return span;
}

/** A unit row of which less than this is left lies in the span of the others up to rounding. */
const NOTHING = 1e-10;

/** Gram-Schmidt in place on rows [start, end), each pass repeated once where much of a row cancels ("twice is enough"). */
function orthonormalize({ shape, data }: Tensor<'float64'>, start: number, end: number): void {
  const n = shape[1] as number;
  for (let i = start; i < end; i++) {
    const before = Math.sqrt(dot(data, i * n, data, i * n, n));
    let left = before;
    for (let pass = 0; pass < 2; pass++) {
      for (let j = start; j < i; j++) addRow(data, i * n, -dot(data, i * n, data, j * n, n), data, j * n, n);
      left = Math.sqrt(dot(data, i * n, data, i * n, n));
      if (left > before / 2) break;
    }
    const factor = left > NOTHING * before ? 1 / left : 0;
    for (let l = i * n; l < (i + 1) * n; l++) data[l] = (data[l] as number) * factor;
  }
}

function dot(a: Float64Array, aAt: number, b: Float64Array, bAt: number, n: number): number {
  let sum = 0;
  for (let l = 0; l < n; l++) sum += (a[aAt + l] as number) * (b[bAt + l] as number);
  return sum;
}
