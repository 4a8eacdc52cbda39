import { ShapeError, throwIfAborted } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { leadingSvd } from '../linalg/svd.ts';
import { leadingTriplets } from '../linalg/triplets.ts';
import type { Triplets } from '../linalg/triplets.ts';
import { sameShape, showShape } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** All singular values of a Jacobian, and its leading triplets with a certificate from the operator itself. */
export interface JacobianSpectrum {
  /** [min(rows, columns)], descending. */
  readonly values: Float64Array;
  /** How far each value may be off if every column is exact to `op.epsilon`: |E|_2 <= |E|_F <= epsilon |J|_F (Weyl). */
  readonly error: number;
  /** Residuals, bounds and status come from products with the operator, not from the matrix. */
  readonly leading: Triplets;
}

/** Options of `analyzeSpectrum`. */
export interface SpectrumOptions {
  /** Leading triplets, at most min(rows, columns). */
  readonly rank: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Full spectrum of a Jacobian and its certified leading triplets.
 * The matrix gives all values and a start; from there a few products with the operator confirm or improve the leading vectors. Where
 * forward and reverse products of a network disagree, the residuals show it.
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
  const watch = { rank, seed, ...(signal && { signal }) };
  const { values, v } = leadingSvd(jacobian, rank);
  throwIfAborted('analyzeSpectrum', signal);
  const leading = await leadingTriplets(op, { ...watch, start: v });
  return { values, error: op.epsilon * Math.hypot(...values), leading };
}
