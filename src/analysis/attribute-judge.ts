import type { AttributeTable, Dataset } from '../data/dataset.ts';
import { DatasetError, DomainError, ShapeError, throwIfAborted } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import { castFloat, sameShape, showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';

/** Tells attributes from images. */
export interface AttributeJudge {
  readonly names: readonly string[];
  /** [A], standard deviation of each attribute in the training data: the unit of changes. */
  readonly deviations: Float64Array;
  /** [A], share of the variance on held-out images that it explains: 1 tells the attribute exactly, 0 no better than the mean. */
  readonly r2: Float64Array;
  /** [B, A] attributes of images [B, ...sampleShape], in their own units. @throws ShapeError for other images */
  readonly judge: (images: FloatTensor) => Float64Array;
}

/** Options of `fitAttributeJudge`. */
export interface AttributeJudgeOptions extends WatchOptions {
  /** Images learned from, the first of the training data; default 2,000: the kernel matrix is of this size. */
  readonly images?: number | undefined;
  /** Ridge, relative to a kernel of about 1 between like images; default 0.01. */
  readonly ridge?: number | undefined;
}

const DEFAULT_IMAGES = 2000;
const DEFAULT_RIDGE = 0.01;
/** Held-out images that the accuracy is measured on. */
const HELDOUT = 1000;

/**
 * Learns to tell the attributes of a data set from its images, by kernel ridge regression with the kernel (1 + x . y / s)^2 on pixels less their
 * mean, s their mean squared length: pairs of pixels tell where an edge lies, and so tilt, size and small parts, as single pixels cannot.
 * @param train  images with attributes
 * @param heldout  others with the same attributes, for the accuracy
 * @throws DatasetError for data without attributes; DomainError for attributes that never differ; ShapeError for images of two shapes; CancelledError
 * @precision float64; the fit costs one eigendecomposition of [images, images]
 * @source Saunders, Gammerman and Vovk 1998 (kernel ridge regression)
 */
export async function fitAttributeJudge(
  train: Dataset,
  heldout: Dataset,
  { images = DEFAULT_IMAGES, ridge = DEFAULT_RIDGE, signal }: AttributeJudgeOptions = {},
): Promise<AttributeJudge> {
  if (!sameShape(train.sampleShape, heldout.sampleShape)) {
    throw new ShapeError('judge', `expected images of one shape, got ${showShape(train.sampleShape)} and ${showShape(heldout.sampleShape)}.`); // prettier-ignore
  }
  const seen = await readPart(train, images);
  const { names } = seen.table;
  throwIfAborted('judge', signal);
  const mean = columnMeans(seen.x);
  const x = centred(seen.x, mean);
  const scale = x.data.reduce((sum, v) => sum + v * v, 0) / (x.shape[0] as number);
  const targets = standardized(seen.table, x.shape[0] as number);
  const weights = ridgeWeights(kernel(x, x, scale), targets.values, ridge);
  throwIfAborted('judge', signal);
  const A = names.length;
  const judge = (given: FloatTensor): Float64Array => {
    const [, ...shape] = given.shape;
    if (!sameShape(shape, train.sampleShape)) {
      throw new ShapeError('judge', `expected images ${showShape(train.sampleShape)}, got ${showShape(shape)}.`);
    }
    const rows = flattened(castFloat(given, 'float64'));
    const { data } = matmul(kernel(centred(rows, mean), x, scale), weights);
    return data.map((v, i) => (targets.means[i % A] as number) + (targets.deviations[i % A] as number) * v);
  };
  const other = await readPart(heldout, HELDOUT);
  const r2 = explained(judge(shaped(other.x, train.sampleShape)), other.table, other.x.shape[0] as number);
  return { names, deviations: targets.deviations, r2, judge };
}

/** Attributes told worse than this are left out where changes count: what they seem to change is the judge's error. */
const LEAST_R2 = 0.5;

/** The same judge of the attributes alone that it tells well: those whose R^2 is `LEAST_R2` or more. */
export function credible({ names, deviations, r2, judge }: AttributeJudge): AttributeJudge {
  const kept = Int32Array.from(names.keys()).filter((a) => (r2[a] as number) >= LEAST_R2);
  const A = names.length;
  return {
    names: Array.from(kept, (a) => names[a] as string),
    deviations: Float64Array.from(kept, (a) => deviations[a] as number),
    r2: Float64Array.from(kept, (a) => r2[a] as number),
    judge: (images) => {
      const all = judge(images);
      return Float64Array.from({ length: (all.length / A) * kept.length }, (_, i) => {
        const [b, k] = [Math.floor(i / kept.length), i % kept.length];
        return all[b * A + (kept[k] as number)] as number;
      });
    },
  };
}

interface Part {
  /** [N, n] */
  readonly x: Tensor<'float64'>;
  readonly table: AttributeTable;
}

/** The first images of a data set with their attributes. */
async function readPart(data: Dataset, most: number): Promise<Part> {
  if (data.attributes === undefined) {
    throw new DatasetError(data.name, 'expected images with known attributes to learn a judge from, got none. Use faces.'); // prettier-ignore
  }
  const count = Math.min(most, data.count);
  const x = await data.read(Array.from({ length: count }, (_, i) => i));
  return { x: flattened(castFloat(x, 'float64')), table: data.attributes };
}

function flattened(x: Tensor<'float64'>): Tensor<'float64'> {
  const [count = 0, ...shape] = x.shape;
  return tensor('float64', [count, sizeOf(shape)], x.data);
}

function shaped(x: Tensor<'float64'>, sampleShape: readonly number[]): Tensor<'float64'> {
  return tensor('float64', [x.shape[0] as number, ...sampleShape], x.data);
}

function columnMeans({ shape, data }: Tensor<'float64'>): Float64Array {
  const [count = 0, n = 0] = shape;
  const means = new Float64Array(n);
  data.forEach((v, i) => (means[i % n] = (means[i % n] as number) + v / count));
  return means;
}

function centred(x: Tensor<'float64'>, mean: Float64Array): Tensor<'float64'> {
  return tensor('float64', x.shape, x.data.map((v, i) => v - (mean[i % mean.length] as number))); // prettier-ignore
}

/** (1 + a . b / scale)^2 over 4, so that an image of usual length has 1 with itself. */
function kernel(a: Tensor<'float64'>, b: Tensor<'float64'>, scale: number): Tensor<'float64'> {
  const products = matmul(a, b, { transposeB: true });
  return tensor('float64', products.shape, products.data.map((v) => (1 + v / scale) ** 2 / 4)); // prettier-ignore
}

/** [N, A] solutions of (K + ridge I) w = y. */
function ridgeWeights(K: Tensor<'float64'>, y: Tensor<'float64'>, ridge: number): Tensor<'float64'> {
  const { values, vectors } = eigh(K);
  // Row i of `vectors` is eigenvector i.
  const turned = matmul(vectors, y);
  const A = y.shape[1] as number;
  turned.data.forEach((v, i) => (turned.data[i] = v / ((values[Math.floor(i / A)] as number) + ridge)));
  return matmul(vectors, turned, { transposeA: true });
}

/** Attributes of the first samples, less their means, over their deviations. */
function standardized(
  { names, values }: AttributeTable,
  count: number,
): { values: Tensor<'float64'>; means: Float64Array; deviations: Float64Array } {
  const A = names.length;
  const means = columnMeans(tensor('float64', [count, A], values.slice(0, count * A)));
  const squares = new Float64Array(A);
  for (let i = 0; i < count * A; i++) {
    squares[i % A] = (squares[i % A] as number) + ((values[i] as number) - (means[i % A] as number)) ** 2 / count;
  }
  const deviations = squares.map(Math.sqrt);
  const still = deviations.findIndex((d, a) => !(d > 1e-12 * Math.abs(means[a] as number)));
  if (still >= 0) {
    throw new DomainError('judge', `expected attributes that differ between images, ${names[still]} never does. Give more images.`); // prettier-ignore
  }
  const data = Float64Array.from({ length: count * A }, (_, i) => ((values[i] as number) - (means[i % A] as number)) / (deviations[i % A] as number)); // prettier-ignore
  return { values: tensor('float64', [count, A], data), means, deviations };
}

/** 1 less the mean squared error over the variance, an attribute. */
function explained(judged: Float64Array, { names, values }: AttributeTable, count: number): Float64Array {
  const A = names.length;
  const means = columnMeans(tensor('float64', [count, A], values.slice(0, count * A)));
  const [error, variance] = [new Float64Array(A), new Float64Array(A)];
  for (let i = 0; i < count * A; i++) {
    const a = i % A;
    error[a] = (error[a] as number) + ((values[i] as number) - (judged[i] as number)) ** 2;
    variance[a] = (variance[a] as number) + ((values[i] as number) - (means[a] as number)) ** 2;
  }
  return error.map((e, a) => 1 - e / (variance[a] as number));
}
