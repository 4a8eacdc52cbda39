import type { Mask } from '../editing/mask.ts';
import type { EditArrays } from '../experiments/edit-result.ts';
import { sizeOf } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { Rgb } from './colors.ts';
import { partRgb } from './figures/edit-palette.ts';
import { maskOf } from './figures/edit-tiles.ts';
import type { EditShown } from './figures/edit-tiles.ts';
import { sampleAt } from './figures/tiles.ts';
import { directionPicture, encodePng, gridPicture, imagePicture, isImageShape } from './png.ts';
import type { Picture } from './png.ts';

/** Width of an enlarged tile that is aimed at, pixels. */
const TILE = 80;
/** Width of a tile for which the lengths below are meant; twice as wide tiles have twice as much room. */
const USUAL = 96;
const GAP = 6;
const GROUP_GAP = 20;
const MARGIN = 14;
/** Width of a stripe in the colour of a row's part, and of the room for it. */
const STRIPE = [4, 12] as const;
/** Height of the bars that say the strengths, and of the room for them. */
const BAR = [4, 12] as const;
/** How far the band of strength 0 stands out. */
const MARGIN_OF_BAND = 4;
const WHITE: Rgb = [255, 255, 255];
const BAND: Rgb = [228, 228, 226];
const EDGE: Rgb = [196, 196, 194];
/** Of the bars: below, at and above 0. */
const [LOW, ZERO, HIGH]: readonly [Rgb, Rgb, Rgb] = [[67, 147, 195], [120, 120, 120], [214, 96, 77]]; // prettier-ignore

/**
 * All directions as one PNG, a row each, rows of a part together: the image with the outline of the part, the direction, and the
 * image at every strength under bars that show the strength; a grey band runs behind strength 0.
 * @returns the file; undefined where the samples are no images
 */
export function editSheetPng(shown: EditShown): Uint8Array | undefined {
  const { result, arrays } = shown;
  if (!isImageShape(result.sampleShape)) return undefined;
  const strengths = [...arrays.strengths.data];
  const grid = gridFor(shown, [2, strengths.length]);
  const sheet = new Sheet(shown, grid);
  sheet.strengths(strengths, 2);
  const images = result.parts.map((_, part) => outlined(shown, part, grid));
  result.directions.forEach((direction, row) => {
    const index = direction.number - 1;
    sheet.paste(row, 0, images[direction.part] as Picture);
    sheet.paste(
      row,
      1,
      directionPicture(sampleAt(arrays.directions, index, sizeOf(result.sampleShape)), result.sampleShape),
    );
    strengths.forEach((_, s) => sheet.paste(row, 2 + s, sample(shown, 'edits', index * strengths.length + s)));
  });
  return encodePng(sheet.picture);
}

/**
 * All directions in all images as one PNG, a row a direction, first the image in which it was found and then the others: lowest
 * strength, no edit, highest strength.
 * @returns the file; undefined where the samples are no images or nothing was transferred
 */
export function transferSheetPng(shown: EditShown): Uint8Array | undefined {
  const { result, arrays } = shown;
  if (!isImageShape(result.sampleShape) || arrays.transfers === undefined) return undefined;
  const [others, S] = [result.images.length - 1, arrays.strengths.data.length];
  const sheet = new Sheet(shown, gridFor(shown, Array.from(result.images, () => 3))); // prettier-ignore
  const ends = [arrays.strengths.data[0] ?? 0, 0, arrays.strengths.data.at(-1) ?? 0];
  result.images.forEach((_, m) => {
    sheet.strengths(ends, 3 * m);
    result.directions.forEach(({ number }, row) => {
      const end = (i: 0 | 1): Picture =>
        m === 0
          ? sample(shown, 'edits', (number - 1) * S + i * (S - 1))
          : sample(shown, 'transfers', ((number - 1) * others + m - 1) * 2 + i);
      [end(0), sample(shown, 'reconstructions', m), end(1)].forEach((tile, i) => sheet.paste(row, 3 * m + i, tile));
    });
  });
  return encodePng(sheet.picture);
}

/** Where tiles lie on a sheet, pixels. */
interface Grid {
  /** Enlargement of a pixel of an image. */
  readonly scale: number;
  /** What the lengths of a usual sheet are multiplied by. */
  readonly unit: number;
  readonly tile: { readonly width: number; readonly height: number };
  /** Of the columns and of the rows. */
  readonly left: readonly number[];
  readonly top: readonly number[];
}

/** A row a direction, with room where the part changes, and groups of so many columns. */
function gridFor({ result: { directions, sampleShape } }: EditShown, groups: readonly number[]): Grid {
  const [height = 1, width = 1] = sampleShape.slice(-2);
  const scale = Math.max(1, Math.round(TILE / width));
  const tile = { width: width * scale, height: height * scale };
  const unit = Math.max(1, Math.round(tile.width / USUAL));
  const [left, top]: [number[], number[]] = [[], []];
  let x = unit * (MARGIN + STRIPE[1]);
  for (const count of groups) {
    for (let i = 0; i < count; i++) left.push(x + i * (tile.width + unit * GAP));
    x += count * (tile.width + unit * GAP) + unit * (GROUP_GAP - GAP);
  }
  let y = unit * (MARGIN + BAR[1]);
  directions.forEach(({ part }, row) => {
    if (row > 0 && part !== directions[row - 1]?.part) y += unit * (GROUP_GAP - GAP);
    top.push(y);
    y += tile.height + unit * GAP;
  });
  return { scale, unit, tile, left, top };
}

/** A sheet that tiles are pasted on, with a stripe beside each row in the colour of its part. */
class Sheet {
  readonly picture: Picture;
  readonly #grid: Grid;

  constructor({ result: { directions } }: EditShown, grid: Grid) {
    const { unit, tile, left, top } = grid;
    const [right, bottom] = [(left.at(-1) ?? 0) + tile.width, (top.at(-1) ?? 0) + tile.height];
    const [width, height] = [right + unit * MARGIN, bottom + unit * MARGIN];
    this.picture = { width, height, data: new Uint8Array(3 * width * height) };
    this.#grid = grid;
    this.#fill(0, 0, width, height, WHITE);
    directions.forEach(({ part }, row) => {
      this.#fill(unit * MARGIN, (top[row] as number) - 1, unit * STRIPE[0], tile.height + 2, partRgb(part));
    });
  }

  /** A picture of the size of images at a place of the grid. */
  paste(row: number, column: number, picture: Picture): void {
    const { scale, left, top } = this.#grid;
    const { width, height, data } = picture.width < this.#grid.tile.width ? enlarged(picture, scale) : picture;
    const [x, y] = [left[column] as number, top[row] as number];
    this.#fill(x - 1, y - 1, width + 2, height + 2, EDGE);
    for (let line = 0; line < height; line++) {
      const pixels = data.subarray(3 * line * width, 3 * (line + 1) * width);
      this.picture.data.set(pixels, 3 * ((y + line) * this.picture.width + x));
    }
  }

  /** Over the columns from `from` on a bar each, as long as its strength is large, and behind strength 0 a quiet band. */
  strengths(strengths: readonly number[], from: number): void {
    const { unit, tile, left, top } = this.#grid;
    const peak = Math.max(...strengths.map(Math.abs)) || 1;
    const high = unit * BAR[0];
    strengths.forEach((strength, i) => {
      const x = left[from + i] as number;
      const length = Math.max(high, Math.round((Math.abs(strength) / peak) * tile.width));
      const color = strength === 0 ? ZERO : strength < 0 ? LOW : HIGH;
      this.#fill(x + Math.round((tile.width - length) / 2), unit * MARGIN, length, high, color);
      if (strength !== 0) return;
      const out = unit * MARGIN_OF_BAND;
      const [first, last] = [(top[0] ?? 0) - out, (top.at(-1) ?? 0) + tile.height + out];
      this.#fill(x - out, first, tile.width + 2 * out, last - first, BAND);
    });
  }

  #fill(left: number, top: number, width: number, height: number, color: Rgb): void {
    const { data, width: stride } = this.picture;
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) data.set(color, 3 * (y * stride + x));
    }
  }
}

function enlarged(picture: Picture, scale: number): Picture {
  return gridPicture([picture], { columns: 1, padding: 0, scale });
}

function sample({ result, arrays }: EditShown, array: keyof EditArrays, place: number): Picture {
  const values = sampleAt(arrays[array] as FloatTensor, place, sizeOf(result.sampleShape));
  return imagePicture(values, result.sampleShape, result.valueRange);
}

/** The image, enlarged, with the outline of a part: a line inside in its colour, a white one outside. */
function outlined(shown: EditShown, part: number, { scale, unit }: Grid): Picture {
  const picture = enlarged(sample(shown, 'images', 0), scale);
  const mask = maskOf(shown, part);
  if (mask === undefined) return picture;
  const at = (x: number, y: number): boolean => isInside(mask, Math.floor(x / scale), Math.floor(y / scale));
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const inside = at(x, y);
      if (isNear(x, y, inside ? 2 * unit : unit, (u, v) => at(u, v) !== inside)) {
        picture.data.set(inside ? partRgb(part) : WHITE, 3 * (y * picture.width + x));
      }
    }
  }
  return picture;
}

/** Beyond the image is outside. */
function isInside({ height, width, inside }: Mask, x: number, y: number): boolean {
  return x >= 0 && y >= 0 && x < width && y < height && inside[y * width + x] === 1;
}

function isNear(x: number, y: number, reach: number, test: (x: number, y: number) => boolean): boolean {
  for (let v = y - reach; v <= y + reach; v++) {
    for (let u = x - reach; u <= x + reach; u++) if (test(u, v)) return true;
  }
  return false;
}
