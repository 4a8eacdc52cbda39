import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { withWorkspace } from './kernels/workspace.ts';
import type { Pointer, Workspace } from './kernels/workspace.ts';
import { divideAndConquer } from './stages/divide-and-conquer.ts';
import { checkSymmetric, largestAt, powerOfTwoScale } from './stages/prepare.ts';
import { tridiagonalQl } from './stages/ql.ts';
import { applyReflectors } from './stages/reflectors.ts';
import { tridiagonalize } from './stages/tridiagonal.ts';

/** Eigenvalues and eigenvectors of a symmetric matrix. */
export interface SymmetricEigen {
  /** [n], descending. */
  readonly values: Float64Array;
  /** [n, n]; row i is the unit eigenvector of values[i], its element of largest magnitude (the first of equals) positive. */
  readonly vectors: Tensor<'float64'>;
}

/**
 * All eigenvalues and eigenvectors of a symmetric matrix.
 * Householder tridiagonalisation, divide and conquer, blocked back-transformation.
 * @param a  [n, n], symmetric to 1e-8 of its largest element; the lower triangle is used; not consumed
 * @returns values descending and vectors as rows, signs fixed
 * @throws ShapeError if not square; NumericalError on NaN or infinity; DomainError if not symmetric
 * @precision residual |A v - l v| and |V V^T - I| are small multiples of n eps |A|
 * @source Golub and Van Loan, Matrix Computations, 8.3; Gu and Eisenstat 1995
 */
export function eigh(a: Tensor<'float64'>): SymmetricEigen {
  const n = checkSymmetric('eigh', a);
  return withWorkspace((workspace) => {
    const scale = powerOfTwoScale(a.data);
    const reduced = load(workspace, a.data, scale);
    const t = tridiagonalize(workspace, reduced, n);
    const vectors = divideAndConquer(workspace, t);
    applyReflectors(
      workspace,
      { at: vectors, stride: n },
      n,
      { vectors: { at: reduced + 8 * n, stride: n }, tau: t.tau, support: (k) => [0, k + 1] },
      'ascending',
    );
    return descending(t.d, workspace.view(vectors, n * n), scale);
  });
}

/**
 * All eigenvalues of a symmetric matrix, descending, without vectors; several times faster than `eigh`.
 * @param a  [n, n] as for `eigh`; not consumed
 * @throws as `eigh`
 * @precision absolute, a small multiple of n eps |A|
 */
export function eigenvaluesSymmetric(a: Tensor<'float64'>): Float64Array {
  const n = checkSymmetric('eigenvaluesSymmetric', a);
  const scale = powerOfTwoScale(a.data);
  const t = withWorkspace((workspace) => tridiagonalize(workspace, load(workspace, a.data, scale), n));
  tridiagonalQl(t);
  return t.d
    .map((x) => x / scale)
    .sort()
    .reverse();
}

function load(workspace: Workspace, data: Float64Array, scale: number): Pointer {
  const at = workspace.allocate(data.length);
  const copy = workspace.view(at, data.length);
  for (let i = 0; i < data.length; i++) copy[i] = (data[i] as number) * scale;
  return at;
}

// Ascending rows become descending ones with fixed signs.
function descending(ascending: Float64Array, rows: Float64Array, scale: number): SymmetricEigen {
  const n = ascending.length;
  const values = Float64Array.from(ascending, (x) => x / scale).reverse();
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const from = (n - 1 - i) * n;
    const sign = (rows[largestAt(rows, from, from + n)] as number) < 0 ? -1 : 1;
    for (let j = 0; j < n; j++) data[i * n + j] = sign * (rows[from + j] as number);
  }
  return { values, vectors: tensor('float64', [n, n], data) };
}
