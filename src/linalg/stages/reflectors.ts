import type { Block, Workspace } from '../kernels/workspace.ts';

/** Reflectors handled by one block update. */
const BLOCK = 48;

/** Householder reflectors H_k = I - tau_k v_k v_k^T, v_k stored along row k of a matrix and zero outside its support. */
export interface Reflectors {
  readonly vectors: Block;
  readonly tau: Float64Array;
  /** Columns [from, to) where v_k may differ from zero. */
  readonly support: (k: number) => readonly [number, number];
}

/** What makes H x = beta e: the reflector's factor, the new pivot, and the factor that scales x off the pivot (the pivot becomes 1). */
export interface Householder {
  readonly tau: number;
  readonly beta: number;
  readonly scale: number;
}

/**
 * Reflector that takes a vector with this pivot and this sum of squares off the pivot to a multiple of the pivot axis.
 * tau = 0 (no reflection) where nothing stands off the pivot.
 */
export function householder(pivot: number, squaresOff: number): Householder {
  if (squaresOff === 0) return { tau: 0, beta: pivot, scale: 0 };
  const norm = Math.sqrt(pivot * pivot + squaresOff);
  const beta = pivot > 0 ? -norm : norm;
  return { tau: (beta - pivot) / beta, beta, scale: 1 / (pivot - beta) };
}

/**
 * Multiplies the rows of X by all reflectors: X H_0 H_1 ... ('ascending') or X ... H_1 H_0 ('descending').
 * Blocks of reflectors act as I - V^T T V by three matrix products.
 * @source Schreiber and Van Loan 1989, compact WY representation
 */
export function applyReflectors(
  workspace: Workspace,
  x: Block,
  rows: number,
  reflectors: Reflectors,
  order: 'ascending' | 'descending',
): void {
  const count = reflectors.tau.length;
  const starts = Array.from({ length: Math.ceil(count / BLOCK) }, (_, i) => i * BLOCK);
  if (order === 'descending') starts.reverse();
  workspace.scope(() => {
    const width = x.stride;
    const v = { at: workspace.allocate(BLOCK * width), stride: width };
    const t = { at: workspace.allocate(BLOCK * BLOCK), stride: BLOCK };
    const y = { at: workspace.allocate(rows * BLOCK), stride: BLOCK };
    const z = { at: workspace.allocate(rows * BLOCK), stride: BLOCK };
    for (const start of starts) {
      const size = Math.min(BLOCK, count - start);
      const [from, to] = gather(workspace, reflectors, start, size, v);
      const part = { at: v.at + 8 * from, stride: width };
      const xPart = { at: x.at + 8 * from, stride: width };
      blockFactor(workspace, part, to - from, reflectors.tau.subarray(start, start + size), t);
      workspace.view(y.at, rows * BLOCK).fill(0);
      workspace.view(z.at, rows * BLOCK).fill(0);
      workspace.gemm([rows, size, to - from], 1, xPart, { ...part, transposed: true }, y);
      workspace.gemm([rows, size, size], -1, y, { ...t, transposed: order === 'descending' }, z);
      workspace.gemm([rows, to - from, size], 1, z, part, xPart);
    }
  });
}

// Copies reflectors [start, start + size) into V with explicit zeros; returns the columns that they touch together.
function gather(
  w: Workspace,
  { vectors, support }: Reflectors,
  start: number,
  size: number,
  v: Block,
): [number, number] {
  const target = w.view(v.at, size * v.stride).fill(0);
  let [first, last] = support(start);
  for (let k = 0; k < size; k++) {
    const [from, to] = support(start + k);
    const source = w.view(vectors.at + 8 * ((start + k) * vectors.stride + from), to - from);
    target.set(source, k * v.stride + from);
    first = Math.min(first, from);
    last = Math.max(last, to);
  }
  return [first, last];
}

// T (upper triangular) of H_0 ... H_{size-1} = I - V^T T V: column k is -tau_k T V v_k above the diagonal, tau_k on it.
function blockFactor(w: Workspace, v: Block, width: number, tau: Float64Array, t: Block): void {
  const size = tau.length;
  const f = w.view(t.at, BLOCK * BLOCK).fill(0);
  w.gemm([size, size, width], 1, v, { ...v, transposed: true }, t);
  const column = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    for (let i = 0; i < k; i++) {
      let sum = 0;
      for (let j = i; j < k; j++) sum += (f[i * BLOCK + j] as number) * (f[j * BLOCK + k] as number);
      column[i] = -(tau[k] as number) * sum;
    }
    for (let i = 0; i < k; i++) f[i * BLOCK + k] = column[i] as number;
    for (let i = k + 1; i < size; i++) f[i * BLOCK + k] = 0;
    f[k * BLOCK + k] = tau[k] as number;
  }
}
