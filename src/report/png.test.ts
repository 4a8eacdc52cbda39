import { decode } from 'fast-png';
import { expect, test } from 'vitest';

import { ShapeError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import { diverging, viridis } from './colors.ts';
import {
  directionPicture,
  encodePng,
  gridPicture,
  imageGridPng,
  imagePicture,
  isImageShape,
  pngDataUri,
} from './png.ts';

test('imagePicture() maps the range to black and white, rounds between and clips outside', () => {
  const { data } = imagePicture([-1, 1, 0, -5, 5, 0.5], [1, 2, 3], [-1, 1]);
  const grey = (v: number): number[] => [v, v, v];
  // 0 is 127.5, rounded to 128; 0.5 is 191.25.
  expect([...data]).toEqual([0, 255, 128, 0, 255, 191].flatMap(grey));
});

test('imagePicture() interleaves the channels of [3, H, W]', () => {
  const red = [255, 0, 0, 0];
  const green = [0, 255, 0, 0];
  const blue = [0, 0, 255, 0];
  const { data } = imagePicture([...red, ...green, ...blue], [3, 2, 2], [0, 255]);
  expect([...data]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0]);
});

test('encodePng() decodes to the same pixels, with one channel where there is no colour', () => {
  const grey = { width: 2, height: 1, data: Uint8Array.of(7, 7, 7, 250, 250, 250) };
  const color = { width: 1, height: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  expect(decode(encodePng(grey))).toMatchObject({ width: 2, height: 1, channels: 1, data: Uint8Array.of(7, 250) });
  expect(decode(encodePng(color))).toMatchObject({ width: 1, height: 2, channels: 3, data: color.data });
  expect(pngDataUri(encodePng(grey))).toMatch(/^data:image\/png;base64,iVBORw0KGgo/);
});

test('imageGridPng() places, enlarges and pads', () => {
  const images = tensor(
    'float32',
    [3, 1, 2, 2],
    Float32Array.from({ length: 12 }, (_, i) => i),
  );
  const { width, height, data } = decode(
    imageGridPng(images, [0, 255], { columns: 2, scale: 2, padding: 1, ground: 9 }),
  );
  expect([width, height]).toEqual([2 * 5 + 1, 2 * 5 + 1]);
  const at = (x: number, y: number): number | undefined => data[y * width + x];
  for (let n = 0; n < 3; n++) {
    for (let p = 0; p < 16; p++) {
      const [y, x] = [Math.floor(p / 4), p % 4];
      const value = n * 4 + Math.floor(y / 2) * 2 + Math.floor(x / 2);
      expect(at(1 + (n % 2) * 5 + x, 1 + Math.floor(n / 2) * 5 + y)).toBe(value);
    }
  }
  expect([at(0, 0), at(5, 3), at(8, 8)]).toEqual([9, 9, 9]);
});

test('directionPicture() is white at zero, symmetric, and blind to the scale of the direction', () => {
  const v = [-2, -1, 0, 0, 1, 2];
  const { data } = directionPicture(v, [1, 2, 3]);
  expect(data).toEqual(
    directionPicture(
      v.map((x) => x * 1e-9),
      [1, 2, 3],
    ).data,
  );
  const pixel = (i: number): number[] => [...data.subarray(3 * i, 3 * i + 3)];
  expect(pixel(2)).toEqual([...diverging(0)]);
  expect(pixel(0)).toEqual([...diverging(-1)]);
  expect(pixel(5)).toEqual([...diverging(1)]);
  expect(pixel(0)[2]).toBeGreaterThan(pixel(0)[0] as number);
  expect(pixel(5)[0]).toBeGreaterThan(pixel(5)[2] as number);
  expect([...directionPicture([0, 0, 0, 0], [1, 2, 2]).data].every((c) => c === 247)).toBe(true);
});

test('directionPicture() shows three channels about mid-grey', () => {
  const values = new Float64Array(12);
  values[0] = 3;
  values[5] = -3;
  expect([...directionPicture(values, [3, 2, 2]).data.subarray(0, 6)]).toEqual([255, 128, 128, 128, 0, 128]);
});

test('isImageShape() tells images from vectors and latents', () => {
  expect(
    [
      [1, 28, 28],
      [3, 32, 32],
      [28, 28],
    ].every(isImageShape),
  ).toBe(true);
  expect([[48], [4, 32, 32], [1, 1, 48], []].some(isImageShape)).toBe(false);
});

test('picture functions refuse shapes that do not fit', () => {
  expect(() => imagePicture([1, 2, 3], [1, 2, 2], [0, 1])).toThrow(ShapeError);
  expect(() => imagePicture([1, 2, 3], [3], [0, 1])).toThrow(ShapeError);
  expect(() => gridPicture([], { columns: 1 })).toThrow(ShapeError);
});

test('viridis() and diverging() grow evenly: lightness is monotone from dark to light and from the ends to white', () => {
  const lightness = ([r, g, b]: readonly number[]): number => 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
  const steps = Array.from({ length: 21 }, (_, i) => i / 20);
  const rises = (values: number[]): boolean => values.every((v, i) => i === 0 || v > (values[i - 1] as number));
  expect(rises(steps.map((t) => lightness(viridis(t))))).toBe(true);
  expect(rises(steps.map((t) => lightness(diverging(1 - t))))).toBe(true);
  expect(rises(steps.map((t) => lightness(diverging(t - 1))))).toBe(true);
});
