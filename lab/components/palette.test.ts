import { expect, it } from 'vitest';

import { colorsOf, pixelsOf } from './palette.ts';

const at = (colors: Uint8ClampedArray, i: number): number[] => [...colors.subarray(3 * i, 3 * i + 3)];

it('colorsOf() runs from dark to light, and from blue over white to red', () => {
  expect([at(colorsOf('grey'), 0), at(colorsOf('grey'), 255)]).toEqual([
    [0, 0, 0],
    [255, 255, 255],
  ]);
  // Ends of viridis and of ColorBrewer's RdBu.
  expect([at(colorsOf('viridis'), 0), at(colorsOf('viridis'), 255)]).toEqual([
    [68, 1, 84],
    [253, 231, 37],
  ]);
  expect([at(colorsOf('diverging'), 0), at(colorsOf('diverging'), 255)]).toEqual([
    [5, 48, 97],
    [103, 0, 31],
  ]);
});

it('pixelsOf() clips to the range, and takes three channels for red, green and blue', () => {
  const grey = { channels: 1, low: -1, high: 1, palette: 'grey' } as const;
  expect([...pixelsOf([-2, 0, 2], grey)]).toEqual([0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]);
  expect([...pixelsOf([1, -1, -1], { ...grey, channels: 3 })]).toEqual([255, 0, 0, 255]);
});
