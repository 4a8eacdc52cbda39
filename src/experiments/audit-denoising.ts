import { measureDenoiserDistance, measureDenoisingGap } from '../analysis/copying/denoising.ts';
import type { DenoiserDistance, DenoisingGap } from '../analysis/copying/denoising.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { fitEmpirical } from '../denoisers/empirical.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { sizeOf } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { AuditSubject } from './audit-subject.ts';
import { dataMoments } from './data-moments.ts';

/** What an audit finds in a model beside its samples. */
export interface AuditDenoising {
  /** PSNR on training and held-out images; only where some are held out. */
  readonly denoising?: readonly DenoisingGap[];
  /** Distance to the Gaussian and the empirical denoiser of the training set. */
  readonly closeness?: readonly DenoiserDistance[];
  readonly notes: readonly string[];
}

/** Surroundings of the measures. */
export interface AuditDenoisingOptions {
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((label: string, done: number, total: number) => void) | undefined;
}

/** Images and noise levels. */
const IMAGES = 64;
const SIGMAS: readonly number[] = [0.1, 0.3, 1, 3];
/** A covariance beyond this size takes minutes to decompose; `gaussianity` has the patience. */
const MOST_DIMENSIONS = 1024;
/** The empirical denoiser holds its training set: 256 MB of float32. */
const MOST_NUMBERS = 2 ** 26;

/**
 * How a model denoises training images beside held-out ones, and how near it is to the Gaussian denoiser of its training set (which
 * generalizes) and to the empirical one (which memorizes), at the same noised images: held-out ones where there are any.
 * @throws CancelledError; whatever the denoiser and the data throw
 */
export async function measureDenoising(
  denoiser: Denoiser,
  { train, holdout }: AuditSubject,
  { seed, signal, onProgress }: AuditDenoisingOptions,
): Promise<AuditDenoising> {
  const fresh = holdout ?? train;
  if (train.count < 2 || fresh.count < 2) return { notes: [] };
  const denoising = holdout && (await measureGap(denoiser, { train, holdout }, { seed, signal, onProgress }));
  const { references, notes } = await referencesOf(train, signal);
  if (Object.keys(references).length === 0) return { ...(denoising && { denoising }), notes };
  const closeness = await measureDenoiserDistance(denoiser, references, await some(fresh, seed), {
    sigmas: SIGMAS,
    seed,
    signal,
    onProgress: (done, total) => onProgress?.('closed forms', done, total),
  });
  return { ...(denoising && { denoising }), closeness, notes };
}

/**
 * PSNR of denoised training images beside that of held-out ones, at a few noise levels.
 * @throws DomainError for fewer than two images of either kind; as `measureDenoising`
 */
export async function measureGap(
  denoiser: Denoiser,
  { train, holdout }: { readonly train: Dataset; readonly holdout: Dataset },
  { seed, signal, onProgress }: AuditDenoisingOptions,
): Promise<DenoisingGap[]> {
  return measureDenoisingGap(denoiser, await some(train, seed), await some(holdout, seed), {
    sigmas: SIGMAS,
    seed,
    range: train.range,
    signal,
    onProgress: (done, total) => onProgress?.('denoising', done, total),
  });
}

/** Images of a data set picked by the seed. */
function some(data: Dataset, seed: number): Promise<Tensor<'float32'>> {
  return data.read(permutation(randomKey(seed, 'audit-gap'), data.count).slice(0, IMAGES).sort());
}

async function referencesOf(
  train: Dataset,
  signal: AbortSignal | undefined,
): Promise<{ references: Record<string, Denoiser>; notes: string[] }> {
  const { sampleShape, count } = train;
  const dimension = sizeOf(sampleShape);
  const references: Record<string, Denoiser> = {};
  const notes: string[] = [];
  if (dimension <= MOST_DIMENSIONS) {
    const name = 'gaussian';
    references[name] = gaussianDenoiser({ name, sampleShape, ...(await dataMoments(train, signal)) });
  } else notes.push(`The distance to the Gaussian denoiser is left out: ${dimension} numbers a sample are more than ${MOST_DIMENSIONS}. eigenlens gaussianity measures it.`); // prettier-ignore
  if (count * dimension <= MOST_NUMBERS) {
    references.empirical = await fitEmpirical(train, { name: 'empirical', ...(signal && { signal }) });
  } else notes.push(`The distance to the empirical denoiser is left out: the training set, ${count} samples of ${dimension} numbers, is too large to hold.`); // prettier-ignore
  return { references, notes };
}
