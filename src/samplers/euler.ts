import type { FloatTensor } from '../tensor/tensor.ts';
import { zerosLike } from './solver.ts';
import type { Solver, SolverStep } from './solver.ts';

/** Euler's rule, the same as deterministic DDIM: order 1, one denoiser call a step. */
export const euler: Solver = {
  name: 'euler',
  order: 1,
  calls: 1,
  step: (state) => Promise.resolve(eulerStep(state)),
};

/** x + (sigmaNext - sigma) (x - D) / sigma, written so that sigmaNext = 0 gives D to the last bit. */
export function eulerStep({ x, sigma, sigmaNext, denoised }: SolverStep): FloatTensor {
  const next = zerosLike(x);
  const kept = sigmaNext / sigma;
  for (let i = 0; i < next.data.length; i++) {
    const d = denoised.data[i] as number;
    next.data[i] = d + kept * ((x.data[i] as number) - d);
  }
  return next;
}
