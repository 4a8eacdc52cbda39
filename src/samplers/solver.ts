import { zeros } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';

/** D(x; sigma) of the running batch. */
export type DenoiseBatch = (x: FloatTensor, sigma: number) => Promise<FloatTensor>;

/** What a solver knows when it steps from one noise level to the next. */
export interface SolverStep {
  readonly x: FloatTensor;
  readonly sigma: number;
  /** 0 < sigmaNext; steps to 0 are the loop's own, as every solver ends on D there. */
  readonly sigmaNext: number;
  /** D(x; sigma), computed once by the loop. */
  readonly denoised: FloatTensor;
}

/** One way to integrate the probability-flow equation dx/dsigma = (x - D(x; sigma)) / sigma. */
export interface Solver {
  readonly name: string;
  /** Global order of convergence in the step size. */
  readonly order: number;
  /** Denoiser calls a step, the first included. */
  readonly calls: number;
  /** x at sigmaNext, in the dtype of x; writes to nothing it was given. */
  step(state: SolverStep, denoise: DenoiseBatch): Promise<FloatTensor>;
}

/** Zeros in the shape and dtype of x. */
export function zerosLike(x: FloatTensor): FloatTensor {
  return zeros(x.dtype, x.shape) as FloatTensor;
}
