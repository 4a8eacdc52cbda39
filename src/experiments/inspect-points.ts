import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { endAtZero } from '../diffusion/noise-grid.ts';
import { SpecError, throwIfAborted } from '../errors/errors.ts';
import { sample } from '../samplers/sample.ts';
import { normal, permutation, randomKey } from '../tensor/random.ts';
import { allocate, castFloat, row, sizeOf, tensor, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { InspectArrays, InspectPoint } from './inspect-result.ts';
import type { InspectSpec } from './inspect-spec.ts';

/** How far one phase of the work is. */
export interface InspectProgress {
  /** What is being done, the same text for the whole phase. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** What is counted, where a rate makes sense. */
  readonly unit?: string;
}

/** How long phases of `inspect` are stopped and watched. */
export interface InspectWatch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: InspectProgress) => void) | undefined;
}

/** One place where a Jacobian is taken. */
export interface JacobianPoint extends InspectPoint {
  /** Index of the noise level in `spec.sigmas`. */
  readonly level: number;
  /** [...sampleShape] */
  readonly x: FloatTensor;
}

/** Held-out samples with noise at every level, and what the denoiser makes of them. */
export type NoisyHeldout = Pick<InspectArrays, 'heldout' | 'noisy' | 'denoised'>;

/** Samples of the model, and all states of the first of them. */
export type DrawnSamples = Pick<
  InspectArrays,
  'samples' | 'trajectory_sigmas' | 'trajectory_x' | 'trajectory_denoised'
>;

/**
 * Held-out samples picked by the seed, each with one noise draw that is scaled to every level, and denoised.
 * @throws SpecError if the data set holds fewer samples than the spec asks for
 */
export async function noiseHeldout(
  spec: InspectSpec,
  denoiser: Denoiser,
  heldout: Dataset,
  { signal, onProgress }: InspectWatch = {},
): Promise<NoisyHeldout> {
  const { images, sigmas, seed } = spec;
  if (images > heldout.count) {
    throw new SpecError(
      'inspect',
      `expected images to be at most ${heldout.count}, the held-out samples of ${heldout.name}, got ${images}.`,
    );
  }
  const indices = permutation(randomKey(seed, 'heldout'), heldout.count).slice(0, images);
  const clean = await heldout.read(indices);
  const noise = indicesNoise(seed, indices, denoiser.sampleShape);
  const shape = [sigmas.length, images, ...denoiser.sampleShape];
  const noisy = zeros('float64', shape);
  const denoised = zeros('float64', shape);
  const size = clean.data.length;
  for (const [level, sigma] of sigmas.entries()) {
    throwIfAborted('inspect', signal);
    const x = row(noisy, level);
    for (let i = 0; i < size; i++) x.data[i] = (clean.data[i] as number) + sigma * (noise[i] as number);
    denoised.data.set((await denoiser.denoise(x, sigma)).data, level * size);
    onProgress?.({ label: 'held-out', done: level + 1, total: sigmas.length });
  }
  return {
    heldout: clean,
    noisy: castFloat(noisy, denoiser.dtype) as FloatTensor,
    denoised: castFloat(denoised, denoiser.dtype) as FloatTensor,
  };
}

/** Which samples are drawn. */
export interface DrawnOptions extends InspectWatch {
  /** How many, of the latents `seed`, `seed` + 1, ... */
  readonly count: number;
  readonly seed: number;
  /** Noise levels, descending, without the final 0. */
  readonly grid: Float64Array;
}

/** Draws samples by Heun and records every state of the first. */
export async function drawSamples(
  denoiser: Denoiser,
  { count, seed, grid: sigmas, signal, onProgress }: DrawnOptions,
): Promise<DrawnSamples> {
  const size = sizeOf(denoiser.sampleShape);
  const shape = [sigmas.length, ...denoiser.sampleShape];
  const states = allocate(denoiser.dtype, sigmas.length * size);
  const means = allocate(denoiser.dtype, sigmas.length * size);
  const { x: samples } = await sample(denoiser, {
    seeds: Array.from({ length: count }, (_, m) => seed + m),
    grid: endAtZero(sigmas),
    ...(signal && { signal }),
    onStep(step) {
      states.set(step.x.data.subarray(0, size), step.i * size);
      means.set(step.denoised.data.subarray(0, size), step.i * size);
      onProgress?.({ label: 'sampling', done: step.i + 1, total: step.steps, unit: 'steps' });
    },
  });
  return {
    samples,
    trajectory_sigmas: tensor('float64', [sigmas.length], sigmas),
    trajectory_x: tensor(denoiser.dtype, shape, states) as FloatTensor,
    trajectory_denoised: tensor(denoiser.dtype, shape, means) as FloatTensor,
  };
}

/** Every place where the spec takes a Jacobian, level by level from the noisiest: the held-out samples, then the trajectory. */
export function jacobianPoints(spec: InspectSpec, { noisy }: NoisyHeldout, drawn: DrawnSamples): JacobianPoint[] {
  return spec.sigmas.flatMap((sigma, level) => {
    const images = Array.from({ length: spec.images }, (_, image): JacobianPoint => {
      const x = row(row(noisy as Tensor<'float64'>, level), image);
      return { sigma, site: 'heldout', image, level, x };
    });
    const state = drawn.trajectory_sigmas.data.indexOf(sigma);
    const x = row(drawn.trajectory_x as Tensor<'float64'>, state);
    return [...images, { sigma, site: 'trajectory' as const, image: 0, level, x }];
  });
}

/** Unit noise of each sample, a function of the seed and of the sample's own index. */
function indicesNoise(seed: number, indices: Int32Array, sampleShape: readonly number[]): Float64Array {
  const size = sizeOf(sampleShape);
  const noise = new Float64Array(indices.length * size);
  indices.forEach((index, i) => noise.set(normal(randomKey(seed, 'heldout-noise', index), sampleShape).data, i * size));
  return noise;
}
