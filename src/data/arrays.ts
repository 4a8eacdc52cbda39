import { DatasetError } from '../errors/errors.ts';
import { castFloat, showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { inMemory, inMemoryBytes } from './dataset.ts';
import type { Dataset, ValueRange } from './dataset.ts';

/** Order of the axes of stored images. */
export type ImageLayout = 'NHWC' | 'NCHW';

/** What an array does not say about itself. */
export interface ArrayOptions {
  /** Class of every sample: integers [N]. */
  readonly labels?: Tensor | undefined;
  /** Range of stored float images, mapped to [-1, 1]; inferred from the values without it. Points are handed out as they are. */
  readonly range?: ValueRange | undefined;
  /** Axes of stored images; found by the axis of 1 or 3 channels without it. */
  readonly layout?: ImageLayout | undefined;
}

/** How an array is cut into samples. */
export interface ArraySamples {
  /** [N, C, H, W] or [N, D] */
  readonly shape: readonly number[];
  /** Whether the array is stored with channels last and must be rearranged. */
  readonly moved: boolean;
  readonly notes: readonly string[];
}

/**
 * An array as a data set: images [N, H, W], [N, H, W, C] or [N, C, H, W] with C of 1 or 3, or points [N, D].
 * Bytes become [-1, 1], also as points; float images are mapped to [-1, 1] from the stated range, or from [0, 1] or [-1, 1] as inferred (see `note`);
 * float points stay as they are.
 * @throws DatasetError for another rank or dtype, NaN or infinity, values outside the range, labels that are not integers [N]
 */
export function arrayDataset(name: string, x: Tensor, options: ArrayOptions = {}): Dataset {
  const samples = samplesOf(name, x, options.layout);
  const labels = options.labels && integerLabels(name, options.labels);
  const noteOf = (more: string[]): string | undefined => [...samples.notes, ...more].join(' ') || undefined;
  if (x.dtype === 'uint8') {
    const bytes = x.data as Uint8Array;
    const data = samples.moved ? channelsFirst(bytes, samples.shape, new Uint8Array(bytes.length)) : bytes;
    return inMemoryBytes(name, tensor('uint8', samples.shape, data), { labels, note: noteOf([]) });
  }
  if (x.dtype !== 'float32' && x.dtype !== 'float64') {
    throw new DatasetError(name, `expected uint8, float32 or float64, got ${x.dtype}. Convert with .astype('uint8').`);
  }
  const floats = x as FloatTensor;
  const bounds = boundsOf(name, floats);
  if (options.range) assertWithin(name, floats, bounds, options.range);
  if (samples.shape.length === 2) {
    const range = options.range ?? { low: Math.fround(bounds.low), high: Math.fround(bounds.high) };
    const note = options.range ? [] : [`Range [${range.low}, ${range.high}] is that of the values.`];
    return inMemory(name, castFloat(floats, 'float32'), range, { labels, note: noteOf(note) });
  }
  const { range, note } = options.range ? { range: options.range, note: [] } : inferredRange(name, bounds);
  const scaled = Float32Array.from(floats.data, (v) => ((v - range.low) / (range.high - range.low)) * 2 - 1);
  const data = samples.moved ? channelsFirst(scaled, samples.shape, new Float32Array(scaled.length)) : scaled;
  return inMemory(name, tensor('float32', samples.shape, data), { low: -1, high: 1 }, { labels, note: noteOf(note) });
}

/** Class numbers of an integer-valued array [N]. @throws DatasetError for other ranks and for numbers that are not int32 */
export function integerLabels(name: string, labels: Tensor): Int32Array {
  const bad = labels.data.findIndex((v) => (v | 0) !== v);
  if (labels.shape.length !== 1 || bad >= 0) {
    const got = bad >= 0 ? `${labels.data[bad]} at element ${bad}` : `shape ${showShape(labels.shape)}`;
    throw new DatasetError(
      name,
      `expected labels to be integers of shape [N], got ${got}. Give one class number a sample.`,
    );
  }
  return Int32Array.from(labels.data);
}

/** Axes of an array by its shape and dtype. @throws DatasetError for a shape that holds no samples */
export function samplesOf(
  name: string,
  x: Pick<Tensor, 'shape' | 'dtype'>,
  layout: ImageLayout | undefined,
): ArraySamples {
  const [n = 0, a = 0, b = 0, c = 0] = x.shape;
  if (x.shape.length === 2) return { shape: [n, a], moved: false, notes: [] };
  if (x.shape.length === 3) return { shape: [n, 1, a, b], moved: false, notes: [] };
  const isChannels = (d: number): boolean => d === 1 || d === 3;
  const possible = { NHWC: isChannels(c), NCHW: isChannels(a) };
  if (x.shape.length !== 4 || !(layout ? possible[layout] : possible.NHWC || possible.NCHW)) {
    throw new DatasetError(
      name,
      `expected shape [N, D], [N, H, W], or ${layout ?? '[N, H, W, C] or [N, C, H, W]'} with 1 or 3 channels, got ${showShape(x.shape)}. Transpose or reshape the array.`,
    );
  }
  const usual = x.dtype === 'uint8' ? 'NHWC' : 'NCHW'; // where both fit: how images and how tensors are commonly saved
  const chosen = layout ?? (possible.NHWC && possible.NCHW ? usual : possible.NHWC ? 'NHWC' : 'NCHW');
  const notes = layout ? [] : [`Axes ${showShape(x.shape)} were read as ${chosen}.`];
  return chosen === 'NHWC'
    ? { shape: [n, c, a, b], moved: c > 1, notes }
    : { shape: [n, a, b, c], moved: false, notes };
}

function boundsOf(name: string, x: FloatTensor): ValueRange {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < x.data.length; i++) {
    const v = x.data[i] as number;
    if (!Number.isFinite(Math.fround(v))) {
      throw new DatasetError(
        name,
        `expected finite float32 values, got ${v} at element ${i} of ${showShape(x.shape)} (sample ${Math.floor(i / sizeOf(x.shape.slice(1)))}). Remove or repair that sample.`,
      );
    }
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return { low, high };
}

function inferredRange(name: string, { low, high }: ValueRange): { range: ValueRange; note: string[] } {
  if (low < -1 || high > 1) {
    throw new DatasetError(
      name,
      `expected float images within [0, 1] or [-1, 1], got values from ${low} to ${high}. State their range.`,
    );
  }
  const from = low < 0 ? -1 : 0;
  const note = `Values lie in [${low}, ${high}] and were taken as images of range [${from}, 1].`;
  return { range: { low: from, high: 1 }, note: [note] };
}

function assertWithin(name: string, x: FloatTensor, bounds: ValueRange, range: ValueRange): void {
  if (!(range.low < range.high)) {
    throw new DatasetError(name, `expected a range with low < high, got ${range.low} to ${range.high}.`);
  }
  // A bound such as 0.1 may have become its neighbour in float32.
  const [low, high] = [Math.min(range.low, Math.fround(range.low)), Math.max(range.high, Math.fround(range.high))];
  const bad = bounds.low < low || bounds.high > high ? x.data.findIndex((v) => v < low || v > high) : -1;
  if (bad >= 0) {
    throw new DatasetError(
      name,
      `expected values from ${range.low} to ${range.high}, got ${x.data[bad]} at element ${bad} of ${showShape(x.shape)}. State the range of the data.`,
    );
  }
}

/** Images [N, H, W, C] rearranged to `shape` [N, C, H, W]. @param out  as long as `from`; returned */
export function channelsFirst<A extends Uint8Array | Float32Array>(from: A, shape: readonly number[], out: A): A {
  const [n = 0, channels = 0, height = 0, width = 0] = shape;
  const plane = height * width;
  for (let i = 0; i < n; i++) {
    for (let p = 0; p < plane; p++) {
      for (let c = 0; c < channels; c++) {
        out[(i * channels + c) * plane + p] = from[(i * plane + p) * channels + c] as number;
      }
    }
  }
  return out;
}
