import type { ValueRange } from '../../data/dataset.ts';
import type { Denoiser } from '../../denoisers/denoiser.ts';
import { DomainError, throwIfAborted } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, sizeOf, slice, tensor } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { compareOutputs } from '../gaussianity.ts';
import type { WatchOptions } from '../jacobian.ts';
import { bootstrap, bootstrapMean, meanOf } from './bootstrap.ts';
import type { Interval } from './interval.ts';

/** Options of the measures over noise levels. */
export interface NoiseLevelOptions extends WatchOptions {
  /** Noise levels in data units, at least one. */
  readonly sigmas: readonly number[];
  /** Decides noise and resampling. */
  readonly seed: number;
  /** Of the bootstrap, default 1000. */
  readonly resamples?: number | undefined;
}

/** How well a denoiser does on training and on held-out images at one noise level, in decibels. */
export interface DenoisingGap {
  readonly sigma: number;
  /** PSNR of the noisy images, 20 log10(peak / sigma). */
  readonly noisy: number;
  /** PSNR of the denoised training images. */
  readonly train: Interval;
  readonly heldout: Interval;
  /** train - heldout: above 0 where the denoiser knows its training images. */
  readonly gap: Interval;
}

/**
 * PSNR out against PSNR in on training and held-out images. PSNR = 10 log10(peak^2 / mean squared error), where the mean is over images and
 * pixels, and the peak is the width of the range. Every image has one noise draw, scaled to every level.
 * @param train    [N, ...sampleShape], N >= 2; not consumed
 * @param heldout  as many or not; not consumed
 * @param range    of the data, whose width is the peak
 * @returns one row a noise level, with bootstrap intervals over images
 * @throws DomainError for fewer than two images or no level; CancelledError; whatever the denoiser throws
 * @source Kadkhodaie et al. 2024, arXiv 2310.02557, figure of PSNR out against PSNR in
 */
export async function measureDenoisingGap(
  denoiser: Denoiser,
  train: FloatTensor,
  heldout: FloatTensor,
  { range, ...options }: NoiseLevelOptions & { readonly range: ValueRange },
): Promise<DenoisingGap[]> {
  const { sigmas, seed, resamples, signal, onProgress } = options;
  const [known, fresh] = [noised('train', train, options), noised('heldout', heldout, options)];
  const peak = range.high - range.low;
  // No error at all, as a memorizing denoiser makes at low noise, counts as one unit in the last place: 313 dB, not infinity.
  const least = (Number.EPSILON * peak) ** 2;
  const decibel = (error: number): number => 10 * Math.log10((peak * peak) / Math.max(error, least));
  const rows: DenoisingGap[] = [];
  for (const [level, sigma] of sigmas.entries()) {
    const errors: Float64Array[] = [];
    for (const images of [known, fresh]) {
      const x = images.at(sigma);
      errors.push(squaredErrors(images.clean, await denoiseAll(denoiser, x, sigma, signal)));
    }
    const [a, b] = errors as [Float64Array, Float64Array];
    const draw = { seed, resamples };
    rows.push({
      sigma,
      noisy: decibel(sigma * sigma),
      train: bootstrap([a.length], (i) => decibel(meanOf(a, i)), draw),
      heldout: bootstrap([b.length], (i) => decibel(meanOf(b, i)), draw),
      gap: bootstrap([a.length, b.length], (i, j) => decibel(meanOf(a, i)) - decibel(meanOf(b, j)), draw),
    });
    onProgress?.(level + 1, sigmas.length);
  }
  return rows;
}

/** How far a denoiser is from another one at one noise level: E |D - D_reference| / sqrt(d), data units. */
export interface DenoiserDistance {
  readonly sigma: number;
  /** Root mean square difference by reference. */
  readonly rmse: Readonly<Record<string, Interval>>;
}

/**
 * Distance of a denoiser to others over noise, such as the Gaussian and the empirical one of its training set: the first is near where it
 * generalizes, the second where it memorizes.
 * @param references  denoisers by name
 * @param clean  [N, ...sampleShape], N >= 2, to which noise is added; not consumed
 * @returns one row a noise level, with bootstrap intervals over images
 * @throws as `measureDenoisingGap`
 * @source Li, Dai and Qu 2024, arXiv 2410.24060, score-field approximation error
 */
export async function measureDenoiserDistance(
  denoiser: Denoiser,
  references: Readonly<Record<string, Denoiser>>,
  clean: FloatTensor,
  options: NoiseLevelOptions,
): Promise<DenoiserDistance[]> {
  const { sigmas, seed, resamples, signal, onProgress } = options;
  const images = noised('clean', clean, options);
  const rows: DenoiserDistance[] = [];
  for (const [level, sigma] of sigmas.entries()) {
    const x = images.at(sigma);
    const own = await denoiseAll(denoiser, x, sigma, signal);
    const rmse: Record<string, Interval> = {};
    for (const [name, reference] of Object.entries(references)) {
      const other = await denoiseAll(reference, x, sigma, signal);
      const misses = Float64Array.from({ length: x.shape[0] as number }, (_, i) => missOf(i, x, own, other));
      rmse[name] = bootstrapMean(misses, { seed, resamples });
    }
    rows.push({ sigma, rmse });
    onProgress?.(level + 1, sigmas.length);
  }
  return rows;
}

/** Clean images and their noisy forms at any level. */
interface NoisedImages {
  readonly clean: FloatTensor;
  at(sigma: number): Tensor<'float64'>;
}

function noised(name: string, clean: FloatTensor, { sigmas, seed }: NoiseLevelOptions): NoisedImages {
  const count = clean.shape[0] ?? 0;
  if (count < 2 || sigmas.length === 0) {
    throw new DomainError(
      'denoising',
      `expected two images and a noise level or more, got ${count} and ${sigmas.length}.`,
    );
  }
  const noise = normal(randomKey(seed, 'denoising', name), clean.shape).data;
  return {
    clean,
    at: (sigma) => tensor('float64', clean.shape, noise.map((z, i) => (clean.data[i] as number) + sigma * z)), // prettier-ignore
  };
}

/** Images denoised between two looks at the event loop. */
const block = 64;

async function denoiseAll(
  denoiser: Denoiser,
  x: Tensor<'float64'>,
  sigma: number,
  signal: AbortSignal | undefined,
): Promise<Tensor<'float64'>> {
  const count = x.shape[0] as number;
  const out = new Float64Array(x.data.length);
  for (let start = 0; start < count; start += block) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfAborted('denoising', signal);
    const some = await denoiser.denoise(slice(x, start, Math.min(start + block, count)), sigma);
    out.set(castFloat(some, 'float64').data, start * sizeOf(x.shape.slice(1)));
  }
  return tensor('float64', x.shape, out);
}

/** Mean over the pixels of (a - b)^2 of each image. */
function squaredErrors(a: FloatTensor, b: FloatTensor): Float64Array {
  const count = a.shape[0] as number;
  const d = a.data.length / count;
  const errors = new Float64Array(count);
  a.data.forEach((value: number, i: number) => {
    const image = Math.floor(i / d);
    errors[image] = (errors[image] as number) + (value - (b.data[i] as number)) ** 2 / d;
  });
  return errors;
}

/** Root mean square difference of two denoisers at image i. */
function missOf(i: number, ...tensors: [Tensor<'float64'>, Tensor<'float64'>, Tensor<'float64'>]): number {
  const [x, own, other] = tensors.map((t) => slice(t, i, i + 1)) as typeof tensors;
  return compareOutputs(x, own, other).rmse;
}
