import { encode } from 'fast-png';

import { ShapeError } from '../errors/errors.ts';
import { showShape, sizeOf, type FloatTensor } from '../tensor/tensor.ts';
import { diverging } from './colors.ts';

/** An 8-bit RGB picture, row-major, three bytes a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Layout of a grid of pictures. */
export interface GridOptions {
  /** Pictures in a row. */
  columns: number;
  /** Pixels between pictures and around them, after scaling; default 2. */
  padding?: number;
  /** Integer enlargement, nearest neighbour; default 1. */
  scale?: number;
  /** Grey of the ground, 0 to 255; default 255. */
  ground?: number;
}

/** Whether a sample can be shown as a picture: [1, H, W], [3, H, W] or [H, W], more than one pixel wide and high. */
export function isImageShape(sampleShape: readonly number[]): boolean {
  const [channels, height, width] = imageAxes(sampleShape);
  return (channels === 1 || channels === 3) && height > 1 && width > 1;
}

/**
 * A sample as a picture: `range[0]` black, `range[1]` white, clipped outside.
 * @param values  flat sample, channel first
 * @throws ShapeError unless `isImageShape(sampleShape)` and the sizes agree
 */
export function imagePicture(
  values: ArrayLike<number>,
  sampleShape: readonly number[],
  range: readonly [number, number],
): Picture {
  const [low, high] = range;
  return paint(values, sampleShape, (v) => {
    const grey = Math.round(((v - low) / (high - low)) * 255);
    return Math.min(255, Math.max(0, Number.isNaN(grey) ? 0 : grey));
  });
}

/**
 * A direction in sample space as a picture, scaled to its own largest magnitude: one channel blue to white (zero) to red,
 * three channels as colours about mid-grey.
 * @throws ShapeError as `imagePicture`
 */
export function directionPicture(values: ArrayLike<number>, sampleShape: readonly number[]): Picture {
  const peak = peakOf(values);
  if (imageAxes(sampleShape)[0] === 3) return imagePicture(values, sampleShape, [-peak, peak]);
  const grey = paint(values, sampleShape, () => 0);
  for (let i = 0; i < values.length; i++) grey.data.set(diverging((values[i] as number) / peak), 3 * i);
  return grey;
}

/** Largest magnitude of `values`, or 1 where all are zero or not finite. */
export function peakOf(values: ArrayLike<number>): number {
  let peak = 0;
  for (let i = 0; i < values.length; i++) peak = Math.max(peak, Math.abs(values[i] as number));
  return peak > 0 && Number.isFinite(peak) ? peak : 1;
}

/**
 * Pictures side by side, row by row.
 * @param pictures  all of one size, at least one
 * @throws ShapeError if the sizes differ or there is none
 */
export function gridPicture(pictures: readonly Picture[], options: GridOptions): Picture {
  const { columns, padding = 2, scale = 1, ground = 255 } = options;
  const first = pictures[0];
  if (first === undefined || pictures.some((p) => p.width !== first.width || p.height !== first.height)) {
    throw new ShapeError('gridPicture', 'expected one or more pictures of one size.');
  }
  const [cellWidth, cellHeight] = [first.width * scale + padding, first.height * scale + padding];
  const width = Math.min(columns, pictures.length) * cellWidth + padding;
  const height = Math.ceil(pictures.length / columns) * cellHeight + padding;
  const data = new Uint8Array(width * height * 3).fill(ground);
  pictures.forEach((picture, n) => {
    const left = padding + (n % columns) * cellWidth;
    const top = padding + Math.floor(n / columns) * cellHeight;
    for (let y = 0; y < first.height * scale; y++) {
      for (let x = 0; x < first.width * scale; x++) {
        const from = (Math.floor(y / scale) * first.width + Math.floor(x / scale)) * 3;
        data.set(picture.data.subarray(from, from + 3), ((top + y) * width + left + x) * 3);
      }
    }
  });
  return { width, height, data };
}

/**
 * A batch of images as one PNG.
 * @param images  [N, C, H, W] with C 1 or 3, or [N, H, W]
 * @param range  values shown black and white
 */
export function imageGridPng(images: FloatTensor, range: readonly [number, number], options: GridOptions): Uint8Array {
  const sampleShape = images.shape.slice(1);
  const size = sizeOf(sampleShape);
  const pictures = Array.from({ length: images.shape[0] ?? 0 }, (_, n) =>
    imagePicture(images.data.subarray(n * size, (n + 1) * size), sampleShape, range),
  );
  return encodePng(gridPicture(pictures, options));
}

/** A picture as a PNG file; pictures without colour are stored with one channel. */
export function encodePng({ width, height, data }: Picture): Uint8Array {
  const isGrey = data.every((value, i) => value === data[i - (i % 3)]);
  const stored = isGrey ? data.filter((_, i) => i % 3 === 0) : data;
  return encode({ width, height, data: stored, channels: isGrey ? 1 : 3, depth: 8 });
}

/** A PNG file as a `data:` address, for use inside HTML and SVG. */
export function pngDataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}

function imageAxes(sampleShape: readonly number[]): [channels: number, height: number, width: number] {
  const [a = 0, b = 0, c = 0] = sampleShape;
  if (sampleShape.length === 3) return [a, b, c];
  return sampleShape.length === 2 ? [1, a, b] : [0, 0, 0];
}

function paint(values: ArrayLike<number>, sampleShape: readonly number[], level: (value: number) => number): Picture {
  const [channels, height, width] = imageAxes(sampleShape);
  const pixels = height * width;
  if (!isImageShape(sampleShape) || values.length !== channels * pixels) {
    throw new ShapeError(
      'picture',
      `expected [1 or 3, H, W], got ${values.length} values of shape ${showShape(sampleShape)}.`,
    );
  }
  const data = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels * 3; i++) {
    const channel = channels === 3 ? i % 3 : 0;
    data[i] = level(values[channel * pixels + Math.floor(i / 3)] as number);
  }
  return { width, height, data };
}
