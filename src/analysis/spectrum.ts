import { ShapeError, throwIfAborted } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { leadingSvd } from '../linalg/svd.ts';
import { leadingTriplets } from '../linalg/triplets.ts';
import type { Triplets } from '../linalg/triplets.ts';
import { sameShape, showShape, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** Leading singular triplets with residuals, bounds and status as `leadingTriplets` defines them. */
export type LeadingTriplets = Pick<
  Triplets,
  'values' | 'left' | 'right' | 'residualLeft' | 'residualRight' | 'bound' | 'status'
>;

/** All singular values of a Jacobian, and its leading triplets with a certificate from the operator itself. */
export interface JacobianSpectrum {
  /** [min(rows, columns)], descending. */
  readonly values: Float64Array;
  /** How far each value may be off if every column is exact to `op.epsilon`: |E|_2 <= |E|_F <= epsilon |J|_F (Weyl). */
  readonly error: number;
  /** Residuals, bounds and status come from products with the operator, not from the matrix. */
  readonly leading: LeadingTriplets;
}

/** Options of `analyzeSpectrum`. */
export interface SpectrumOptions {
  /** Leading triplets, at most min(rows, columns). */
  readonly rank: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** Residuals relative to the largest value that count as converged, unless 16 epsilon of the products is more. */
const TOLERANCE = 1e-4;
const ROUNDING = 16;
/** Left vectors J v / s of smaller values, relative to the largest, carry too much of its rounding. */
const LEAST = 1e-3;

/**
 * Full spectrum of a Jacobian and its certified leading triplets.
 * The matrix gives all values, so that none is missed, and the leading vectors; one forward and one reverse product with the operator
 * measure their residuals. Where the products of a network disagree with each other or with the matrix, the residuals show it; if they
 * are not small, or some of the leading values are next to zero, `leadingTriplets` goes on from there.
 * @param op        the Jacobian by products
 * @param jacobian  [rows, columns], the same as a matrix (`computeJacobian`)
 * @throws ShapeError if the two differ in shape; DomainError if the rank exceeds it; CancelledError
 */
export async function analyzeSpectrum(
  op: LinearOperator,
  jacobian: Tensor<'float64'>,
  { rank, seed, signal }: SpectrumOptions,
): Promise<JacobianSpectrum> {
  if (!sameShape(jacobian.shape, [op.rows, op.columns])) {
    throw new ShapeError('analyzeSpectrum', `expected [${op.rows}, ${op.columns}], got ${showShape(jacobian.shape)}.`);
  }
  const { values, v } = leadingSvd(jacobian, rank);
  throwIfAborted('analyzeSpectrum', signal);
  const leading =
    (await certify(op, jacobian, values, v)) ??
    (await leadingTriplets(op, { rank, seed, start: v, tolerance: TOLERANCE, ...(signal && { signal }) }));
  return { values, error: op.epsilon * Math.hypot(...values), leading };
}

/** The triplets of the matrix with residuals from the operator, or undefined where these are not small or a value is next to zero. */
async function certify(
  op: LinearOperator,
  jacobian: Tensor<'float64'>,
  all: Float64Array,
  vectors: Tensor<'float64'>,
): Promise<LeadingTriplets | undefined> {
  const values = all.slice(0, vectors.shape[0]);
  const largest = values[0] as number;
  if (!(Number(values.at(-1)) > LEAST * largest)) return undefined;
  const right = scaleRows(vectors, signsOf(vectors));
  const left = scaleRows(
    matmul(right, jacobian, { transposeB: true }),
    values.map((s) => 1 / s),
  );
  const [images, back] = await Promise.all([op.apply(right), op.applyTranspose(left)]);
  const residualLeft = distances(images, left, values);
  const residualRight = distances(back, right, values);
  const worst = Math.max(...residualLeft, ...residualRight);
  if (!(worst <= Math.max(TOLERANCE, ROUNDING * op.epsilon) * largest)) return undefined;
  const rounding = 4 * op.epsilon * largest;
  const bound = residualLeft.map((r, i) => Math.hypot(r, residualRight[i] as number) * Math.SQRT1_2 + rounding);
  return { values, left, right, residualLeft, residualRight, bound, status: 'converged' };
}

/** 1 or -1 for each row, so that its element of largest magnitude becomes positive. */
function signsOf(x: Tensor<'float64'>): Float64Array {
  const [count = 0, n = 0] = x.shape;
  return Float64Array.from({ length: count }, (_, i) => {
    const peak = x.data.subarray(i * n, (i + 1) * n).reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
    return peak < 0 ? -1 : 1;
  });
}

function scaleRows(x: Tensor<'float64'>, factors: Float64Array): Tensor<'float64'> {
  const n = x.shape[1] as number;
  const data = x.data.map((value, i) => value * (factors[Math.floor(i / n)] as number));
  return tensor('float64', x.shape, data);
}

/** |a_i - s_i b_i| of rows i. */
function distances(a: FloatTensor, b: Tensor<'float64'>, s: Float64Array): Float64Array {
  const n = b.shape[1] as number;
  return s.map((value, i) => {
    let sum = 0;
    for (let j = i * n; j < (i + 1) * n; j++) sum += ((a.data[j] as number) - value * (b.data[j] as number)) ** 2;
    return Math.sqrt(sum);
  });
}
