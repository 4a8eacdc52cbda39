import { expect, test } from 'vitest';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { meanRadialFrequency } from './radial-frequency.ts';
import { rankCorrelation } from './rank-correlation.ts';

const image = (height: number, width: number, f: (y: number, x: number) => number): number[] =>
  Array.from({ length: height * width }, (_, i) => f(Math.floor(i / width), i % width));

test('meanRadialFrequency() of a wave is its frequency', () => {
  for (const [ky, kx] of [
    [0, 0],
    [0, 3],
    [2, 0],
    [3, 4],
  ] as const) {
    const wave = image(10, 12, (y, x) => Math.cos(2 * Math.PI * ((ky * y) / 10 + (kx * x) / 12) + 0.3));
    expect(Math.abs(meanRadialFrequency(wave, [1, 10, 12]) - Math.hypot(ky / 10, kx / 12))).toBeLessThan(1e-13);
  }
  const chequers = image(8, 8, (y, x) => 1 - 2 * ((x + y) % 2));
  expect(meanRadialFrequency(chequers, [1, 8, 8])).toBeCloseTo(Math.SQRT1_2, 13);
});

test('meanRadialFrequency() weighs waves and channels by their energy and ignores shifts', () => {
  const low = image(8, 8, (_, x) => Math.cos((2 * Math.PI * x) / 8));
  const high = image(8, 8, (_, x) => 2 * Math.cos((2 * Math.PI * 3 * x) / 8));
  const expected = (1 / 8 + 4 * (3 / 8)) / 5;
  const sum = low.map((value, i) => value + (high[i] as number));
  expect(meanRadialFrequency(sum, [1, 8, 8])).toBeCloseTo(expected, 13);
  expect(meanRadialFrequency([...low, ...high], [2, 8, 8])).toBeCloseTo(expected, 13);
  const noise = normal(randomKey(1), [7 * 9]).data;
  const shifted = image(7, 9, (y, x) => noise[((y + 2) % 7) * 9 + ((x + 5) % 9)] as number);
  expect(meanRadialFrequency(shifted, [1, 7, 9])).toBeCloseTo(meanRadialFrequency(noise, [1, 7, 9]), 13);
});

test('rankCorrelation() sees order alone and shares ranks among equals', () => {
  expect(rankCorrelation([1, 2, 3, 4], [1, 10, 100, 1e9])).toBeCloseTo(1, 15);
  expect(rankCorrelation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 15);
  // By hand: ranks 1.5 1.5 3 4 and 1 2 3 4 give 4.5 / sqrt(4.5 * 5).
  expect(rankCorrelation([5, 5, 6, 7], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 14);
  expect(rankCorrelation([1, 1], [1, 2])).toBeNaN();
});

test('meanRadialFrequency() and rankCorrelation() refuse what does not fit', () => {
  expect(() => meanRadialFrequency([1, 2], [1, 2, 2])).toThrow(ShapeError);
  expect(() => meanRadialFrequency([1, 2], [2])).toThrow(ShapeError);
  expect(() => rankCorrelation([1], [1])).toThrow(DomainError);
  expect(() => rankCorrelation([1, 2], [1, NaN])).toThrow(DomainError);
});
