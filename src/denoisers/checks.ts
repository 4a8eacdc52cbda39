import { DisposedError, DomainError, ShapeError } from '../errors/errors.ts';
import { assertFinite, assertFloat, castFloat, sameShape, showShape, sizeOf } from '../tensor/tensor.ts';
import type { FloatDType, FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { Sigma } from './denoiser.ts';

/** A batch that passed the checks: one flat row and one noise level a sample. */
export interface CheckedBatch<T extends FloatDType> {
  /** [B, dimension]; shares memory with the caller's tensor where the dtype agrees, so never write to it. */
  readonly x: Tensor<T>;
  /** Length B. */
  readonly sigmas: Float64Array;
}

/**
 * Checks and flattens the arguments of `Denoiser.denoise`.
 * @param x  [B, ...sampleShape] with B >= 1
 * @throws ShapeError, DTypeError, DomainError, NumericalError as the contract says
 */
export function checkBatch<T extends FloatDType>(
  where: string,
  x: FloatTensor,
  sigma: Sigma,
  sampleShape: readonly number[],
  dtype: T,
): CheckedBatch<T> {
  assertFloat(where, x);
  const batch = x.shape[0] ?? 0;
  if (batch < 1 || !sameShape(x.shape.slice(1), sampleShape)) {
    throw new ShapeError(where, `expected shape [B >= 1, ${sampleShape.join(', ')}], got ${showShape(x.shape)}.`);
  }
  const sigmas = typeof sigma === 'number' ? new Float64Array(batch).fill(sigma) : sigma;
  if (sigmas.length !== batch) {
    throw new ShapeError(where, `expected one sigma or ${batch}, one a sample, got ${sigmas.length}.`);
  }
  for (const value of sigmas) checkSigma(where, value);
  return { x: flat(where, x, batch, sampleShape, dtype), sigmas };
}

/**
 * Checks and flattens the arguments of `Denoiser.linearize`.
 * @param x  [...sampleShape] or [1, ...sampleShape]
 * @returns [1, dimension]; shares memory with x where the dtype agrees, so copy what an operator keeps
 * @throws ShapeError, DTypeError, DomainError, NumericalError as the contract says
 */
export function checkPoint<T extends FloatDType>(
  where: string,
  x: FloatTensor,
  sigma: number,
  sampleShape: readonly number[],
  dtype: T,
): Tensor<T> {
  assertFloat(where, x);
  if (!sameShape(x.shape, sampleShape) && !sameShape(x.shape, [1, ...sampleShape])) {
    const wanted = sampleShape.join(', ');
    throw new ShapeError(where, `expected shape [${wanted}] or [1, ${wanted}], got ${showShape(x.shape)}.`);
  }
  checkSigma(where, sigma);
  return flat(where, x, 1, sampleShape, dtype);
}

/**
 * Checks a block of vectors handed to a Jacobian.
 * @param v  [K, dimension] with K >= 1
 * @returns v in the given dtype
 * @throws ShapeError, DTypeError, NumericalError
 */
export function checkVectors<T extends FloatDType>(
  where: string,
  v: FloatTensor,
  dimension: number,
  dtype: T,
): Tensor<T> {
  assertFloat(where, v);
  if (v.shape.length !== 2 || v.shape[1] !== dimension || (v.shape[0] as number) < 1) {
    throw new ShapeError(where, `expected shape [K >= 1, ${dimension}], got ${showShape(v.shape)}.`);
  }
  assertFinite(where, v, 'Check the vectors.');
  return castFloat(v, dtype);
}

/** @throws DomainError unless sigma is positive and finite */
export function checkSigma(where: string, sigma: number): void {
  if (!(sigma > 0 && sigma < Infinity)) {
    throw new DomainError(where, `expected sigma to be positive and finite, got ${sigma}.`);
  }
}

/** Remembers whether a denoiser was disposed, so that every later use fails with one message. */
export class Lifetime {
  readonly #owner: string;
  #ended = false;

  /** @param owner  name of the denoiser, for the message */
  constructor(owner: string) {
    this.#owner = owner;
  }

  /** @throws DisposedError after `end` */
  assertAlive(): void {
    if (this.#ended) throw new DisposedError(this.#owner);
  }

  /** Marks the owner as disposed; true on the first call. */
  end(): boolean {
    const first = !this.#ended;
    this.#ended = true;
    return first;
  }
}

function flat<T extends FloatDType>(
  where: string,
  x: FloatTensor,
  batch: number,
  sampleShape: readonly number[],
  dtype: T,
): Tensor<T> {
  assertFinite(where, x, 'Check the input.');
  return { shape: [batch, sizeOf(sampleShape)], dtype, data: castFloat(x, dtype).data };
}
