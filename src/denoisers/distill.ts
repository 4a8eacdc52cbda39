import { DomainError, throwIfAborted } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { reshape, sizeOf, slice, zeros } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { Denoiser } from './denoiser.ts';
import { fitAffine, linearDenoiser } from './linear-denoiser.ts';
import type { AffineFit } from './linear-denoiser.ts';

/** What a denoiser is distilled with. */
export interface DistillOptions {
  /** [N, ...sampleShape] clean samples; each draw takes the next one, with noise of its own. */
  readonly clean: FloatTensor;
  readonly sigmas: readonly number[];
  /** Pairs a noise level; more than dimensions, or the fit follows chance. */
  readonly draws: number;
  /** Part of the mean input variance added to every direction, default 1e-4. */
  readonly ridge?: number;
  readonly seed: number;
  /** Samples a call of the denoiser, default 64. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The affine fit at one noise level. */
export interface DistilledLevel extends AffineFit {
  readonly sigma: number;
}

/** A distilled denoiser, known at the levels that it was distilled at. */
export interface Distilled {
  /** D_L; @throws DomainError at any other noise level */
  readonly denoiser: Denoiser;
  readonly levels: readonly DistilledLevel[];
}

/**
 * The linear denoiser nearest to a given one at each noise level: least squares of W (x + sigma e) + b to its output.
 * @throws DomainError for draws or ridge that determine no fit; CancelledError; whatever the denoiser throws
 * @source Li, Dai, Qu 2024, arXiv 2410.24060, D_L (there by gradient descent; here in closed form, with a ridge)
 */
export async function distillLinear(denoiser: Denoiser, options: DistillOptions): Promise<Distilled> {
  const { sigmas, ridge = 1e-4, onProgress } = options;
  const levels: DistilledLevel[] = [];
  for (const [i, sigma] of sigmas.entries()) {
    const { x, y } = await drawPairs(denoiser, sigma, options);
    levels.push({ sigma, ...fitAffine(x, y, ridge) });
    onProgress?.(i + 1, sigmas.length);
  }
  const name = `linear:${denoiser.name}`;
  const at = (sigma: number): DistilledLevel => {
    const level = levels.find((l) => l.sigma === sigma);
    if (level !== undefined) return level;
    throw new DomainError(name, `expected a noise level that was distilled (${sigmas.join(', ')}), got ${sigma}.`);
  };
  return { denoiser: linearDenoiser({ name, sampleShape: denoiser.sampleShape, at }), levels };
}

/** Noisy samples and what the denoiser makes of them, [draws, D] each. */
async function drawPairs(
  denoiser: Denoiser,
  sigma: number,
  { clean, draws, seed, batchSize = 64, signal }: DistillOptions,
): Promise<{ x: ReturnType<typeof noisyDraws>; y: ReturnType<typeof noisyDraws> }> {
  if (!Number.isInteger(draws) || draws < 2) {
    throw new DomainError('distillLinear', `expected draws to be an integer >= 2, got ${draws}.`);
  }
  const D = sizeOf(denoiser.sampleShape);
  const x = noisyDraws(clean, sigma, draws, seed);
  const y = zeros('float64', x.shape);
  for (let first = 0; first < draws; first += batchSize) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // closed forms never wait: let an interrupt be heard
    throwIfAborted('distillLinear', signal);
    const batch = slice(x, first, Math.min(first + batchSize, draws));
    const shaped = reshape(batch, [batch.shape[0] as number, ...denoiser.sampleShape]);
    y.data.set((await denoiser.denoise(shaped, sigma)).data, first * D);
  }
  return { x, y };
}

/** Sample d mod N of `clean` with its own noise for each draw d, flat. */
function noisyDraws(clean: FloatTensor, sigma: number, draws: number, seed: number): ReturnType<typeof normal> {
  const size = sizeOf(clean.shape.slice(1));
  const x = normal(randomKey(seed, 'distill', sigma), [draws, size]);
  const data = x.data.map((z, i) => (clean.data[i % clean.data.length] as number) + sigma * z);
  return { ...x, data };
}
