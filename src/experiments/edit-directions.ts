import { leadingComponents } from '../analysis/principal-components.ts';
import { datasetFrom, subset } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { dirname, join, readBytes } from '../data/files.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { checkFits } from '../editing/compose.ts';
import type { DirectionModel } from '../editing/compose.ts';
import { readDirections } from '../editing/direction-file.ts';
import type { DirectionSet } from '../editing/direction-set.ts';
import { describeDirections, findDirections } from '../editing/find-directions.ts';
import type { FindProgress } from '../editing/find-directions.ts';
import { expandMask } from '../editing/mask.ts';
import type { Mask } from '../editing/mask.ts';
import { supervisedDirection } from '../editing/supervised.ts';
import { SpecError } from '../errors/errors.ts';
import { castFloat, sizeOf } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { NamedMask } from './edit-masks.ts';
import type { EditSpec } from './edit-spec.ts';

/** Directions of one part of an image. */
export interface PartDirections extends NamedMask {
  readonly set: DirectionSet;
}

/** What directions are sought with. */
export interface DirectionSearch {
  readonly denoiser: Denoiser;
  /** The same model under the condition to edit towards. */
  readonly wanted?: Denoiser | undefined;
  /** Data whose principal components the baseline `pca` takes. */
  readonly train?: Dataset | undefined;
  /** One noisy image at `sigma`. */
  readonly noisy: FloatTensor;
  readonly sigma: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FindProgress) => void) | undefined;
}

/**
 * Directions inside one mask by the method of a spec.
 * @throws SpecError where the method lacks what it needs; as `findDirections`, `supervisedDirection` and `leadingComponents`
 */
export async function searchDirections(
  spec: Pick<EditSpec, 'method' | 'directions' | 'nullRank' | 'seed'>,
  mask: Mask | undefined,
  { denoiser, wanted, train, noisy, sigma, signal, onProgress }: DirectionSearch,
): Promise<DirectionSet> {
  const { method, directions: rank, nullRank, seed } = spec;
  const options = { mask, nullRank, seed, signal, onProgress };
  if (method === 'supervised') {
    if (wanted === undefined) throw new SpecError('edit', 'expected a condition to edit towards, got none. Give --towards-class or --towards-text.'); // prettier-ignore
    return supervisedDirection(denoiser, wanted, noisy, sigma, options);
  }
  if (method !== 'pca') return findDirections(denoiser, noisy, sigma, { ...options, method, rank });
  if (train === undefined) throw new SpecError('edit', `expected training data for --method pca, ${denoiser.name} names none. Choose another method.`); // prettier-ignore
  const vectors = (await leadingComponents(masked(train, mask), { count: rank, seed, tolerance: PCA_TOLERANCE, ...(signal && { signal }) })).components; // prettier-ignore
  return describeDirections(denoiser, noisy, sigma, { method, mask, vectors });
}

/** Samples that the baseline of principal components looks at: as many as decide its leading directions. */
const PCA_SAMPLES = 2000;
/** Directions need no more digits. */
const PCA_TOLERANCE = 1e-4;

/** Training samples with everything outside the mask set to 0. */
function masked(train: Dataset, mask: Mask | undefined): Dataset {
  const few = train.count <= PCA_SAMPLES ? train : subset(train, { end: PCA_SAMPLES }, train.name);
  if (mask === undefined) return few;
  const flags = expandMask(mask, train.sampleShape);
  return datasetFrom({
    name: `${train.name} inside the mask`,
    count: few.count,
    sampleShape: few.sampleShape,
    range: few.range,
    load: async (indices) => (await few.read(indices)).data.map((v, i) => (flags[i % flags.length] === 0 ? 0 : v)),
  });
}

/**
 * Saved directions, checked against the model that is to use them.
 * @param paths  of side-cars
 * @throws ModelError, SpecError in one line for a broken file, directions of another model, or of noise levels that differ
 */
export async function loadDirections(paths: readonly string[], model: DirectionModel): Promise<PartDirections[]> {
  const loaded: PartDirections[] = [];
  for (const path of paths) {
    const text = new TextDecoder().decode(await readBytes(path));
    const { set, provenance } = await readDirections(path, text, (file) => readBytes(join(dirname(path), file)));
    checkFits(set, provenance, model);
    const first = loaded[0]?.set.sigma ?? set.sigma;
    if (Math.abs(set.sigma - first) > 1e-6 * first) {
      throw new SpecError('edit', `expected directions of one noise level, got ${first} and ${set.sigma} in ${path}. Transfer them one after the other.`); // prettier-ignore
    }
    loaded.push({ name: path, set, mask: set.mask });
  }
  return loaded;
}

/** Change of the posterior mean by a unit step along each direction, [K, n]: one block of products. */
export async function predictedChanges(
  denoiser: Denoiser,
  noisy: FloatTensor,
  set: DirectionSet,
): Promise<Float64Array> {
  const changes = await denoiser.linearize(noisy, set.sigma).apply(set.vectors);
  return castFloat(changes, 'float64').data.subarray(0, set.values.length * sizeOf(set.sampleShape));
}
