import type { Denoiser } from '../denoisers/denoiser.ts';
import { endAtZero, karrasGrid } from '../diffusion/noise-grid.ts';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { ancestral } from '../samplers/ancestral.ts';
import { invert } from '../samplers/invert.ts';
import { sampleFrom } from '../samplers/sample.ts';
import type { SampleStep } from '../samplers/sample.ts';
import { reshape, sameShape, showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** The way between clean images and the noise level of an edit. */
export interface EditPath {
  /** Noise level of the edit, VE coordinates, data units. */
  readonly sigma: number;
  /** Noise levels from `sigma` down to the lowest. */
  readonly grid: Float64Array;
  /** Noise level from which sampling is stochastic; undefined for deterministic to the end. */
  readonly boost?: number | undefined;
  /** Of the stochastic part. */
  readonly seed: number;
}

/** How the way is chosen. */
export interface EditPathOptions {
  readonly sigma: number;
  /** Noise levels each way, >= 2, default 12. */
  readonly steps?: number | undefined;
  /** Lowest noise level: clean images count as being there; default 0.002. */
  readonly sigmaMin?: number | undefined;
  readonly boost?: number | undefined;
  readonly seed?: number | undefined;
}

/** Surroundings of a run along the way. */
export interface PathRun {
  readonly signal?: AbortSignal | undefined;
  /** Called before each step. */
  readonly onStep?: ((step: SampleStep) => void) | undefined;
}

const DEFAULT_STEPS = 12;
const DEFAULT_SIGMA_MIN = 0.002;

/**
 * The noise levels of an edit.
 * @throws DomainError for a noise level that is not above the lowest, fewer than two steps, or a boost beyond the edit
 */
export function editPath(options: EditPathOptions): EditPath {
  const { sigma, steps = DEFAULT_STEPS, sigmaMin = DEFAULT_SIGMA_MIN, boost, seed = 0 } = options;
  if (!(sigma > sigmaMin && sigma < Infinity)) {
    throw new DomainError('edit', `expected a noise level above ${sigmaMin}, got ${sigma}.`);
  }
  if (!Number.isInteger(steps) || steps < 2) {
    throw new DomainError('edit', `expected two steps or more, got ${steps}.`);
  }
  if (boost !== undefined && !(boost > sigmaMin && boost < sigma)) {
    throw new DomainError('edit', `expected boosting to begin between ${sigmaMin} and ${sigma}, got ${boost}.`);
  }
  return { sigma, grid: karrasGrid({ steps, sigmaMin, sigmaMax: sigma }), seed, ...(boost !== undefined && { boost }) };
}

/**
 * Clean images to the noise level of an edit, deterministic (DDIM inversion by Heun's rule).
 * @param images  [B, ...sampleShape], data units
 * @throws as `invert`
 */
export async function toNoise(
  denoiser: Denoiser,
  images: FloatTensor,
  { grid }: EditPath,
  { signal, onStep }: PathRun = {},
): Promise<FloatTensor> {
  const options = { grid: grid.slice().reverse(), ...(signal && { signal }), ...(onStep && { onStep }) };
  return (await invert(denoiser, images, options)).x;
}

/**
 * Noisy images at the noise level of an edit back to clean ones: deterministic, or stochastic below `boost`.
 * @param noisy  [B, ...sampleShape]
 * @throws as `sampleFrom`
 * @source quality boosting: arXiv 2409.02374, appendix (eta = 1 from t = 0.2)
 */
export async function toImages(
  denoiser: Denoiser,
  noisy: FloatTensor,
  { grid, boost, seed }: EditPath,
  { signal, onStep }: PathRun = {},
): Promise<FloatTensor> {
  const watch = { ...(signal && { signal }), ...(onStep && { onStep }) };
  const cut = boost === undefined ? -1 : grid.findIndex((sigma, i) => i > 0 && sigma <= boost);
  if (cut < 0) return (await sampleFrom(denoiser, noisy, { grid: endAtZero(grid), ...watch })).x;
  const { x } = await sampleFrom(denoiser, noisy, { grid: grid.slice(0, cut + 1), ...watch });
  const rest = endAtZero(grid.slice(cut));
  return (await sampleFrom(denoiser, x, { grid: rest, solver: ancestral(seed), ...watch })).x;
}

/**
 * Noisy images moved along a direction: one copy of each a strength, image by image.
 * @param noisy  [B, ...sampleShape] at noise level sigma, VE
 * @param direction  [n], usually of length 1
 * @param strengths  step lengths in VP coordinates, where a noisy image has about the variance of a clean one; the VE step is
 *   sqrt(1 + sigma^2) times as long
 * @returns [B * S, ...sampleShape]
 * @throws ShapeError for a direction of another size
 * @source x_t + lambda v of arXiv 2409.02374, algorithm 1, line 8
 */
export function moved(
  noisy: FloatTensor,
  direction: Float64Array,
  strengths: readonly number[],
  sigma: number,
): Tensor<'float64'> {
  const [count = 0, ...sampleShape] = noisy.shape;
  const n = sizeOf(sampleShape);
  if (direction.length !== n) {
    throw new ShapeError(
      'edit',
      `expected a direction of ${n} numbers for ${showShape(sampleShape)}, got ${direction.length}.`,
    );
  }
  const scale = stepScale(sigma);
  const data = new Float64Array(count * strengths.length * n);
  for (let b = 0; b < count; b++) {
    strengths.forEach((strength, s) => {
      const at = (b * strengths.length + s) * n;
      for (let i = 0; i < n; i++) {
        data[at + i] = (noisy.data[b * n + i] as number) + strength * scale * (direction[i] as number);
      }
    });
  }
  return tensor('float64', [count * strengths.length, ...sampleShape], data);
}

/** VE length of a VP step of length 1 at a noise level. */
export function stepScale(sigma: number): number {
  return Math.sqrt(1 + sigma * sigma);
}

/**
 * One image as a batch of one.
 * @throws ShapeError for an image of another shape, saying both
 */
export function asBatch(where: string, image: FloatTensor, sampleShape: readonly number[]): FloatTensor {
  if (sameShape(image.shape, sampleShape)) return reshape(image as Tensor<'float64'>, [1, ...sampleShape]);
  if (sameShape(image.shape, [1, ...sampleShape])) return image;
  throw new ShapeError(where, `expected an image of shape ${showShape(sampleShape)}, got ${showShape(image.shape)}.`);
}
