import type { LinearOperator } from '../linalg/operator.ts';
import type { FloatDType, FloatTensor } from '../tensor/tensor.ts';

/** Noise level: one for the whole batch, or one a sample (length B). Data units, > 0. */
export type Sigma = number | Float64Array;

/**
 * The one interface of the house: D(x; sigma) = E[x0 | x0 + sigma n = x], n ~ N(0, I), in variance-exploding coordinates.
 * Closed forms, trained networks and imported graphs all are denoisers; samplers and analyses know nothing else of them.
 */
export interface Denoiser extends AsyncDisposable {
  /** What the user called it, for tables and files (`fashion`, `molrg:n=48,K=2,d=6`). */
  readonly name: string;
  /** Shape of one sample, without batch: `[1, 28, 28]` for images, `[48]` for vectors. */
  readonly sampleShape: readonly number[];
  /** What computed the results so far, such as `onnxruntime-node 1.30.0 cpu`; undefined before the first and for closed forms. */
  readonly runtime?: string | undefined;
  /** Precision of the arithmetic behind `denoise` and `linearize`; results come in this dtype. */
  readonly dtype: FloatDType;
  /**
   * Posterior mean of a batch.
   * @param x [B, ...sampleShape], data units; not consumed
   * @returns [B, ...sampleShape] in this denoiser's dtype
   * @throws ShapeError, DomainError (sigma not positive and finite), NumericalError (x or the output not finite)
   */
  denoise(x: FloatTensor, sigma: Sigma): Promise<FloatTensor>;
  /**
   * The Jacobian J = dD(x; sigma)/dx at one point as an operator on flattened samples: rows = columns = dimension.
   * A block of K vectors costs K tangent passes and at most one pass of the primal.
   * @param x [...sampleShape] or [1, ...sampleShape]; not consumed
   */
  linearize(x: FloatTensor, sigma: number): LinearOperator;
  /**
   * Makes what calls of a kind need, such as compiled graphs, ahead of the first of them; calls do without. Absent where nothing is made.
   * @param calls  `denoise`, or the products of `linearize` both ways
   * @param count  samples, or vectors, of one call
   * @throws LoweringError, BackendError where the calls would
   */
  prepare?(calls: 'denoise' | 'products', count: number): Promise<void>;
}
