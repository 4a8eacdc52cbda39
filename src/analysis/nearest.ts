import type { Dataset } from '../data/dataset.ts';
import { sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';
import { nearestNeighbors } from './neighbors.ts';

/** The nearest data sample of each drawn sample. */
export interface NearestSamples {
  /** [M, ...sampleShape] */
  readonly nearest: Tensor<'float32'>;
  /** [M], places in the data set; the first of equals. */
  readonly indices: Int32Array;
  /** [M], root mean square difference |sample - nearest| / sqrt(D), in data units. */
  readonly distance: Tensor<'float64'>;
}

/**
 * The nearest sample of a data set to each of some samples, with the samples found: `nearestNeighbors` with distances per number.
 * @param samples  [M, ...sampleShape]; not consumed
 * @throws what `nearestNeighbors` throws
 */
export async function findNearest(
  samples: FloatTensor,
  dataset: Dataset,
  options: WatchOptions = {},
): Promise<NearestSamples> {
  const { indices, distances } = await nearestNeighbors(samples, dataset, options);
  const root = Math.sqrt(sizeOf(dataset.sampleShape));
  const distance = tensor(
    'float64',
    [indices.length],
    distances.data.map((d) => d / root),
  );
  return { nearest: await dataset.read(indices), indices, distance };
}
