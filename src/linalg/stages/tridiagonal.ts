import type { Pointer, Workspace } from '../kernels/workspace.ts';
import { householder } from './reflectors.ts';

/** A symmetric tridiagonal matrix: `d` its diagonal, `e[i]` the element between i and i + 1. */
export interface Tridiagonal {
  readonly d: Float64Array;
  readonly e: Float64Array;
}

/**
 * Householder reduction T = Q^T A Q of a symmetric matrix, from the last row up, Q = H_{n-1} ... H_1.
 * Only the lower triangle is read; row i of A is left holding the vector of H_i in its elements [0, i).
 * @param a  [n, n] row-major, overwritten
 * @returns T and the factors `tau` of H_1 ... H_{n-1}
 */
export function tridiagonalize(workspace: Workspace, a: Pointer, n: number): Tridiagonal & { tau: Float64Array } {
  const d = new Float64Array(n);
  const e = new Float64Array(Math.max(0, n - 1));
  const tau = new Float64Array(Math.max(0, n - 1));
  workspace.scope(() => {
    let v = workspace.allocate(n);
    let w = workspace.allocate(n);
    let y = workspace.allocate(n);
    for (let i = n - 1; i >= 1; i--) {
      const rowAt = a + 8 * i * n;
      const row = workspace.view(rowAt, i + 1);
      // What the step before left to do on this row; the pass below does the rows above it.
      const [vRow, wRow] = [workspace.view(v, i + 1), workspace.view(w, i + 1)];
      const [vi, wi] = [vRow[i] as number, wRow[i] as number];
      for (let j = 0; j <= i; j++) row[j] = (row[j] as number) - vi * (wRow[j] as number) - wi * (vRow[j] as number);
      d[i] = row[i] as number;
      const h = householder(row[i - 1] as number, squares(row, i - 1));
      for (let j = 0; j < i - 1; j++) row[j] = (row[j] as number) * h.scale;
      row[i - 1] = 1;
      e[i - 1] = h.beta;
      tau[i - 1] = h.tau;
      workspace.view(y, i).fill(0);
      workspace.kernels.tridiagonalPass(i, a, n, v, w, rowAt, y);
      toUpdate(workspace.view(y, i), row, h.tau);
      [v, w, y] = [rowAt, y, w];
    }
    if (n > 0) d[0] = workspace.view(a, 1)[0] as number;
  });
  return { d, e, tau };
}

function squares(x: Float64Array, end: number): number {
  let sum = 0;
  for (let j = 0; j < end; j++) sum += (x[j] as number) ** 2;
  return sum;
}

// y = A p becomes w of the rank-2 update H A H = A - p w^T - w p^T: w = tau (y - tau/2 <y, p> p).
function toUpdate(y: Float64Array, p: Float64Array, tau: number): void {
  let inner = 0;
  for (let j = 0; j < y.length; j++) inner += (y[j] as number) * (p[j] as number);
  const half = (tau / 2) * inner;
  for (let j = 0; j < y.length; j++) y[j] = tau * ((y[j] as number) - half * (p[j] as number));
}
