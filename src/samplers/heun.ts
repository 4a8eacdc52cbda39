import { eulerStep } from './euler.ts';
import { zerosLike } from './solver.ts';
import type { Solver } from './solver.ts';

/**
 * Heun's second-order rule: order 2, two denoiser calls a step.
 * @source Karras et al. 2022, arXiv 2206.00364, algorithm 1
 */
export const heun: Solver = {
  name: 'heun',
  order: 2,
  calls: 2,
  async step(state, denoise) {
    const { x, sigma, sigmaNext, denoised } = state;
    const guess = eulerStep(state);
    const ahead = await denoise(guess, sigmaNext);
    const next = zerosLike(x);
    for (let i = 0; i < next.data.length; i++) {
      const here = ((x.data[i] as number) - (denoised.data[i] as number)) / sigma;
      const there = ((guess.data[i] as number) - (ahead.data[i] as number)) / sigmaNext;
      next.data[i] = (x.data[i] as number) + ((sigmaNext - sigma) * (here + there)) / 2;
    }
    return next;
  },
};
