import { NumericalError, ShapeError } from '../../errors/errors.ts';
import { assertFinite, showShape } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** A pairing of rows with columns. */
export interface OptimalAssignment {
  /** [rows]; column of each row, -1 for rows left over where there are fewer columns. */
  readonly columns: Int32Array;
  /** Sum of the costs of the pairs. */
  readonly cost: number;
}

/**
 * Pairing of rows with distinct columns of least total cost (Hungarian algorithm with potentials, shortest augmenting paths).
 * @param cost  [R, C], finite, any sign; min(R, C) pairs are made; not consumed
 * @throws ShapeError if not a matrix; NumericalError on NaN or infinity
 * @precision exact up to the rounding of sums of costs; O(min^2 max) operations
 * @source Kuhn 1955; Jonker and Volgenant 1987
 */
export function optimalAssignment(cost: Tensor<'float64'>): OptimalAssignment {
  if (cost.shape.length !== 2) {
    throw new ShapeError('optimalAssignment', `expected a matrix [R, C], got ${showShape(cost.shape)}.`);
  }
  assertFinite('optimalAssignment', cost, 'Give a large finite cost to pairs that must not be.');
  const [R, C] = cost.shape as [number, number];
  const at = (i: number, j: number): number => cost.data[i * C + j] as number;
  const columns = new Int32Array(R).fill(-1);
  if (R <= C) {
    pairRows(R, C, at).forEach((i, j) => i >= 0 && (columns[i] = j));
  } else pairRows(C, R, (j, i) => at(i, j)).forEach((j, i) => (columns[i] = j));
  const total = columns.reduce((sum, j, i) => sum + (j < 0 ? 0 : at(i, j)), 0);
  return { columns, cost: total };
}

/** @returns the row of each column, -1 where it has none; R <= C */
function pairRows(R: number, C: number, cost: (i: number, j: number) => number): Int32Array {
  const rowPotential = new Float64Array(R);
  const columnPotential = new Float64Array(C);
  const rowOf = new Int32Array(C).fill(-1);
  for (let first = 0; first < R; first++) {
    const slack = new Float64Array(C).fill(Infinity);
    const from = new Int32Array(C).fill(-1); // column before this one on the shortest path
    const done = new Uint8Array(C);
    let [row, column] = [first, -1];
    for (;;) {
      let [least, next] = [Infinity, -1];
      for (let j = 0; j < C; j++) {
        if (done[j] === 1) continue;
        const reduced = cost(row, j) - (rowPotential[row] as number) - (columnPotential[j] as number);
        if (reduced < (slack[j] as number)) {
          slack[j] = reduced;
          from[j] = column;
        }
        if ((slack[j] as number) < least) [least, next] = [slack[j] as number, j];
      }
      if (next < 0)
        throw new NumericalError('optimalAssignment', 'expected costs whose sums are finite. Rescale them.');
      (rowPotential[first] as number) += least;
      for (let j = 0; j < C; j++) {
        if (done[j] === 1) {
          (columnPotential[j] as number) -= least;
          (rowPotential[rowOf[j] as number] as number) += least;
        } else (slack[j] as number) -= least;
      }
      done[next] = 1;
      column = next;
      row = rowOf[next] as number;
      if (row < 0) break;
    }
    for (let j = column; j >= 0;) {
      const previous = from[j] as number;
      rowOf[j] = previous < 0 ? first : (rowOf[previous] as number);
      j = previous;
    }
  }
  return rowOf;
}
