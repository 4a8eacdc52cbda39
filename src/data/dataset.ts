import { DatasetError, DomainError, throwIfAborted } from '../errors/errors.ts';
import { showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { contentHash } from './content-hash.ts';

/** Lowest and highest value that a data set can hand out: [-1, 1] for images. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/** Which samples a pass visits, in what order and how many at a time; `indices` or `start` and `end`, not both. */
export interface BatchOptions {
  /** Samples a batch, >= 1; the last batch may be smaller. */
  readonly size: number;
  readonly indices?: ArrayLike<number>;
  /** First sample, default 0. */
  readonly start?: number;
  /** One past the last sample, default `count`. */
  readonly end?: number;
  readonly signal?: AbortSignal;
}

/** Samples in a row of the first axis, with their places in the data set. */
export interface Batch {
  /** [B, ...sampleShape] */
  readonly x: Tensor<'float32'>;
  readonly indices: Int32Array;
}

/** A file that was found but cannot be a sample. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

/** Numbers that are known of every sample, such as the attributes of a drawn face. */
export interface AttributeTable {
  /** One name a column. */
  readonly names: readonly string[];
  /** [count, names.length], row by row. */
  readonly values: Float64Array;
}

/** The one contract of data: samples of one shape and one range, read when asked for. */
export interface Dataset {
  /** What the user called it, for tables and files. */
  readonly name: string;
  /** Number of samples, >= 1. */
  readonly count: number;
  /** [C, H, W] for images, [D] for points. */
  readonly sampleShape: readonly number[];
  readonly range: ValueRange;
  /** Class of every sample, where known. */
  readonly labels?: Int32Array;
  /** Names of classes 0, 1, ..., where known. */
  readonly classNames?: readonly string[];
  /** What else is known of every sample, where anything is. */
  readonly attributes?: AttributeTable;
  /** What the reader concluded by itself (range, layout), one sentence for the user. */
  readonly note?: string;
  /** Files that the reader was told to skip where they cannot be used. */
  readonly leftOut?: readonly LeftOut[];
  /** SHA-256 of the content as handed out, independent of where and how it is stored; computed on first use. */
  hash(): Promise<string>;
  /** One pass over the chosen samples. @throws DomainError, CancelledError, DatasetError if a file fails */
  batches(options: BatchOptions): AsyncIterable<Batch>;
  /** The named samples [B, ...sampleShape], repeats allowed. @throws DomainError if an index lies outside */
  read(indices: ArrayLike<number>): Promise<Tensor<'float32'>>;
}

/** What a reader provides; `datasetFrom` makes a Dataset of it. */
export interface DatasetSource {
  readonly name: string;
  readonly count: number;
  readonly sampleShape: readonly number[];
  readonly range: ValueRange;
  readonly labels?: Int32Array | undefined;
  readonly classNames?: readonly string[] | undefined;
  readonly attributes?: AttributeTable | undefined;
  readonly note?: string | undefined;
  readonly leftOut?: readonly LeftOut[] | undefined;
  /** Flat samples at checked indices, in order. */
  load(indices: Int32Array): Promise<Float32Array>;
}

/** Optional facts of samples held in memory. */
export interface InMemoryOptions {
  readonly labels?: Int32Array | undefined;
  readonly classNames?: readonly string[] | undefined;
  readonly note?: string | undefined;
}

/**
 * Completes a source to a Dataset: batching, index checks, hash.
 * @throws DatasetError if the source is empty or its labels do not count as many as its samples
 */
export function datasetFrom(source: DatasetSource): Dataset {
  const { name, count, labels, classNames, attributes, note, leftOut } = source;
  const sampleShape = [...source.sampleShape];
  if (count < 1 || sizeOf(sampleShape) < 1) {
    throw new DatasetError(name, `expected at least one sample, got ${count} of shape ${showShape(sampleShape)}.`);
  }
  if (labels !== undefined && labels.length !== count) {
    throw new DatasetError(name, `expected ${count} labels, got ${labels.length}. Give the labels of these samples.`);
  }
  const load = async (indices: Int32Array): Promise<Tensor<'float32'>> =>
    tensor('float32', [indices.length, ...sampleShape], await source.load(indices));
  let hash: Promise<string> | undefined;
  const dataset: Dataset = {
    name,
    count,
    sampleShape,
    range: source.range,
    ...(labels && { labels }),
    ...(classNames && { classNames }),
    ...(attributes && { attributes }),
    ...(note !== undefined && { note }),
    ...(leftOut && { leftOut }),
    hash: () => (hash ??= contentHash(dataset)),
    batches: (options) => batchesOf(name, count, load, options),
    read: async (indices) => load(checkedIndices(name, count, indices)),
  };
  return dataset;
}

/**
 * Samples [N, ...sampleShape] held in memory as they are.
 * @param range  bounds of the values; not checked here
 */
export function inMemory(name: string, x: FloatTensor, range: ValueRange, options: InMemoryOptions = {}): Dataset {
  const [count = 0, ...sampleShape] = x.shape;
  const size = sizeOf(sampleShape);
  const load = (indices: Int32Array): Promise<Float32Array> => {
    const out = new Float32Array(indices.length * size);
    indices.forEach((i, b) => out.set(x.data.subarray(i * size, (i + 1) * size), b * size));
    return Promise.resolve(out);
  };
  return datasetFrom({ name, count, sampleShape, range, ...options, load });
}

/** What each byte is handed out as: v / 127.5 - 1. */
export const byteLevels: Float32Array = Float32Array.from({ length: 256 }, (_, v) => v / 127.5 - 1);

/** Bytes [N, ...sampleShape] held in memory and handed out as v / 127.5 - 1, in [-1, 1]. */
export function inMemoryBytes(name: string, x: Tensor<'uint8'>, options: InMemoryOptions = {}): Dataset {
  const [count = 0, ...sampleShape] = x.shape;
  const size = sizeOf(sampleShape);
  const load = (indices: Int32Array): Promise<Float32Array> => {
    const out = new Float32Array(indices.length * size);
    let at = 0;
    for (const i of indices) {
      for (let j = i * size; j < (i + 1) * size; j++) out[at++] = byteLevels[x.data[j] as number] as number;
    }
    return Promise.resolve(out);
  };
  return datasetFrom({ name, count, sampleShape, range: { low: -1, high: 1 }, ...options, load });
}

/**
 * Some samples of a data set under a new name, read through to the original.
 * @param which  `indices`, or `start` (default 0) and `end` (default count)
 * @throws DomainError if a bound or an index lies outside
 */
export function subset(
  dataset: Dataset,
  which: Pick<BatchOptions, 'indices' | 'start' | 'end'>,
  name: string,
): Dataset {
  const chosen = chosenIndices(name, dataset.count, which);
  const { labels, classNames, attributes, note, leftOut, sampleShape, range } = dataset;
  return datasetFrom({
    name,
    count: chosen.length,
    sampleShape,
    range,
    labels: labels && chosen.map((i) => labels[i] as number),
    classNames,
    attributes: attributes && rowsOf(attributes, chosen),
    note,
    leftOut,
    load: async (indices) => (await dataset.read(indices.map((i) => chosen[i] as number))).data,
  });
}

function rowsOf({ names, values }: AttributeTable, rows: Int32Array): AttributeTable {
  const width = names.length;
  const chosen = new Float64Array(rows.length * width);
  rows.forEach((row, i) => chosen.set(values.subarray(row * width, (row + 1) * width), i * width));
  return { names, values: chosen };
}

async function* batchesOf(
  name: string,
  count: number,
  load: (indices: Int32Array) => Promise<Tensor<'float32'>>,
  options: BatchOptions,
): AsyncGenerator<Batch> {
  if (!Number.isInteger(options.size) || options.size < 1) {
    throw new DomainError(name, `expected a batch size that is an integer >= 1, got ${options.size}.`);
  }
  const chosen = chosenIndices(name, count, options);
  for (let at = 0; at < chosen.length; at += options.size) {
    // Samples in memory come without ever waiting: hand the event loop a turn, or no interrupt and no worker would be heard.
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfAborted(name, options.signal);
    const indices = chosen.slice(at, at + options.size);
    yield { x: await load(indices), indices };
  }
}

function chosenIndices(
  name: string,
  count: number,
  which: Pick<BatchOptions, 'indices' | 'start' | 'end'>,
): Int32Array {
  const { indices, start, end } = which;
  if (indices !== undefined) {
    if (start !== undefined || end !== undefined) {
      throw new DomainError(name, 'expected either indices or start and end, got both. Drop one of them.');
    }
    return checkedIndices(name, count, indices);
  }
  const [first, last] = [start ?? 0, end ?? count];
  if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || last < first || last > count) {
    throw new DomainError(name, `expected 0 <= start <= end <= ${count}, got start ${first}, end ${last}.`);
  }
  return Int32Array.from({ length: last - first }, (_, i) => first + i);
}

function checkedIndices(name: string, count: number, indices: ArrayLike<number>): Int32Array {
  return Int32Array.from(indices, (i, at) => {
    if (Number.isInteger(i) && i >= 0 && i < count) return i;
    throw new DomainError(name, `expected indices from 0 to ${count - 1}, got ${i} at position ${at}.`);
  });
}
