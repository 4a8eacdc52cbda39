import { expect, it } from 'vitest';
import { median } from './median.ts';

it('median() is the middle by value, not by text, the mean of both middles, and undefined of nothing', () => {
  expect(median([10, 9, 2])).toBe(9);
  expect(median([4, 1, 3, 100])).toBe(3.5);
  expect(median(new Set([7]))).toBe(7);
  expect(median([])).toBeUndefined();
});
