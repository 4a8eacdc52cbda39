import { DomainError } from '../../errors/errors.ts';
import { sizeOf, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { assertSamples } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';

/** What `pixelDescriptor` needs. */
export interface PixelOptions {
  readonly sampleShape: readonly number[];
  /** Mean sample, such as that of the training set. */
  readonly mean?: ArrayLike<number> | undefined;
}

/**
 * A sample's own numbers over sqrt(D), so that distances are root mean square differences in data units. With a mean, it is subtracted and
 * they are compared by cosine: between raw images that have a bright or dark ground in common, every cosine is near 1. Without one they
 * are compared by distance, as released code for the ratio rule does.
 * @throws DomainError where mean and samples differ in size
 * @source Gu et al. 2023, arXiv 2310.02664 (distance of raw pixels)
 */
export function pixelDescriptor({ sampleShape, mean }: PixelOptions): Descriptor {
  const length = sizeOf(sampleShape);
  if (mean !== undefined && mean.length !== length) {
    throw new DomainError('pixels', `expected a mean of ${length} numbers, got ${mean.length}.`);
  }
  const name = mean === undefined ? 'pixels' : 'pixels-centred';
  return {
    name,
    length,
    similarity: mean === undefined ? 'euclidean' : 'cosine',
    describe(x) {
      const count = assertSamples(name, x, sampleShape);
      const scale = 1 / Math.sqrt(length);
      const shift = Float64Array.from({ length }, (_, i) => mean?.[i] ?? 0);
      const out = new Float32Array(count * length);
      for (let at = 0; at < out.length; at += length) {
        for (let i = 0; i < length; i++) out[at + i] = scale * ((x.data[at + i] as number) - (shift[i] as number));
      }
      return Promise.resolve(tensor('float32', [count, length], out));
    },
  };
}

/** Mean of samples [B, ...sampleShape] held in memory, flat, in float64. */
export function meanSample(x: Tensor<'float32'>): Float64Array {
  const [count = 0, ...shape] = x.shape;
  const size = sizeOf(shape);
  const mean = new Float64Array(size);
  x.data.forEach((v, i) => (mean[i % size] = (mean[i % size] as number) + v / count));
  return mean;
}
