import { datasetFrom } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { DomainError, ShapeError, throwIfAborted } from '../../errors/errors.ts';
import { sameShape, showShape, sizeOf, slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** How a long description is stopped. */
export interface DescribeOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What stands for an image when images are compared. A number that a descriptor led to means nothing without its name. */
export interface Descriptor {
  /** For tables and files, with whatever changes its numbers: `pca-64-whitened`. */
  readonly name: string;
  /** Numbers in one description. */
  readonly length: number;
  /**
   * How two descriptions are compared. `cosine`: by direction, so that similarity lies in [-1, 1], and distances are taken between
   * descriptions of unit length. `euclidean`: by distance alone; there is no similarity.
   */
  readonly similarity: 'cosine' | 'euclidean';
  /**
   * @param x  [B, ...sampleShape], data units; not consumed
   * @returns [B, length]
   * @throws ShapeError for samples that the descriptor does not take; CancelledError
   */
  describe(x: Tensor<'float32'>, options?: DescribeOptions): Promise<Tensor<'float32'>>;
}

/** Samples described between two looks at the event loop. */
const block = 256;

/**
 * Descriptions of any number of samples, a block at a time, so that an interrupt is heard.
 * @param x  [B, ...sampleShape], B >= 0
 * @returns [B, length]
 */
export async function describeAll(
  x: Tensor<'float32'>,
  descriptor: Descriptor,
  { signal }: DescribeOptions = {},
): Promise<Tensor<'float32'>> {
  const count = x.shape[0] ?? 0;
  const out = new Float32Array(count * descriptor.length);
  for (let start = 0; start < count; start += block) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfAborted(descriptor.name, signal);
    const some = await descriptor.describe(slice(x, start, Math.min(start + block, count)), { signal });
    out.set(some.data, start * descriptor.length);
  }
  return tensor('float32', [count, descriptor.length], out);
}

/**
 * A data set's descriptions as a data set, in which neighbours can be sought. They are made when asked for and not kept: a pass costs a
 * pass over the samples and the work of the descriptor.
 * @returns samples [length] in the order of `dataset`, of no stated range; labels are passed on
 */
export function describeDataset(dataset: Dataset, descriptor: Descriptor): Dataset {
  const { count, labels, classNames } = dataset;
  return datasetFrom({
    name: `${descriptor.name} of ${dataset.name}`,
    count,
    sampleShape: [descriptor.length],
    range: { low: -Infinity, high: Infinity },
    labels,
    classNames,
    load: async (indices) => (await describeAll(await dataset.read(indices), descriptor)).data,
  });
}

/**
 * Cosine of two descriptions. Two that are all 0 (say, of blank images) count as equal, 1; one of them beside another as unrelated, 0.
 * @throws DomainError where the lengths differ
 */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length)
    throw new DomainError('cosine', `expected equal lengths, got ${a.length} and ${b.length}.`);
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [u, v] = [a[i] as number, b[i] as number];
    ab += u * v;
    aa += u * u;
    bb += v * v;
  }
  if (aa === 0 && bb === 0) return 1;
  // The root of a product, which equal vectors turn into the sum itself; squares of float32 numbers cannot overflow it.
  return aa === 0 || bb === 0 ? 0 : Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb)));
}

/** @returns number of samples @throws ShapeError unless x is [B, ...sampleShape] */
export function assertSamples(where: string, x: Tensor, sampleShape: readonly number[]): number {
  const [count = 0, ...own] = x.shape;
  if (x.shape.length > 0 && sameShape(own, sampleShape) && sizeOf(own) > 0) return count;
  throw new ShapeError(where, `expected samples [B, ${sampleShape.join(', ')}], got ${showShape(x.shape)}.`);
}
