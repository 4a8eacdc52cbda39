import { DomainError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { withWorkspace } from './kernels/workspace.ts';
import type { Block, Workspace } from './kernels/workspace.ts';
import { bidiagonalQr } from './stages/bidiagonal-qr.ts';
import { bidiagonalize } from './stages/bidiagonal.ts';
import type { Bidiagonal } from './stages/bidiagonal.ts';
import { checkMatrix, descendingOrder, largestAt, powerOfTwoScale } from './stages/prepare.ts';
import { bidiagonalVectors } from './stages/inverse-iteration.ts';
import { applyReflectors } from './stages/reflectors.ts';
import type { Reflectors } from './stages/reflectors.ts';
import { RotationLog } from './stages/rotation-log.ts';

/** Thin singular value decomposition A = sum_i values[i] u_i v_i^T, r = min(m, n) terms. */
export interface Svd {
  /** [r, m]; row i is the left singular vector u_i. */
  readonly u: Tensor<'float64'>;
  /** [r], descending, >= 0. */
  readonly values: Float64Array;
  /** [r, n]; row i is the right singular vector v_i, its element of largest magnitude (the first of equals) positive. */
  readonly v: Tensor<'float64'>;
}

/**
 * Thin singular value decomposition.
 * Householder bidiagonalisation and implicit QR; the Gram matrix is never formed.
 * @param a  [m, n]; not consumed
 * @returns singular triplets, values descending, vectors as rows, signs fixed
 * @throws ShapeError if not a matrix; NumericalError on NaN or infinity
 * @precision values to a small multiple of max(m, n) eps |A| (absolute), vectors orthonormal to the same
 * @source Golub and Kahan 1965; Demmel and Kahan 1990
 */
export function svd(a: Tensor<'float64'>): Svd {
  const [m, n] = checkMatrix('svd', a);
  return withWorkspace((workspace) => {
    const scale = powerOfTwoScale(a.data);
    const tall = load(workspace, a, scale);
    const { long, short } = tall;
    const right = { at: workspace.allocate(short * short), stride: short };
    const left = { at: workspace.allocate(short * long), stride: long };
    const v = { at: workspace.allocate(short * short), stride: short };
    const b = bidiagonalize(workspace, tall.at, long, short, right);
    diagonalize(workspace, b, left, v);
    applyReflectors(
      workspace,
      left,
      short,
      { vectors: { at: tall.at, stride: long }, tau: b.tauLeft, support: (k) => [k, long] },
      'descending',
    );
    applyReflectors(
      workspace,
      v,
      short,
      { vectors: right, tau: b.tauRight, support: (k) => [k + 1, short] },
      'descending',
    );
    const [leftRows, vRows] = [workspace.view(left.at, short * long), workspace.view(v.at, short * short)];
    const [uRows, rightRows] = m > n ? [leftRows, vRows] : [vRows, leftRows];
    return collect(b.d, uRows, rightRows, m, n, scale);
  });
}

/** All singular values and the leading right vectors. */
export interface LeadingSvd {
  /** [min(m, n)], descending, >= 0. */
  readonly values: Float64Array;
  /** [rank, n]; row i is v_i, orthonormal; its sign is as it comes. */
  readonly v: Tensor<'float64'>;
}

/**
 * All singular values with the right singular vectors of the leading ones, for little more than the values alone.
 * Householder bidiagonalisation, implicit QR for the values, inverse iteration for the vectors.
 * @param a     [m, n]; not consumed
 * @param rank  number of vectors, at most min(m, n)
 * @throws as `svd`, and DomainError on a rank beyond the sizes
 * @precision values as `singularValues`; |A v - s u| within a small multiple of max(m, n) eps |A|, also inside clusters
 * @source Golub and Kahan 1965; LAPACK dbdsvdx
 */
export function leadingSvd(a: Tensor<'float64'>, rank: number): LeadingSvd {
  const [m, n] = checkMatrix('leadingSvd', a);
  if (!Number.isInteger(rank) || rank < 1 || rank > Math.min(m, n)) {
    throw new DomainError('leadingSvd', `expected a whole rank from 1 to ${Math.min(m, n)}, got ${rank}.`);
  }
  return withWorkspace((workspace) => {
    const scale = powerOfTwoScale(a.data);
    const { at, long, short } = load(workspace, a, scale);
    const right = { at: workspace.allocate(short * short), stride: short };
    const { d, e, tauLeft, tauRight } = bidiagonalize(workspace, at, long, short, right);
    const [diagonal, off] = [d.slice(), e.slice()];
    bidiagonalQr(diagonal, off);
    const values = diagonal.map(Math.abs).sort().reverse();
    const { u, v } = bidiagonalVectors(d, e, values.subarray(0, rank));
    // A^T is worked on unless A is tall: then the right vectors are the left ones.
    const rows = { at: workspace.allocate(rank * n), stride: n };
    const target = workspace.view(rows.at, rank * n).fill(0);
    (m > n ? v : u).forEach((vector, i) => target.set(vector, i * n));
    const reflectors: Reflectors =
      m > n
        ? { vectors: right, tau: tauRight, support: (k) => [k + 1, short] }
        : { vectors: { at, stride: long }, tau: tauLeft, support: (k) => [k, long] };
    applyReflectors(workspace, rows, rank, reflectors, 'descending');
    const data = workspace.view(rows.at, rank * n).slice();
    return { values: values.map((s) => s / scale), v: tensor('float64', [rank, n], data) };
  });
}

/**
 * Singular values alone, descending; several times faster than `svd`.
 * @param a  [m, n]; not consumed
 * @returns [min(m, n)], >= 0
 * @throws as `svd`
 * @precision absolute, a small multiple of max(m, n) eps |A|
 */
export function singularValues(a: Tensor<'float64'>): Float64Array {
  checkMatrix('singularValues', a);
  const scale = powerOfTwoScale(a.data);
  const { d, e } = withWorkspace((workspace) => {
    const { at, long, short } = load(workspace, a, scale);
    return bidiagonalize(workspace, at, long, short, { at: workspace.allocate(short), stride: 0 });
  });
  bidiagonalQr(d, e);
  return d
    .map((x) => Math.abs(x) / scale)
    .sort()
    .reverse();
}

// The taller of A and A^T, column after column: a wide or square A is that already (A^T is worked on).
function load(workspace: Workspace, a: Tensor<'float64'>, scale: number): { at: number; long: number; short: number } {
  const [m, n] = a.shape as [number, number];
  const at = workspace.allocate(m * n);
  const target = workspace.view(at, m * n);
  if (m <= n) for (let i = 0; i < m * n; i++) target[i] = (a.data[i] as number) * scale;
  else
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) target[j * m + i] = (a.data[i * n + j] as number) * scale;
  return { at, long: Math.max(m, n), short: Math.min(m, n) };
}

// Turns zeroed U^T and V^T into the singular vectors of the bidiagonal matrix.
function diagonalize(workspace: Workspace, { d, e }: Bidiagonal, left: Block, right: Block): void {
  const n = d.length;
  workspace.scope(() => {
    const logs = {
      left: new RotationLog(workspace, left, n, n),
      right: new RotationLog(workspace, right, n, n),
    };
    for (const block of [left, right]) {
      const rows = workspace.view(block.at, n * block.stride);
      for (let i = 0; i < n; i++) rows[i * block.stride + i] = 1;
    }
    bidiagonalQr(d, e, logs);
    logs.left.flush();
    logs.right.flush();
  });
}

// Orders the triplets, makes the values positive and fixes the signs.
function collect(d: Float64Array, u: Float64Array, v: Float64Array, m: number, n: number, scale: number): Svd {
  const order = descendingOrder(d.map(Math.abs));
  const r = d.length;
  const [left, right] = [new Float64Array(r * m), new Float64Array(r * n)];
  order.forEach((from, i) => {
    const sign = (v[largestAt(v, from * n, from * n + n)] as number) < 0 ? -1 : 1;
    const other = (d[from] as number) < 0 ? -sign : sign;
    for (let j = 0; j < m; j++) left[i * m + j] = other * (u[from * m + j] as number);
    for (let j = 0; j < n; j++) right[i * n + j] = sign * (v[from * n + j] as number);
  });
  const values = Float64Array.from(order, (from) => Math.abs(d[from] as number) / scale);
  return { u: tensor('float64', [r, m], left), values, v: tensor('float64', [r, n], right) };
}
