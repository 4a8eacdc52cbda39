import { normal, randomKey } from '../tensor/random.ts';
import { eulerStep } from './euler.ts';
import type { Solver } from './solver.ts';

/**
 * Ancestral sampling, DDIM with eta = 1: each step goes down to sigmaNext^2 / sigma and adds noise back up to sigmaNext.
 * All samples of a batch receive the same noise, so that edits of one image stay comparable.
 * @param seed  of the noise; each noise level has its own
 * @source Song et al. 2021, arXiv 2010.02502, eq. 16 with eta = 1, in VE coordinates
 */
export function ancestral(seed: number): Solver {
  return {
    name: 'ancestral',
    order: 1,
    calls: 1,
    step: (state) => {
      const { x, sigma, sigmaNext } = state;
      const next = eulerStep({ ...state, sigmaNext: sigmaNext ** 2 / sigma });
      const up = sigmaNext * Math.sqrt(1 - (sigmaNext / sigma) ** 2);
      const noise = normal(randomKey(seed, 'ancestral', sigma), x.shape.slice(1)).data;
      for (let i = 0; i < next.data.length; i++) {
        next.data[i] = (next.data[i] as number) + up * (noise[i % noise.length] as number);
      }
      return Promise.resolve(next);
    },
  };
}
