import { ShapeError } from '../errors/errors.ts';
import { principalAngles } from '../linalg/angles.ts';
import { matmul } from '../linalg/matmul.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { leadingTriplets } from '../linalg/triplets.ts';
import type { TripletOptions, TripletStatus } from '../linalg/triplets.ts';
import { castFloat, showShape, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** Which basis of a Jacobian is meant: eigenvectors of (J + J^T) / 2 by magnitude, or left or right singular vectors of J. */
export type BasisKind = 'symmetrised' | 'left' | 'right';

/** The kinds by name, the default first. */
export const basisKinds: readonly BasisKind[] = ['symmetrised', 'left', 'right'];

/** The leading basis of a Jacobian. */
export interface LeadingBasis {
  /** [K], descending: singular values, or magnitudes of the eigenvalues of the symmetric part. */
  readonly values: Float64Array;
  /** [K, n], orthonormal rows. */
  readonly vectors: Tensor<'float64'>;
  readonly status: TripletStatus;
  /** Largest residual over the largest value. */
  readonly residual: number;
}

/**
 * The K leading directions of a square operator, of one kind.
 * @throws ShapeError for `symmetrised` where the operator is not square; otherwise as `leadingTriplets`
 * @precision as `leadingTriplets`; where values lie closer than the residual, their vectors may turn within their span
 */
export async function leadingBasis(
  op: LinearOperator,
  { kind, ...options }: TripletOptions & { readonly kind: BasisKind },
): Promise<LeadingBasis> {
  const triplets = await leadingTriplets(kind === 'symmetrised' ? symmetricPart(op) : op, options);
  const { values, left, right, status, residualLeft, residualRight } = triplets;
  const worst = Math.max(...residualLeft, ...residualRight);
  const scale = values[0] as number;
  return { values, vectors: kind === 'left' ? left : right, status, residual: scale > 0 ? worst / scale : 0 };
}

/** (J + J^T) / 2; a product costs one of each kind. */
function symmetricPart(op: LinearOperator): LinearOperator {
  if (op.rows !== op.columns) {
    throw new ShapeError('leadingBasis', `expected a square operator, got ${op.rows} x ${op.columns}.`);
  }
  const apply = async (v: FloatTensor): Promise<Tensor<'float64'>> => {
    const forward = castFloat(await op.apply(v), 'float64');
    const reverse = await op.applyTranspose(v);
    return { ...forward, data: forward.data.map((a, i) => (a + (reverse.data[i] as number)) / 2) };
  };
  return { rows: op.rows, columns: op.columns, epsilon: op.epsilon, apply, applyTranspose: apply };
}

/** How one basis lies to a reference. */
export interface Alignment {
  /** |<u_i, r_i>|, matched by index: 1 if the i-th direction is the reference's own. */
  readonly overlaps: number[];
  /** sqrt(1 - overlap^2), the sine of the angle between u_i and r_i. */
  readonly sines: number[];
  /** |P_R u_i|^2, the share of u_i inside the span of the whole reference. */
  readonly inSpan: number[];
  /** Sines of the principal angles between the two spans, ascending. */
  readonly principalSines: number[];
}

/**
 * Compares a basis with a reference, vector by vector and as subspaces.
 * @param basis      [K, n], orthonormal rows
 * @param reference  [L, n], orthonormal rows; the first min(K, L) of both are matched by index
 * @throws ShapeError, DomainError as `principalAngles`
 * @source arXiv 2410.14730 (sines against time); arXiv 2410.24060 (overlap with the principal components)
 */
export function compareBases(basis: Tensor<'float64'>, reference: Tensor<'float64'>): Alignment {
  const angles = principalAngles(clean(basis), clean(reference));
  const [K, L] = [basis.shape[0] as number, reference.shape[0] as number];
  const products = matmul(basis, reference, { transposeB: true }).data;
  const overlaps = Array.from({ length: Math.min(K, L) }, (_, i) =>
    Math.min(1, Math.abs(products[i * L + i] as number)),
  );
  const inSpan = Array.from({ length: K }, (_, i) =>
    Math.min(
      1,
      products.subarray(i * L, (i + 1) * L).reduce((s, p) => s + p * p, 0),
    ),
  );
  return {
    overlaps,
    sines: overlaps.map((_, i) => sineOf(basis, reference, i)),
    inSpan,
    principalSines: Array.from(angles, Math.sin),
  };
}

/** Vectors of a network's Jacobian come from float32 products: made orthonormal once more, they differ by rounding. */
function clean(x: Tensor<'float64'>): Tensor<'float64'> {
  const { q } = orthonormalRows(x);
  if (q.shape[0] !== x.shape[0]) {
    throw new ShapeError('compareBases', `expected independent rows, got ${showShape(x.shape)} of rank ${q.shape[0]}.`);
  }
  return tensor('float64', x.shape, q.data);
}

/** |u - <u, r> r|, accurate where u and r almost agree. */
function sineOf(u: Tensor<'float64'>, r: Tensor<'float64'>, i: number): number {
  const n = u.shape[1] as number;
  const [a, b] = [u.data.subarray(i * n, (i + 1) * n), r.data.subarray(i * n, (i + 1) * n)];
  const product = a.reduce((s, v, j) => s + v * (b[j] as number), 0);
  return Math.min(1, Math.hypot(...a.map((v, j) => v - product * (b[j] as number))));
}
