import type { Denoiser } from '../denoisers/denoiser.ts';
import { DomainError } from '../errors/errors.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { integrate } from './sample.ts';
import type { SampleOptions, SampleResult } from './sample.ts';

/**
 * Deterministic inversion: takes clean images, read as states at grid[0], along the probability-flow equation up to the last level.
 * With Euler's rule it is DDIM inversion. Sampling the result down the reversed grid gives the images back up to both runs' errors.
 * @param x  [B, ...sampleShape], not consumed
 * @param options.grid  noise levels, strictly ascending, all positive, at least two
 * @throws DomainError for a grid that does not ascend; otherwise as `sampleFrom`
 * @source Song et al. 2021, arXiv 2010.02502, section 4.3; the step of arXiv 2409.02374, algorithm 1
 */
export async function invert(denoiser: Denoiser, x: FloatTensor, options: SampleOptions): Promise<SampleResult> {
  const { grid } = options;
  const ascends = grid.every((sigma, i) => sigma > (i === 0 ? 0 : (grid[i - 1] as number)));
  if (grid.length < 2 || !ascends || !((grid.at(-1) as number) < Infinity)) {
    throw new DomainError(
      'invert',
      `expected two or more noise levels ascending from > 0, got ${[...grid].join(', ')}.`,
    );
  }
  return integrate('invert', denoiser, x, options);
}
