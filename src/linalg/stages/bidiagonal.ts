import type { Block, Pointer, Workspace } from '../kernels/workspace.ts';
import { householder } from './reflectors.ts';

/** Upper bidiagonal matrix with its reflections: C = P B Q^T, P = H_0 H_1 ..., Q = G_0 G_1 ... */
export interface Bidiagonal {
  /** Diagonal [n] and superdiagonal [n - 1]. */
  readonly d: Float64Array;
  readonly e: Float64Array;
  /** Factors of H_k; its vector stands in column k of C from row k on. */
  readonly tauLeft: Float64Array;
  /** Factors of G_k; its vector is row k of `right`, from element k + 1 on. */
  readonly tauRight: Float64Array;
}

/**
 * Householder bidiagonalisation of a tall matrix, one pass over the memory a step.
 * @param c      [m, n], m >= n, stored column after column (n rows of m), overwritten
 * @param right  [n, n], receives the right reflectors
 * @source Golub and Kahan 1965; single pass after Howell et al. 2008
 */
export function bidiagonalize(workspace: Workspace, c: Pointer, m: number, n: number, right: Block): Bidiagonal {
  const d = new Float64Array(n);
  const e = new Float64Array(Math.max(0, n - 1));
  const tauLeft = new Float64Array(n);
  const tauRight = new Float64Array(Math.max(0, n - 1));
  workspace.scope(() => {
    const zeroRow = workspace.allocate(n);
    let [y, nextY] = [workspace.allocate(n), workspace.allocate(n)];
    const r = workspace.allocate(n);
    let [x, sum] = [workspace.allocate(m), workspace.allocate(m)];
    let [u, v] = [x, zeroRow];
    for (let k = 0; k < n; k++) {
      const at = c + 8 * k * (m + 1);
      const column = workspace.view(at, m - k);
      subtract(column, workspace.view(u + 8 * k, m - k), workspace.view(y + 8 * k, 1)[0] as number);
      subtract(column, workspace.view(x + 8 * k, m - k), workspace.view(v + 8 * k, 1)[0] as number);
      const left = reflect(column);
      d[k] = left.beta;
      tauLeft[k] = left.tau;
      if (k === n - 1) break;
      const rest = n - 1 - k;
      const o = 8 * (k + 1);
      workspace.view(sum + 8 * k, m - k).fill(0);
      const pass = [at + 8 * m, m, u + 8 * k, x + 8 * k, y + o, v + o, at, left.tau, nextY + o, r, sum + 8 * k];
      workspace.kernels.bidiagonalPass(m - k, rest, ...pass);
      const row = workspace.view(r, rest);
      const first = row[0] as number;
      const g = reflect(row);
      e[k] = g.beta;
      tauRight[k] = g.tau;
      v = right.at + 8 * k * right.stride;
      workspace.view(v + o, rest).set(row);
      finishUpdate(
        workspace.view(sum + 8 * k, m - k),
        workspace.view(at + 8 * m, m - k),
        column,
        dot(workspace.view(nextY + o, rest), row),
        { beta: g.beta, scale: 1 / (first - g.beta), tau: g.tau },
      );
      u = at - 8 * k;
      [x, sum] = [sum, x];
      [y, nextY] = [nextY, y];
    }
  });
  return { d, e, tauLeft, tauRight };
}

// Householder vector of x with its first element as pivot, in place.
function reflect(x: Float64Array): { tau: number; beta: number } {
  let squares = 0;
  for (let i = 1; i < x.length; i++) squares += (x[i] as number) ** 2;
  const h = householder(x[0] as number, squares);
  for (let i = 1; i < x.length; i++) x[i] = (x[i] as number) * h.scale;
  x[0] = 1;
  return h;
}

// sum = C r becomes the x of the update C G = C - x v^T after the left reflection: tau ((C r - beta c_1) scale - u <y, v>).
function finishUpdate(
  sum: Float64Array,
  firstColumn: Float64Array,
  u: Float64Array,
  yv: number,
  { beta, scale, tau }: { beta: number; scale: number; tau: number },
): void {
  if (tau === 0) {
    sum.fill(0);
    return;
  }
  for (let i = 0; i < sum.length; i++) {
    sum[i] = tau * (((sum[i] as number) - beta * (firstColumn[i] as number)) * scale - (u[i] as number) * yv);
  }
}

function subtract(target: Float64Array, source: Float64Array, factor: number): void {
  if (factor === 0) return;
  for (let i = 0; i < target.length; i++) target[i] = (target[i] as number) - factor * (source[i] as number);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
