import type { GaussianMoments } from '../analysis/teleport.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { fitEmpirical } from '../denoisers/empirical.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { localDenoiser } from '../denoisers/local.ts';
import { SpecError } from '../errors/errors.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { leadingMoments } from './data-moments.ts';
import type { GaussianityOptions } from './gaussianity.ts';

/** The models that a denoiser is compared with. */
export type ModelName = 'mean' | 'gaussian' | 'linear' | 'low-rank' | 'empirical' | 'LS' | 'ELS';

/** Their names, and what each is. */
export const modelMeanings: Readonly<Record<ModelName, string>> = {
  mean: 'the mean of the data, whatever the sample',
  gaussian: 'Wiener filter of the data: mean and covariance',
  linear: 'distilled: the affine map nearest to the model itself',
  'low-rank': 'Wiener filter with the leading principal components alone',
  empirical: 'optimal denoiser of the training samples: memorizes',
  LS: 'optimal denoiser that sees patches, each at its own place',
  ELS: 'optimal denoiser that sees patches, wherever they stand (zero boundary)',
};

/** The names alone. */
export const modelNames: readonly ModelName[] = Object.keys(modelMeanings) as ModelName[];

/** A model by name. */
export interface NamedModel {
  readonly name: ModelName;
  readonly denoiser: Denoiser;
}

/**
 * The models of a comparison, in the order asked for.
 * @param distilled  the linear model, where it is among them
 * @throws SpecError for a rank beyond the dimension, or local machines on data that are no images
 */
export async function gaussianityModels(
  options: GaussianityOptions,
  moments: GaussianMoments,
  distilled: Denoiser | undefined,
): Promise<NamedModel[]> {
  const models: NamedModel[] = [];
  for (const name of options.models) {
    const denoiser = name === 'linear' ? distilled : await makeModel(name, options, moments);
    if (denoiser !== undefined) models.push({ name, denoiser });
  }
  return models;
}

async function makeModel(
  name: Exclude<ModelName, 'linear'>,
  options: GaussianityOptions,
  moments: GaussianMoments,
): Promise<Denoiser> {
  const { train, rank, signal } = options;
  const { sampleShape } = options.denoiser;
  const { mean } = moments;
  switch (name) {
    case 'mean':
      return gaussianDenoiser({ name, sampleShape, mean, eigen: withoutVariance(moments).eigen });
    case 'gaussian':
      return gaussianDenoiser({ name, sampleShape, mean, eigen: moments.eigen });
    case 'low-rank': {
      if (!Number.isInteger(rank) || rank < 1 || rank > mean.length) {
        throw new SpecError('gaussianity', `expected rank to be an integer from 1 to ${mean.length}, got ${rank}.`);
      }
      return gaussianDenoiser({ name, sampleShape, ...leadingMoments(moments, rank) });
    }
    case 'empirical':
      return fitEmpirical(train, { name, ...(signal && { signal }) });
    case 'LS':
    case 'ELS':
      return makeLocal(name, options);
  }
}

/** The Gaussian with all variances 0: its denoiser is the mean. */
function withoutVariance({ mean, eigen }: GaussianMoments): GaussianMoments {
  return { mean, eigen: { ...eigen, values: new Float64Array(eigen.values.length) } };
}

/** Zeros beyond the border, as in the convolutions of the networks that the machines stand for. */
async function makeLocal(name: 'LS' | 'ELS', options: GaussianityOptions): Promise<Denoiser> {
  const { train, patch, lsImages, elsImages, seed } = options;
  const wanted = name === 'LS' ? lsImages : elsImages;
  if (train.sampleShape.length !== 3) {
    throw new SpecError(
      'gaussianity',
      `${name} needs images [C, H, W]; ${train.name} holds points. Leave ${name} out of --models.`,
    );
  }
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new SpecError('gaussianity', `expected images of ${name} to be an integer >= 1, got ${wanted}.`);
  }
  const indices = permutation(randomKey(seed, 'local-images'), train.count).slice(0, Math.min(wanted, train.count));
  return localDenoiser({ name, images: await train.read(indices), machine: name, patch, boundary: 'zero' });
}
