import { DomainError } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { slice } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { sparseRows } from './sparse-rows.ts';
import type { SparseRow, SparseRows } from './sparse-rows.ts';
import { unitRows } from './unit-rows.ts';
import { turn } from './watch.ts';
import type { Watch } from './watch.ts';

/** Options of `tsc`. */
export interface TscOptions extends Watch {
  /** Neighbours of a sample, 1 <= neighbours < N, default 5. */
  readonly neighbours?: number;
}

/** Samples whose products with all others are made at once. */
const BLOCK = 256;

/**
 * Links every sample to those at the smallest angle, the first half of thresholding-based subspace clustering.
 * Unlike matching pursuit it looks at pairs only: robust to noise and to subspaces that intersect, blind to what neighbours say together.
 * @param points  [N, n]; scaled to unit length here; not consumed. Memory grows with N, not N^2
 * @returns weights Z [N, N]: Z_ij = exp(-2 arccos |<x_i, x_j>|) for the `neighbours` largest |<x_i, x_j>| of row i, of equal ones the
 *   lowest index, best first; samples orthogonal to x_i are no neighbours; Z_ii = 0
 * @throws ShapeError, NumericalError on bad points; DomainError on a bad option; CancelledError
 * @source Heckel and Boelcskei 2015, Robust subspace clustering via thresholding, arXiv 1307.4891, section II
 */
export async function tsc(points: Tensor<'float64'>, options: TscOptions = {}): Promise<SparseRows> {
  const { neighbours = 5 } = options;
  const unit = unitRows('tsc', points);
  const [N] = unit.shape as [number, number];
  if (!Number.isInteger(neighbours) || neighbours < 1 || neighbours >= N) {
    throw new DomainError('tsc', `expected whole neighbours from 1 to ${N - 1} for ${N} samples, got ${neighbours}.`);
  }
  const rows: SparseRow[] = [];
  for (let at = 0; at < N; at += BLOCK) {
    await turn('tsc', options, at, N);
    const products = matmul(slice(unit, at, Math.min(N, at + BLOCK)), unit, { transposeB: true });
    for (let i = at; i < Math.min(N, at + BLOCK); i++) {
      rows.push(nearest(products.data.subarray((i - at) * N, (i - at + 1) * N), i, neighbours));
    }
  }
  options.onProgress?.(N, N);
  return sparseRows(rows);
}

/** The largest magnitudes of a row but entry i, best first, by insertion into a short list. */
function nearest(products: Float64Array, i: number, neighbours: number): SparseRow {
  const columns: number[] = [];
  const strengths: number[] = [];
  for (let j = 0; j < products.length; j++) {
    const strength = Math.abs(products[j] as number);
    const full = columns.length === neighbours;
    if (j === i || strength <= 8 * Number.EPSILON || (full && strength <= (strengths[neighbours - 1] as number)))
      continue;
    let place = strengths.length;
    while (place > 0 && (strengths[place - 1] as number) < strength) place--;
    columns.splice(place, 0, j);
    strengths.splice(place, 0, strength);
    if (full) [columns.length, strengths.length] = [neighbours, neighbours];
  }
  return { columns, values: strengths.map((s) => Math.exp(-2 * Math.acos(Math.min(1, s)))) };
}
