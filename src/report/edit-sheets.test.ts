import { decode } from 'fast-png';
import { expect, test } from 'vitest';

import { boxMask } from '../editing/mask.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { editRun } from './edit-run.fixture.ts';
import { editSheetPng, transferSheetPng } from './edit-sheets.ts';
import { partRgb } from './figures/edit-palette.ts';
import { sampleAt } from './figures/tiles.ts';
import { directionPicture, imagePicture } from './png.ts';
import type { Picture } from './png.ts';

/** Images that all differ, [count, ...shape]. */
function images(name: string, count: number, shape: readonly number[]): Tensor<'float32'> {
  const { data } = normal(randomKey(3, name), [count, ...shape]);
  return tensor(
    'float32',
    [count, ...shape],
    Float32Array.from(data, (v) => 0.5 * v),
  );
}

const size = { height: 20, width: 20 };
const shape = [3, 20, 20];
const masks = [boxMask(size, { x: 2, y: 3, width: 5, height: 6 }), boxMask(size, { x: 9, y: 10, width: 8, height: 4 })];
const run = editRun({ images: images('x', 3, shape), goals: images('goal', 4, shape), masks });

/** A sheet in colour. */
function opened(png: Uint8Array | undefined): Picture {
  const { width, height, channels, data } = decode(png ?? new Uint8Array());
  const at = (i: number): number => data[channels === 3 ? i : Math.floor(i / 3)] as number;
  return { width, height, data: Uint8Array.from({ length: 3 * width * height }, (_, i) => at(i)) };
}

/** Upper left corners at which a picture, enlarged, lies in a sheet. */
function placesOf(sheet: Picture, picture: Picture, scale: number): [x: number, y: number][] {
  const [width, height] = [picture.width * scale, picture.height * scale];
  const same = (x: number, y: number, px: number, py: number): boolean => {
    const from = 3 * (Math.floor(py / scale) * picture.width + Math.floor(px / scale));
    const to = 3 * ((y + py) * sheet.width + x + px);
    return [0, 1, 2].every((c) => picture.data[from + c] === sheet.data[to + c]);
  };
  const found: [number, number][] = [];
  for (let y = 0; y + height <= sheet.height; y++) {
    for (let x = 0; x + width <= sheet.width; x++) {
      if (!same(x, y, 0, 0)) continue;
      const all = Array.from({ length: width * height }, (_, p) => p);
      if (all.every((p) => same(x, y, p % width, Math.floor(p / width)))) found.push([x, y]);
    }
  }
  return found;
}

function pictureAt(x: FloatTensor, place: number): Picture {
  return imagePicture(sampleAt(x, place, 1200), shape, [-1, 1]);
}

/** Enlargement of 20 pixels to about 80. */
const SCALE = 4;

test('editSheetPng() has a row a direction: its picture, then the image at every strength, in columns of equal steps', () => {
  const sheet = opened(editSheetPng(run));
  const places = [0, 1, 2, 3].map((d) => {
    const direction = directionPicture(sampleAt(run.arrays.directions, d, 1200), shape);
    const edits = [0, 1, 2, 4, 5, 6].flatMap((s) => placesOf(sheet, pictureAt(run.arrays.edits, 7 * d + s), SCALE));
    return [...placesOf(sheet, direction, SCALE), ...edits];
  });
  const xs = (places[0] ?? []).map(([x]) => x);
  expect(xs).toHaveLength(7);
  const pitch = (xs[2] ?? 0) - (xs[1] ?? 0);
  expect(xs.slice(2).map((x, i) => x - (xs[i + 1] ?? 0))).toEqual([pitch, pitch, 2 * pitch, pitch, pitch]);
  for (const row of places) expect(row.map(([x]) => x)).toEqual(xs);
  const ys = places.map((row) => [...new Set(row.map(([, y]) => y))]);
  expect(ys.map(({ length }) => length)).toEqual([1, 1, 1, 1]);
  const [a = 0, b = 0, c = 0, d = 0] = ys.flat();
  expect(d - c).toBe(b - a);
  // Where the part changes there is more room.
  expect(c - b).toBeGreaterThan(b - a);
  const unedited = placesOf(sheet, pictureAt(run.arrays.reconstructions, 0), SCALE);
  expect(unedited).toEqual([a, b, c, d].map((y) => [(xs[3] ?? 0) + pitch, y]));
});

test('editSheetPng() draws the outline of the part in its colour on the image, inside of its edge', () => {
  const sheet = opened(editSheetPng(run));
  const [x = 0, y = 0] =
    placesOf(sheet, directionPicture(sampleAt(run.arrays.directions, 0, 1200), shape), SCALE)[0] ?? [];
  const left = x - 80 - 6;
  const pixel = (px: number, py: number): number[] => {
    const at = 3 * ((y + py) * sheet.width + left + px);
    return [...sheet.data.subarray(at, at + 3)];
  };
  // The box of the first part: x 2 to 7, y 3 to 9.
  for (const [px, py] of [[8, 12], [9, 13], [27, 12], [8, 35], [18, 12]] as const) expect(pixel(px, py)).toEqual([...partRgb(0)]); // prettier-ignore
  for (const [px, py] of [[7, 20], [28, 20], [18, 11], [18, 36]] as const) expect(pixel(px, py)).toEqual([255, 255, 255]); // prettier-ignore
  const plain = imagePicture(sampleAt(run.arrays.images, 0, 1200), shape, [-1, 1]).data;
  expect(pixel(18, 24)).toEqual([...plain.subarray(3 * (6 * 20 + 4), 3 * (6 * 20 + 4) + 3)]);
  expect(pixel(70, 70)).toEqual([...plain.subarray(3 * (17 * 20 + 17), 3 * (17 * 20 + 17) + 3)]);
});

test('transferSheetPng() has lowest, no edit and highest of the image, then of every other image', () => {
  const sheet = opened(transferSheetPng(run));
  const { edits, transfers, reconstructions } = run.arrays;
  const rows = [0, 1, 2, 3].map((d) => {
    const others = [0, 1].flatMap((m) => [0, 1].map((end) => pictureAt(transfers ?? edits, (d * 2 + m) * 2 + end)));
    const own = [0, 6].map((s) => pictureAt(edits, 7 * d + s));
    return [...own, ...others].flatMap((picture) => placesOf(sheet, picture, SCALE));
  });
  const xs = (rows[0] ?? []).map(([x]) => x);
  expect(xs).toHaveLength(6);
  expect(xs).toEqual(xs.toSorted((p, q) => p - q));
  for (const row of rows) expect(row.map(([x]) => x)).toEqual(xs);
  const ys = rows.map((row) => row[0]?.[1]);
  [0, 1, 2].forEach((m) => {
    const middle = ((xs[2 * m] ?? 0) + (xs[2 * m + 1] ?? 0)) / 2;
    expect(placesOf(sheet, pictureAt(reconstructions, m), SCALE)).toEqual(ys.map((y) => [middle, y]));
  });
});

test('sheets enlarge small images, keep large ones as they are, and are in grey where they can be', () => {
  const wide = (side: number, channels: number): number => {
    const parts = [boxMask({ height: side, width: side }, { x: 1, y: 1, width: 3, height: 3 })];
    const made = editRun({ images: images('a', 1, [channels, side, side]), goals: images('b', 1, [channels, side, side]), masks: parts }); // prettier-ignore
    return decode(editSheetPng(made) ?? new Uint8Array()).width;
  };
  const [small, grey, large] = [wide(32, 3), wide(28, 1), wide(128, 3)];
  expect(small).toBeGreaterThan(9 * 64);
  expect(small).toBeLessThan(12 * 96);
  expect(grey).toBeLessThan(small);
  expect(large).toBeGreaterThan(9 * 128);
  expect(large).toBeLessThan(10.5 * 128);
});

test('sheets are left out where samples are no images, and transfers where there are no others', () => {
  const points = editRun({ images: images('p', 2, [5]), goals: images('q', 2, [5]) });
  expect([editSheetPng(points), transferSheetPng(points)]).toEqual([undefined, undefined]);
  const alone = editRun({ images: images('x', 1, shape), goals: images('goal', 1, shape) });
  expect(editSheetPng(alone)).toBeInstanceOf(Uint8Array);
  expect(transferSheetPng(alone)).toBeUndefined();
});
