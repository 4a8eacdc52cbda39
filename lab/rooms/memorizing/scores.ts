import { scoreCopies } from '../../../src/analysis/copying/scores.ts';
import type { CopyScores, NeighborSearch } from '../../../src/analysis/copying/scores.ts';
import { describeDataset } from '../../../src/analysis/descriptors/descriptor.ts';
import { pixelDescriptor } from '../../../src/analysis/descriptors/pixels.ts';
import type { WatchOptions } from '../../../src/analysis/jacobian.ts';
import { nearestNeighbors } from '../../../src/analysis/neighbors.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';

/** One image with its nearest training image. */
export interface Pair {
  /** Flat. */
  readonly image: Float32Array;
  readonly nearest: Float32Array;
  /** Root mean square difference of the two, data units. */
  readonly distance: number;
  /** That over the distance of the second nearest. */
  readonly ratio: number;
}

/** How images are compared. */
export interface PixelOptions extends WatchOptions {
  /** Pairs of an image and a training image that do not count. */
  readonly exclude?: (query: number, index: number) => boolean;
}

/** Images beside the nearest training images by pixel distance, as `eigenlens audit --descriptors pixels` finds them. */
export function scorePixels(
  images: Tensor<'float32'>,
  train: Dataset,
  { exclude, signal, onProgress }: PixelOptions,
): Promise<CopyScores> {
  const descriptor = pixelDescriptor({ sampleShape: train.sampleShape });
  // All pairs one by one, which gives the same numbers: workers of a worker would each load a runtime first.
  const search: NeighborSearch = (queries, bank, options) =>
    nearestNeighbors(queries, bank, { ...options, method: 'direct', exclude });
  return scoreCopies(images, describeDataset(train, descriptor), descriptor, { search, signal, onProgress });
}

/** The pairs of some images. @param which  places among the images */
export async function pairsOf(
  images: Tensor<'float32'>,
  train: Dataset,
  { nearest, distance, ratio }: CopyScores,
  which: readonly number[],
): Promise<Pair[]> {
  const size = images.data.length / (images.shape[0] as number);
  const { data } = await train.read(which.map((m) => nearest[m] as number));
  return which.map((m, i) => ({
    image: images.data.slice(m * size, (m + 1) * size),
    nearest: data.slice(i * size, (i + 1) * size),
    distance: distance[m] as number,
    ratio: ratio?.[m] ?? NaN,
  }));
}
