import type { Denoiser } from '../denoisers/denoiser.ts';
import { DomainError, ShapeError, throwIfAborted } from '../errors/errors.ts';
import { latents } from '../tensor/random.ts';
import { assertFinite, assertFloat, castFloat, sameShape, showShape, slice } from '../tensor/tensor.ts';
import type { FloatDType, FloatTensor } from '../tensor/tensor.ts';
import { heun } from './heun.ts';
import { zerosLike } from './solver.ts';
import type { Solver } from './solver.ts';

/** What the observer of a sampler sees once a step, before the step is taken; nothing in it may be written. */
export interface SampleStep {
  /** Step number, from 0. */
  readonly i: number;
  /** Number of steps. */
  readonly steps: number;
  readonly sigma: number;
  readonly sigmaNext: number;
  /** State at sigma, [B, ...sampleShape]. */
  readonly x: FloatTensor;
  /** D(x; sigma), [B, ...sampleShape]. */
  readonly denoised: FloatTensor;
}

/** How to integrate from noise to data. */
export interface SampleOptions {
  /** Noise levels, strictly descending, at least two; the last may be 0, where the step gives D itself. */
  readonly grid: Float64Array;
  /** Default `heun`. */
  readonly solver?: Solver;
  /** Most samples handed to the denoiser at once, default 64; changes memory and speed, not the result. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called once a step with the whole batch; the sampler waits for it. */
  readonly onStep?: (step: SampleStep) => void | Promise<void>;
}

/** Samples at the last noise level of the grid. */
export interface SampleResult {
  /** [B, ...sampleShape] in the denoiser's dtype. */
  readonly x: FloatTensor;
}

/**
 * Samples of given seeds along the probability-flow equation, deterministic.
 * A seed's sample starts at grid[0] times its latent and does not depend on the other seeds.
 * @param seeds  one a sample, at least one
 * @throws DomainError for a grid that does not descend; CancelledError; NumericalError if a step leaves the finite numbers
 * @source Song et al. 2021, arXiv 2011.13456, eq. 13, in the VE coordinates of Karras et al. 2022, arXiv 2206.00364, eq. 1
 */
export async function sample(
  denoiser: Denoiser,
  { seeds, ...options }: SampleOptions & { readonly seeds: readonly number[] },
): Promise<SampleResult> {
  checkGrid(options.grid);
  const start = latents(seeds, denoiser.sampleShape);
  const sigma = options.grid[0] as number;
  return sampleFrom(denoiser, { ...start, data: start.data.map((z) => sigma * z) }, options);
}

/**
 * Continues given noisy samples, which sit at noise level grid[0], along the probability-flow equation.
 * @param x  [B, ...sampleShape], not consumed
 * @throws as `sample`, and ShapeError if x does not fit the denoiser
 */
export async function sampleFrom(denoiser: Denoiser, x: FloatTensor, options: SampleOptions): Promise<SampleResult> {
  checkGrid(options.grid);
  return integrate('sample', denoiser, x, options);
}

/**
 * Follows the probability-flow equation along the noise levels of a grid, up or down.
 * @param where  who does it, for messages
 * @param options.grid  two levels or more, positive save for a last 0
 * @throws ShapeError if x does not fit the denoiser; CancelledError; NumericalError if a step leaves the finite numbers
 */
export async function integrate(
  where: string,
  denoiser: Denoiser,
  x: FloatTensor,
  { grid, solver = heun, batchSize = 64, signal, onStep }: SampleOptions,
): Promise<SampleResult> {
  checkStart(where, denoiser, x, batchSize);
  const denoise = (state: FloatTensor, sigma: number): Promise<FloatTensor> =>
    denoiseInBatches(where, denoiser, state, { sigma, batchSize, signal });
  let state = castFloat(x, denoiser.dtype) as FloatTensor;
  const steps = grid.length - 1;
  for (let i = 0; i < steps; i++) {
    const [sigma, sigmaNext] = [grid[i] as number, grid[i + 1] as number];
    const denoised = await denoise(state, sigma);
    await onStep?.({ i, steps, sigma, sigmaNext, x: state, denoised });
    throwIfAborted(where, signal);
    state = sigmaNext === 0 ? denoised : await solver.step({ x: state, sigma, sigmaNext, denoised }, denoise);
    assertFinite(`${where}: step ${i} from sigma ${sigma}`, state, 'Check the model and the grid.');
  }
  return { x: state };
}

async function denoiseInBatches(
  where: string,
  denoiser: Denoiser,
  x: FloatTensor,
  { sigma, batchSize, signal }: { sigma: number; batchSize: number; signal: AbortSignal | undefined },
): Promise<FloatTensor> {
  const batch = x.shape[0] as number;
  const out = zerosLike(x);
  const size = x.data.length / batch;
  for (let start = 0; start < batch; start += batchSize) {
    // Closed forms compute without ever waiting: hand the event loop a turn, or an interrupt would not be heard.
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfAborted(where, signal);
    const part = slice<FloatDType>(x, start, Math.min(start + batchSize, batch)) as FloatTensor;
    out.data.set((await denoiser.denoise(part, sigma)).data, start * size);
  }
  return out;
}

function checkGrid(grid: Float64Array): void {
  const descends = grid.every((sigma, i) => i === 0 || sigma < (grid[i - 1] as number));
  if (grid.length < 2 || !descends || !((grid[0] as number) < Infinity) || !((grid[grid.length - 1] as number) >= 0)) {
    throw new DomainError(
      'sample',
      `expected two or more noise levels descending to >= 0, got ${[...grid].join(', ')}.`,
    );
  }
}

function checkStart(where: string, denoiser: Denoiser, x: FloatTensor, batchSize: number): void {
  assertFloat(where, x);
  if (!sameShape(x.shape.slice(1), denoiser.sampleShape) || x.data.length === 0) {
    const wanted = ['B >= 1', ...denoiser.sampleShape].join(', ');
    throw new ShapeError(where, `expected a start of shape [${wanted}], got ${showShape(x.shape)}.`);
  }
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new DomainError(where, `expected batchSize to be an integer >= 1, got ${batchSize}.`);
  }
}
