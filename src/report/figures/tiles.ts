import type { FloatTensor } from '../../tensor/tensor.ts';
import { directionPicture, encodePng, imagePicture, isImageShape, peakOf, pngDataUri, type Picture } from '../png.ts';
import { escapeText } from '../svg.ts';

/** A square in a figure, CSS pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** A flat sample at `index` of a tensor whose last axes hold `size` values. */
export function sampleAt(x: FloatTensor, index: number, size: number): ArrayLike<number> {
  return x.data.subarray(index * size, (index + 1) * size);
}

/** A sample drawn into a box: a picture where its shape allows one, else its values as bars over `range`. */
export function sampleTile(
  values: ArrayLike<number>,
  sampleShape: readonly number[],
  range: readonly [number, number],
  box: Box,
): string {
  if (isImageShape(sampleShape)) return pictureTile(imagePicture(values, sampleShape, range), box);
  return barTile(values, Math.max(Math.abs(range[0]), Math.abs(range[1])), box);
}

/** A direction drawn into a box, scaled to its own largest magnitude. */
export function directionTile(values: ArrayLike<number>, sampleShape: readonly number[], box: Box): string {
  if (isImageShape(sampleShape)) return pictureTile(directionPicture(values, sampleShape), box);
  return barTile(values, peakOf(values), box);
}

/** Range in which an image with noise is shown: the clean range widened by two standard deviations of the noise. */
export function noisyRange([low, high]: readonly [number, number], sigma: number): [number, number] {
  return [low - 2 * sigma, high + 2 * sigma];
}

/** A line of text in a figure of tiles. */
export function label(
  text: string,
  x: number,
  y: number,
  anchor: 'start' | 'middle' | 'end' = 'middle',
  size = 11,
): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}">${escapeText(text)}</text>`;
}

/** The frame of a figure made of tiles. */
export function tileSvg(width: number, height: number, title: string, content: string): string {
  return (
    `<svg class="plot tiles" viewBox="0 0 ${width} ${round(height)}" width="${width}" height="${round(height)}" ` +
    `fill="currentColor" role="img" aria-label="${escapeText(title)}">${content}</svg>`
  );
}

function pictureTile(picture: Picture, { x, y, size }: Box): string {
  return (
    `<image x="${round(x)}" y="${round(y)}" width="${round(size)}" height="${round(size)}" style="image-rendering:pixelated" ` +
    `href="${pngDataUri(encodePng(picture))}"/>`
  );
}

function barTile(values: ArrayLike<number>, peak: number, { x, y, size }: Box): string {
  const step = size / values.length;
  const middle = y + size / 2;
  let path = '';
  for (let i = 0; i < values.length; i++) {
    const height = Math.min(1, Math.max(-1, (values[i] as number) / peak)) * (size / 2);
    path += `M${round(x + (i + 0.5) * step)} ${round(middle)}v${round(-height)}`;
  }
  return (
    `<path d="M${round(x)} ${round(middle)}h${round(size)}" stroke="currentColor" stroke-opacity="0.3"/>` +
    `<path d="${path}" stroke="var(--heldout)" stroke-width="${round(Math.max(0.5, step * 0.7))}" fill="none"/>`
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
