import type { Denoiser } from '../denoisers/denoiser.ts';
import { DomainError, NumericalError, throwIfAborted } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { allocate, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';

/** One way to read a network, as a denoiser. */
export interface Reading {
  readonly label: string;
  readonly denoiser: Denoiser;
}

/** What one reading makes of the noisy images. */
export interface ReadingError {
  readonly label: string;
  /** Mean squared error per pixel at each noise level, data units squared. */
  readonly errors: readonly number[];
  /** Geometric mean over the levels of the error over that of the scalar Wiener filter: below 1 it denoises. */
  readonly score: number;
}

/** Whether a network is read rightly, as far as real images tell. */
export interface SelfCheck {
  readonly sigmas: readonly number[];
  /** Mean squared error of the scalar Wiener filter l / (l + sigma^2) with the pixel variance l, a floor that every denoiser beats. */
  readonly wiener: readonly number[];
  /** By score, best first. */
  readonly readings: readonly ReadingError[];
  /** The earliest in the given order of those that are as good as the best: put the likely ones first. */
  readonly best: ReadingError;
  /** Labels of those whose output is not finite. */
  readonly overflowed: readonly string[];
  /** Readings that the time did not allow. */
  readonly untried: number;
  /**
   * `right`: nothing beats the first reading by more than the margin; `wrong`: `best` does; `unclear`: not even the best reading
   * denoises these images.
   */
  readonly verdict: 'right' | 'wrong' | 'unclear';
}

/** Options of `checkReading`. */
export interface SelfCheckOptions extends WatchOptions {
  /** Noise levels in data units, default 0.2, 0.6 and 2. */
  sigmas?: readonly number[] | undefined;
  seed?: number | undefined;
  /** No further reading is begun after this time; the first always runs. Default Infinity. */
  budgetMs?: number | undefined;
}

/** Another reading must be this many times better before it wins: schedules that differ by little are as good as each other. */
const MARGIN = 1.1;
/** Readings this near to each other are the same: a network without biases gives one answer in every pixel range. */
const EQUAL = 1.01;

/**
 * Denoises real images with noise at three levels in every reading: a wrong parameterization, pixel range or schedule leaves a larger
 * error than the right one.
 * @param images   [N, ...sampleShape], clean, data units, not from the training set if that can be helped
 * @param readings the one in question first, then the alternatives
 * @throws DomainError without readings; NumericalError where none gives finite values; CancelledError; what the denoisers throw
 */
export async function checkReading(
  images: FloatTensor,
  readings: readonly Reading[],
  options: SelfCheckOptions = {},
): Promise<SelfCheck> {
  const { sigmas = [0.2, 0.6, 2], seed = 0, budgetMs = Infinity, signal, onProgress } = options;
  if (readings.length === 0) throw new DomainError('checkReading', 'expected at least one reading, got none.');
  const noise = normal(randomKey(seed, 'self-check'), images.shape);
  const noisy = sigmas.map((sigma) => {
    const data = allocate('float32', images.data.length);
    for (let i = 0; i < data.length; i++) data[i] = (images.data[i] as number) + sigma * (noise.data[i] as number);
    return tensor('float32', images.shape, data);
  });
  const variance = pixelVariance(images);
  const wiener = sigmas.map((sigma) => (variance * sigma * sigma) / (variance + sigma * sigma));
  const rows: ReadingError[] = [];
  const overflowed: string[] = [];
  const begun = performance.now();
  for (const [k, { label, denoiser }] of readings.entries()) {
    if (k > 0 && performance.now() - begun > budgetMs) break;
    const errors: number[] = [];
    for (const [i, sigma] of sigmas.entries()) {
      throwIfAborted('checkReading', signal);
      errors.push(await meanSquaredError(denoiser, noisy[i] as FloatTensor, sigma, images));
      onProgress?.(k * sigmas.length + i + 1, readings.length * sigmas.length);
    }
    if (errors.every(Number.isFinite)) {
      rows.push({ label, errors, score: geometricMean(errors.map((e, i) => e / (wiener[i] as number))) });
    } else overflowed.push(label);
  }
  const untried = readings.length - rows.length - overflowed.length;
  return { sigmas, wiener, ...judge(rows, readings[0]?.label ?? ''), overflowed, untried };
}

/** Ranks the readings and says whether the stated one, the first, stands. */
function judge(rows: readonly ReadingError[], statedLabel: string): Pick<SelfCheck, 'readings' | 'best' | 'verdict'> {
  const readings = rows.toSorted((a, b) => a.score - b.score);
  const [first] = readings;
  if (first === undefined)
    throw new NumericalError('checkReading', 'no reading gives finite values. Check the weights.');
  const stated = rows.find(({ label }) => label === statedLabel);
  const best = rows.find(({ score }) => score <= EQUAL * first.score) ?? first;
  const beaten = stated === undefined || stated.score > MARGIN * first.score;
  return { readings, best, verdict: !(first.score < 1) ? 'unclear' : beaten ? 'wrong' : 'right' };
}

async function meanSquaredError(
  denoiser: Denoiser,
  x: FloatTensor,
  sigma: number,
  clean: FloatTensor,
): Promise<number> {
  try {
    const { data } = await denoiser.denoise(x, sigma);
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum += ((data[i] as number) - (clean.data[i] as number)) ** 2;
    return sum / data.length;
  } catch (error) {
    // A wrong reading may well overflow: that is its answer.
    if (error instanceof NumericalError) return Infinity;
    throw error;
  }
}

/** Variance about the mean of all pixels of all images: what a filter knows that knows nothing of images. */
function pixelVariance(images: FloatTensor): number {
  const count = sizeOf(images.shape);
  let mean = 0;
  for (const v of images.data) mean += v / count;
  let variance = 0;
  for (const v of images.data) variance += (v - mean) ** 2 / count;
  return variance;
}

function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length);
}
