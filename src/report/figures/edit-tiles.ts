import type { Mask } from '../../editing/mask.ts';
import type { EditArrays, EditResult } from '../../experiments/edit-result.ts';
import { row, sizeOf } from '../../tensor/tensor.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { directionPicture, encodePng, imagePicture, isImageShape, pngDataUri } from '../png.ts';
import type { Picture } from '../png.ts';
import { outlinePath } from './edit-outline.ts';
import { partColor } from './edit-palette.ts';
import { directionTile, sampleAt, sampleTile } from './tiles.ts';
import type { Box } from './tiles.ts';

/** What the figures of an edit look at. */
export interface EditShown {
  readonly result: EditResult;
  readonly arrays: EditArrays;
}

/** Room that tiles leave between each other in all figures of an edit. */
export const TILE_GAP = 5;

/** Pixels of an edge of an embedded picture, at most. */
const LARGEST = 192;

/** The mask of a part by its index; undefined for the whole image. */
export function maskOf({ result: { parts }, arrays: { masks } }: EditShown, part: number): Mask | undefined {
  if (masks === undefined || parts[part]?.share === 1) return undefined;
  const { shape, data } = row(masks, parts.slice(0, part).filter(({ share }) => share < 1).length);
  const [height = 0, width = 0] = shape;
  return { height, width, inside: data };
}

/** Whether a figure of `width` has room for words beside its pictures. */
export function isWide(width: number): boolean {
  return width >= 560;
}

/** The largest tile up to `size`; where an image is enlarged by 1.5 or more, its pixels are a whole number of half CSS pixels wide. */
export function tileSize(size: number, sampleShape: readonly number[]): number {
  const half = (sampleShape.at(-1) ?? 1) / 2;
  return isImageShape(sampleShape) && size >= 3 * half ? Math.floor(size / half) * half : Math.floor(size);
}

/** How many of `count` things stand in a row, at most `most`, so that all rows are about as long. */
export function evenColumns(count: number, most: number): number {
  return Math.ceil(count / Math.ceil(count / Math.max(1, most)));
}

/** The tiles of a report: each picture is encoded once, and figures refer to it. */
export class EditTiles {
  readonly #shown: EditShown;
  /** Addresses by name, and outlines by part. */
  readonly #pictures = new Map<string, string>();
  readonly #masks = new Map<number, string>();

  constructor(shown: EditShown) {
    this.#shown = shown;
  }

  /** A sample of `array` by its flat place over all axes before the sample's. */
  sample(array: keyof EditArrays, place: number, box: Box): string {
    const { sampleShape, valueRange } = this.#shown.result;
    const values = sampleAt(this.#shown.arrays[array] as FloatTensor, place, sizeOf(sampleShape));
    if (!isImageShape(sampleShape)) return sampleTile(values, sampleShape, valueRange, box);
    return this.picture(`${array}-${place}`, () => imagePicture(values, sampleShape, valueRange), box);
  }

  /** A direction, scaled to its own largest value. */
  direction(index: number, box: Box): string {
    const { sampleShape } = this.#shown.result;
    const values = sampleAt(this.#shown.arrays.directions, index, sizeOf(sampleShape));
    if (!isImageShape(sampleShape)) return directionTile(values, sampleShape, box);
    return this.picture(`direction-${index}`, () => directionPicture(values, sampleShape), box);
  }

  /** Any picture by a name of its own; made where it is not known yet. */
  picture(name: string, make: () => Picture, box: Box): string {
    if (!this.#pictures.has(name)) this.#pictures.set(name, pngDataUri(encodePng(shrunk(make()))));
    // Pixels stay square where they are enlarged; larger images shrink smoothly.
    const rendering = box.size >= this.#size().width ? 'pixelated' : 'auto';
    return `<use href="#tile-${name}" transform="${this.#place(box)}" style="image-rendering:${rendering}"/>`;
  }

  /** The outline of a part over a tile of the same box, in its colour on white; nothing for the whole image. */
  outline(part: number, box: Box, tint = 0): string {
    const mask = maskOf(this.#shown, part);
    if (mask === undefined) return '';
    this.#masks.set(part, this.#masks.get(part) ?? outlinePath(mask));
    const use = `<use href="#mask-${part}"`;
    return (
      `<g transform="${this.#place(box)}" fill="${partColor(part)}" fill-opacity="${tint}">${use} stroke="#fff" stroke-width="3.4"/>` +
      `${use} fill="none" stroke="${partColor(part)}" stroke-width="1.8"/></g>`
    );
  }

  /** The pictures and outlines themselves, an SVG that is not seen: stands once on the page, after all figures are drawn. */
  definitions(): string {
    const { height, width } = this.#size();
    const size = `width="${width}" height="${height}"`;
    const line = 'vector-effect="non-scaling-stroke"';
    // A hair around a picture, without which one that is as white as the ground has no border.
    const edge = `<rect ${size} fill="none" stroke="currentColor" stroke-opacity="0.3" stroke-width="0.6" ${line}/>`;
    const pictures = [...this.#pictures].map(
      ([name, uri]) => `<g id="tile-${name}"><image ${size} preserveAspectRatio="none" href="${uri}"/>${edge}</g>`,
    );
    const masks = [...this.#masks].map(
      ([part, path]) => `<path id="mask-${part}" d="${path}" fill-rule="evenodd" stroke-linejoin="round" ${line}/>`,
    );
    const all = [...pictures, ...masks].join('\n');
    return `<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>${all}</defs></svg>`;
  }

  #size(): { height: number; width: number } {
    const [height = 1, width = 1] = this.#shown.result.sampleShape.slice(-2);
    return { height, width };
  }

  /** From pixels of the image into a box, in its middle where the image is not square. */
  #place({ x, y, size }: Box): string {
    const { height, width } = this.#size();
    const scale = size / Math.max(height, width);
    const [left, top] = [x + (size - scale * width) / 2, y + (size - scale * height) / 2];
    return `translate(${digits(left)} ${digits(top)}) scale(${digits(scale)})`;
  }
}

/** A picture of at most `LARGEST` pixels an edge, means over blocks: tiles are small, and a report must stay so. */
function shrunk(picture: Picture): Picture {
  const { width, height, data } = picture;
  const factor = Math.ceil(Math.max(width, height) / LARGEST);
  if (factor === 1) return picture;
  const size = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
  const [sums, counts] = [new Float64Array(3 * size.width * size.height), new Float64Array(size.width * size.height)];
  for (let p = 0; p < width * height; p++) {
    const to = Math.floor(Math.floor(p / width) / factor) * size.width + Math.floor((p % width) / factor);
    counts[to] = (counts[to] as number) + 1;
    for (let c = 0; c < 3; c++) sums[3 * to + c] = (sums[3 * to + c] as number) + (data[3 * p + c] as number);
  }
  return { ...size, data: Uint8Array.from(sums, (sum, i) => Math.round(sum / (counts[Math.floor(i / 3)] as number))) };
}

function digits(value: number): number {
  return Number(value.toFixed(4));
}
