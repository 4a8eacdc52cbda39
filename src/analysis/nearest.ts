import type { Dataset } from '../data/dataset.ts';
import { ShapeError } from '../errors/errors.ts';
import { sameShape, showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';

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
 * Euclidean nearest neighbours of samples in a data set, by full search in one pass over the data.
 * @param samples  [M, ...sampleShape]; not consumed
 * @throws ShapeError if samples and data differ in shape; CancelledError between batches; DatasetError if a file fails
 * @precision differences are summed in float64, so a copy has distance 0 exactly
 */
export async function findNearest(
  samples: FloatTensor,
  dataset: Dataset,
  options: WatchOptions = {},
): Promise<NearestSamples> {
  const [count = 0, ...sampleShape] = samples.shape;
  if (!sameShape(sampleShape, dataset.sampleShape)) {
    throw new ShapeError(
      'findNearest',
      `expected samples [M, ${dataset.sampleShape.join(', ')}], got ${showShape(samples.shape)}.`,
    );
  }
  const D = sizeOf(sampleShape);
  const least = new Float64Array(count).fill(Infinity);
  const indices = new Int32Array(count);
  const { signal, onProgress } = options;
  let seen = 0;
  for await (const batch of dataset.batches({ size: 256, ...(signal && { signal }) })) {
    for (let m = 0; m < count; m++) {
      const sample = samples.data.subarray(m * D, (m + 1) * D);
      batch.indices.forEach((index, b) => {
        const bound = least[m] as number;
        const squares = distanceSquared(sample, batch.x.data, b * D, bound);
        if (squares < bound) [least[m], indices[m]] = [squares, index];
      });
    }
    seen += batch.indices.length;
    onProgress?.(seen, dataset.count);
  }
  const distance = least.map((squares) => Math.sqrt(squares / D));
  return { nearest: await dataset.read(indices), indices, distance: tensor('float64', [count], distance) };
}

/** |a - b|^2, or some number not below `bound` as soon as the sum reaches it. */
function distanceSquared(a: Float32Array | Float64Array, b: Float32Array, at: number, bound: number): number {
  let sum = 0;
  for (let start = 0; start < a.length && sum < bound; start += 64) {
    const end = Math.min(start + 64, a.length);
    for (let i = start; i < end; i++) {
      const d = (a[i] as number) - (b[at + i] as number);
      sum += d * d;
    }
  }
  return sum;
}
