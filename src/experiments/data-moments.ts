import type { GaussianMoments } from '../analysis/teleport.ts';
import type { Dataset } from '../data/dataset.ts';
import { computeMoments } from '../data/moments.ts';
import { gramKernel } from '../linalg/gram.ts';
import { SpecError } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { sizeOf, slice } from '../tensor/tensor.ts';

/** A covariance of this size takes 134 MB and its eigenvectors as much again. */
const largestDimension = 4096;

/**
 * Mean and eigendecomposition of a data set's covariance, variances descending.
 * @throws SpecError beyond 4096 dimensions; CancelledError; DatasetError if a file fails
 */
export async function dataMoments(dataset: Dataset, signal?: AbortSignal): Promise<GaussianMoments> {
  const dimension = sizeOf(dataset.sampleShape);
  if (dimension > largestDimension) {
    throw new SpecError(
      dataset.name,
      `expected samples of at most ${largestDimension} values for a whole covariance, got ${dimension}. Take smaller images.`,
    );
  }
  const { mean, covariance } = await computeMoments(dataset, { gram: gramKernel, ...(signal && { signal }) });
  return { mean, eigen: eigh(covariance) };
}

/** The leading `rank` directions of a covariance alone. */
export function leadingMoments({ mean, eigen }: GaussianMoments, rank: number): GaussianMoments {
  return { mean, eigen: { values: eigen.values.slice(0, rank), vectors: slice(eigen.vectors, 0, rank) } };
}
