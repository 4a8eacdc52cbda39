import type { RotatedRows } from './ql.ts';

/** One eigenpair of the two halves: its row, eigenvalue, and the row's part in the rank-one coupling. */
interface Pair {
  readonly row: number;
  readonly value: number;
  readonly z: number;
}

/** The rank-one problem diag(values) + rho z z^T after taking out the pairs that the coupling leaves as they are. */
export interface Deflated {
  /** Pairs still coupled, values strictly ascending. */
  readonly kept: readonly Pair[];
  /** Pairs that are eigenpairs of the merged matrix already. */
  readonly dropped: readonly Pair[];
  readonly rho: number;
  /** Order of `kept` by where its rows are non-zero: `upper` in the first half only, then `both`, then the second half only. */
  readonly groups: { readonly order: Int32Array; readonly upper: number; readonly both: number };
}

const UPPER = 0;
const BOTH = 1;
const LOWER = 2;

/**
 * Deflation of diag(d) + rho z z^T: negligible z_i are dropped, and of two values too close one is decoupled by a rotation of its rows.
 * Both change the matrix by at most 8 eps max(|d|, |z|).
 * @param d     eigenvalues of the halves, each half ascending
 * @param half  size of the first half
 * @param rows  eigenvectors, rotated along
 * @source LAPACK dlaed2
 */
export function deflate(d: Float64Array, z: Float64Array, rho: number, half: number, rows: RotatedRows): Deflated {
  const n = d.length;
  const order = Array.from(d.keys()).sort((i, j) => (d[i] as number) - (d[j] as number) || i - j);
  const tolerance =
    8 * Number.EPSILON * d.reduce((most, x, i) => Math.max(most, Math.abs(x), Math.abs(z[i] as number)), 0);
  const side = Int32Array.from({ length: n }, (_, i) => (i < half ? UPPER : LOWER));
  const kept: Pair[] = [];
  const dropped: Pair[] = [];
  let pending: Pair | undefined;
  for (const row of order) {
    const next: Pair = { row, value: d[row] as number, z: z[row] as number };
    if (rho * Math.abs(next.z) <= tolerance) {
      dropped.push(next);
      continue;
    }
    if (pending === undefined) {
      pending = next;
      continue;
    }
    const length = Math.hypot(pending.z, next.z);
    const c = next.z / length;
    const s = -pending.z / length;
    const gap = next.value - pending.value;
    if (Math.abs(gap * c * s) > tolerance) {
      kept.push(pending);
      pending = next;
      continue;
    }
    rotatePair(rows, pending.row, row, c, s);
    if (side[pending.row] !== side[row]) side[row] = BOTH;
    dropped.push({ row: pending.row, value: pending.value * c * c + next.value * s * s, z: 0 });
    pending = { row, value: pending.value * s * s + next.value * c * c, z: length };
  }
  if (pending !== undefined) kept.push(pending);
  return { kept, dropped, rho, groups: group(kept, side) };
}

function group(kept: readonly Pair[], side: Int32Array): Deflated['groups'] {
  const of = (which: number): number[] => Array.from(kept.keys()).filter((i) => side[(kept[i] as Pair).row] === which);
  const [upper, both] = [of(UPPER), of(BOTH)];
  return { order: Int32Array.from([...upper, ...both, ...of(LOWER)]), upper: upper.length, both: both.length };
}

// Rows p and q become c p + s q and c q - s p.
function rotatePair({ data, offset, stride, columns }: RotatedRows, p: number, q: number, c: number, s: number): void {
  const at = offset + p * stride;
  const to = offset + q * stride;
  for (let j = 0; j < columns; j++) {
    const f = data[at + j] as number;
    const g = data[to + j] as number;
    data[at + j] = c * f + s * g;
    data[to + j] = c * g - s * f;
  }
}
