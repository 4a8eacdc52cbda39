import { describeAll, describeDataset } from '../../analysis/descriptors/descriptor.ts';
import { meanSample, pixelDescriptor } from '../../analysis/descriptors/pixels.ts';
import { nearestNeighbors } from '../../analysis/neighbors.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { PEAK } from './curve.ts';

/**
 * What chance gives: the share of held-out images whose cosine with the nearest training image lies above that of the memorization peak.
 * @param heldout  [H, ...sampleShape] that none of `train` is in
 * @throws CancelledError
 */
export async function heldoutPeak(
  heldout: Tensor<'float32'>,
  train: Dataset,
  signal: AbortSignal | undefined,
): Promise<number> {
  const descriptor = pixelDescriptor({ sampleShape: train.sampleShape, mean: meanSample(heldout) });
  const queries = await describeAll(heldout, descriptor, { signal });
  const { distances } = await nearestNeighbors(queries, describeDataset(train, descriptor), {
    metric: 'cosine',
    signal,
  });
  return distances.data.filter((distance) => 1 - distance > PEAK).length / distances.data.length;
}
