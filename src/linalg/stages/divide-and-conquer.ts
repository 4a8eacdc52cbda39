import type { Block, Pointer, Workspace } from '../kernels/workspace.ts';
import { deflate } from './deflation.ts';
import type { Deflated } from './deflation.ts';
import { tridiagonalQl } from './ql.ts';
import { secularRoot } from './secular.ts';
import type { Tridiagonal } from './tridiagonal.ts';

/** Blocks of at most this size are solved by QL. */
const LEAF = 32;

interface Solver {
  readonly workspace: Workspace;
  readonly n: number;
  readonly d: Float64Array;
  readonly e: Float64Array;
  /** Eigenvectors so far, block by block, one a row. */
  readonly vectors: Pointer;
  /** Scratch of n^2 elements each: merged rows, secular eigenvectors, gathered rows. */
  readonly merged: Pointer;
  readonly secular: Pointer;
  readonly gathered: Pointer;
}

/**
 * Eigenvalues (ascending, left in `d`) and eigenvectors of a symmetric tridiagonal matrix of norm about 1, by divide and conquer.
 * Orthogonal to working accuracy whatever the clustering: the vectors belong exactly to a nearby rank-one problem.
 * @returns row i of the [n, n] matrix at the pointer is eigenvector i; the caller's scope owns it
 * @source Cuppen 1981; Gu and Eisenstat 1995 (exact vectors of a nearby problem); LAPACK dstedc, dlaed1-4
 */
export function divideAndConquer(workspace: Workspace, { d, e }: Tridiagonal): Pointer {
  const n = d.length;
  const vectors = workspace.allocate(n * n);
  workspace.scope(() => {
    const [merged, secular, gathered] = [0, 0, 0].map(() => workspace.allocate(n * n)) as [Pointer, Pointer, Pointer];
    solve({ workspace, n, d, e, vectors, merged, secular, gathered }, 0, n);
  });
  return vectors;
}

function solve(solver: Solver, from: number, to: number): void {
  const { workspace, n, d, e } = solver;
  if (to - from <= LEAF) {
    solveLeaf(solver, from, to);
    return;
  }
  const middle = from + ((to - from) >> 1);
  const beta = e[middle - 1] as number;
  const rho = Math.abs(beta);
  d[middle - 1] = (d[middle - 1] as number) - rho;
  d[middle] = (d[middle] as number) - rho;
  solve(solver, from, middle);
  solve(solver, middle, to);
  // T = diag(T1, T2) + rho u u^T, u = last axis of T1 and (signed) first axis of T2; z = u in the basis of eigenvectors, norm 1.
  const size = to - from;
  const z = new Float64Array(size);
  const all = workspace.view(solver.vectors, n * n);
  const sign = beta < 0 ? -Math.SQRT1_2 : Math.SQRT1_2;
  for (let i = from; i < middle; i++) z[i - from] = (all[i * n + middle - 1] as number) * Math.SQRT1_2;
  for (let i = middle; i < to; i++) z[i - from] = (all[i * n + middle] as number) * sign;
  const rows = { data: all, offset: from * n + from, stride: n, columns: size };
  const deflated = deflate(d.subarray(from, to), z, 2 * rho, middle - from, rows);
  merge(solver, from, middle, to, deflated);
}

function solveLeaf({ workspace, n, d, e, vectors }: Solver, from: number, to: number): void {
  const size = to - from;
  const data = workspace.view(vectors, n * n);
  const offset = from * n + from;
  for (let i = 0; i < size; i++) data[offset + i * n + i] = 1;
  const values = d.slice(from, to);
  tridiagonalQl({ d: values, e: e.slice(from, to - 1) }, { data, offset, stride: n, columns: size });
  const order = Array.from(values.keys()).sort((i, j) => (values[i] as number) - (values[j] as number));
  const rows = order.map((i) => data.slice(offset + i * n, offset + i * n + size));
  rows.forEach((row, i) => data.set(row, offset + i * n));
  order.forEach((from2, i) => (d[from + i] = values[from2] as number));
}

// Turns the two solved halves and the deflated rank-one problem into the sorted eigenpairs of the whole block.
function merge(solver: Solver, from: number, middle: number, to: number, deflated: Deflated): void {
  const { workspace, n, d } = solver;
  const size = to - from;
  const { kept, dropped } = deflated;
  const all = workspace.view(solver.vectors, n * n);
  const merged = workspace.view(solver.merged, n * n);
  const roots = secularVectors(solver, deflated);
  rotateIntoBasis(solver, from, middle, to, deflated);
  const block = from * n + from;
  dropped.forEach(({ row }, i) => {
    merged.set(all.subarray(block + row * n, block + row * n + size), (kept.length + i) * size);
  });
  const values = [...roots, ...dropped.map((p) => p.value)];
  const order = Array.from(values.keys()).sort((i, j) => (values[i] as number) - (values[j] as number) || i - j);
  order.forEach((source, i) => {
    d[from + i] = values[source] as number;
    all.set(merged.subarray(source * size, (source + 1) * size), block + i * n);
  });
}

// Eigenvectors of diag(poles) + rho z z^T as rows of `secular`, columns grouped as `deflated.groups` says; returns the roots.
function secularVectors({ workspace, secular }: Solver, { kept, rho, groups }: Deflated): Float64Array {
  const k = kept.length;
  const poles = Float64Array.from(kept, (p) => p.value);
  const weights = Float64Array.from(kept, (p) => p.z * p.z);
  const rows = Array.from({ length: k }, (_, j) => workspace.view(secular + 8 * j * k, k));
  const roots = Float64Array.from(rows, (row, j) => secularRoot({ poles, weights, rho }, j, row));
  // The z for which the computed roots are exact (Loewner's formula): its vectors are orthogonal however the roots were rounded.
  const exact = new Float64Array(k).fill(1);
  rows.forEach((row, j) => {
    const pole = poles[j] as number;
    for (let i = 0; i < k; i++) {
      exact[i] =
        (exact[i] as number) * (i === j ? (row[i] as number) : (row[i] as number) / ((poles[i] as number) - pole));
    }
  });
  for (let i = 0; i < k; i++)
    exact[i] = Math.sign((kept[i] as { z: number }).z) * Math.sqrt(Math.abs(exact[i] as number));
  const vector = new Float64Array(k);
  for (const row of rows) {
    let norm = 0;
    for (let i = 0; i < k; i++) {
      const x = (exact[i] as number) / (row[i] as number);
      vector[i] = x;
      norm += x * x;
    }
    const scale = 1 / Math.sqrt(norm);
    groups.order.forEach((i, g) => (row[g] = (vector[i] as number) * scale));
  }
  return roots;
}

// merged [k, size] = secular vectors times the kept rows; rows that live in one half only are multiplied in that half only.
function rotateIntoBasis(solver: Solver, from: number, middle: number, to: number, { kept, groups }: Deflated): void {
  const { workspace, n } = solver;
  const k = kept.length;
  const size = to - from;
  const all = workspace.view(solver.vectors, n * n);
  workspace.view(solver.merged, k * size).fill(0);
  const halves = [
    { first: 0, end: groups.upper + groups.both, start: from, stop: middle },
    { first: groups.upper, end: k, start: middle, stop: to },
  ];
  for (const { first, end, start, stop } of halves) {
    const width = stop - start;
    const gathered = workspace.view(solver.gathered, (end - first) * width);
    for (let g = first; g < end; g++) {
      const row = from + (kept[groups.order[g] as number] as { row: number }).row;
      gathered.set(all.subarray(row * n + start, row * n + stop), (g - first) * width);
    }
    const factor: Block = { at: solver.secular + 8 * first, stride: k };
    const target: Block = { at: solver.merged + 8 * (start - from), stride: size };
    workspace.gemm([k, width, end - first], 1, factor, { at: solver.gathered, stride: width }, target);
  }
}
