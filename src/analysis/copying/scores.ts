import type { Dataset } from '../../data/dataset.ts';
import { ShapeError } from '../../errors/errors.ts';
import { sameShape, showShape } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { describeAll } from '../descriptors/descriptor.ts';
import type { Descriptor } from '../descriptors/descriptor.ts';
import type { WatchOptions } from '../jacobian.ts';
import { nearestNeighbors } from '../neighbors.ts';
import type { Neighbors } from '../neighbors.ts';
import type { NeighborMetric } from '../neighbors-rows.ts';

/** Nearest neighbours of a batch of descriptions in a bank of them, ascending, as `nearestNeighbors` finds them. */
export type NeighborSearch = (
  queries: Tensor<'float32'>,
  bank: Dataset,
  options: WatchOptions & { readonly k: number; readonly metric: NeighborMetric },
) => Promise<Neighbors>;

/** What rules of copying look at: one number a query for each rule. */
export interface CopyScores {
  readonly descriptor: string;
  /** [M], place of the nearest training image. */
  readonly nearest: Int32Array;
  /** [M], cosine with the nearest training image; only of descriptors compared by cosine. */
  readonly similarity?: Float64Array;
  /** [M], distance to the nearest training image. */
  readonly distance: Float64Array;
  /** [M], that distance over the mean of the next ones; only where the training set has so many images. */
  readonly ratio?: Float64Array;
}

/** Options of `scoreCopies`. */
export interface ScoreOptions extends WatchOptions {
  /** Default `nearestNeighbors`; say, one that leaves out an image's own place in the bank. */
  readonly search?: NeighborSearch | undefined;
  /** Neighbours beyond the nearest, whose mean distance the ratio is taken to. Default 1, as released code does. */
  readonly others?: number | undefined;
}

/**
 * Compares images with their nearest training images in the space of a descriptor, in one search.
 * Distances are Euclidean: of the descriptions themselves, or of their unit vectors, sqrt(2 - 2 cos), where they are compared by cosine.
 * The ratio of an image that equals several training images is 0 over 0 and counts as 0; between near-duplicates of the training set
 * it is near 1 however well one of them is copied, so find duplicates first.
 * @param images  [M, ...sampleShape]; not consumed
 * @param bank  descriptions of the training set, from `describeDataset`
 * @throws ShapeError where the bank holds no descriptions of this length; CancelledError
 * @source Gu et al. 2023, arXiv 2310.02664, and its released code (nearest over second nearest distance)
 */
export async function scoreCopies(
  images: Tensor<'float32'>,
  bank: Dataset,
  descriptor: Descriptor,
  { search = nearestNeighbors, others = 1, signal, onProgress }: ScoreOptions = {},
): Promise<CopyScores> {
  if (!sameShape(bank.sampleShape, [descriptor.length])) {
    const got = showShape(bank.sampleShape);
    throw new ShapeError(bank.name, `expected descriptions of ${descriptor.length} numbers, got samples ${got}.`);
  }
  const k = bank.count > others ? others + 1 : 1;
  const queries = await describeAll(images, descriptor, { signal });
  const M = queries.shape[0] as number;
  const { indices, distances } = await search(queries, bank, { k, metric: descriptor.similarity, signal, onProgress });
  const nearest = Int32Array.from({ length: M }, (_, m) => indices[m * k] as number);
  const first = Float64Array.from({ length: M }, (_, m) => distances.data[m * k] as number);
  const byCosine = descriptor.similarity === 'cosine';
  const length = (d: number): number => (byCosine ? Math.sqrt(2 * Math.max(0, d)) : d);
  const distance = first.map(length);
  const scores = { descriptor: descriptor.name, nearest, distance };
  const ratio = distance.map((d, m) => ratioOf(d, meanOfNext(distances.data, m * k, k, length)));
  return { ...scores, ...(byCosine && { similarity: first.map((d) => 1 - d) }), ...(k > 1 && { ratio }) };
}

/** Where a search leaves out so many places that there are no next ones, nothing says copy: 1. */
function ratioOf(first: number, next: number): number {
  if (first === 0) return 0;
  return next < Infinity ? first / next : 1;
}

/** Mean length of the distances after the first of a row. */
function meanOfNext(distances: Float64Array, start: number, k: number, length: (d: number) => number): number {
  let sum = 0;
  for (let i = 1; i < k; i++) sum += length(distances[start + i] as number);
  return sum / (k - 1);
}
