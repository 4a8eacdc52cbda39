import type { Denoiser } from '../denoisers/denoiser.ts';
import { endAtZero, karrasGrid } from '../diffusion/noise-grid.ts';
import { sample } from '../samplers/sample.ts';
import { castFloat } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Which samples of a model are drawn. */
export interface DrawOptions {
  /** How many, of the latents `seed`, `seed` + 1, ... */
  readonly samples: number;
  /** Noise levels of the sampler. */
  readonly steps: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Samples of a model by Heun on the grid of EDM: the same latents for every model of one shape, so that models can be compared.
 * @returns [samples, ...sampleShape]
 * @throws as `sample`
 * @source Karras et al. 2022, arXiv 2206.00364, algorithm 1
 */
export async function drawSamples(denoiser: Denoiser, options: DrawOptions): Promise<Tensor<'float32'>> {
  const { samples, steps, seed, signal, onProgress } = options;
  const { x } = await sample(denoiser, {
    seeds: Array.from({ length: samples }, (_, m) => seed + m),
    grid: endAtZero(karrasGrid({ steps })),
    ...(signal && { signal }),
    onStep: (step) => onProgress?.(step.i + 1, step.steps),
  });
  return castFloat(x, 'float32');
}
