import { expect, test } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { chiSquares, wishartRows } from './wishart.ts';

const stream = { seed: 5, path: ['wishart test'] };

test.each([1, 2, 3, 50, 10_000])('chiSquares() of %d degrees have their mean, variance and skewness', (freedom) => {
  const count = 40_000;
  const x = chiSquares(stream, new Float64Array(count).fill(freedom));
  const moment = (power: number): number =>
    x.reduce((sum, value) => sum + ((value - freedom) / Math.sqrt(2 * freedom)) ** power, 0) / count;
  // Four standard errors: of the standardised mean 1 / sqrt(N), of its square sqrt((2 + 12 / k) / N).
  expect(Math.abs(moment(1))).toBeLessThan(4 / Math.sqrt(count));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt((2 + 12 / freedom) / count));
  // The third power is heavy-tailed for few degrees: the bound was widened by its sixth moment at k = 1.
  expect(Math.abs(moment(3) - Math.sqrt(8 / freedom))).toBeLessThan(freedom < 10 ? 0.6 : 0.12);
});

test.each([2, 4, 9])(
  'wishartRows() of %d vectors in 4 dimensions have mean n I and the spread of a Wishart matrix',
  (n) => {
    const trials = 2000;
    const first = new Float64Array(16);
    const second = new Float64Array(16);
    for (let t = 0; t < trials; t++) {
      const rows = wishartRows({ seed: t, path: ['trial'] }, 4, n);
      expect(rows.shape).toEqual([Math.min(n, 4), 4]);
      matmul(rows, rows, { transposeA: true }).data.forEach((x, i) => {
        first[i]! += x / trials;
        second[i]! += x ** 2 / trials;
      });
    }
    for (let i = 0; i < 16; i++) {
      const [mean, variance] = i % 5 === 0 ? [n, 2 * n] : [0, n];
      expect(Math.abs((first[i] as number) - mean)).toBeLessThan(4 * Math.sqrt(variance / trials));
      // The square of an entry of W has a deviation of a few times its mean.
      expect((second[i] as number) / (variance + mean ** 2)).toBeGreaterThan(0.8);
      expect((second[i] as number) / (variance + mean ** 2)).toBeLessThan(1.2);
    }
  },
);

test('wishartRows() of no vectors are no rows, and a fraction of one is refused', () => {
  expect(wishartRows(stream, 3, 0).shape).toEqual([0, 3]);
  expect(() => wishartRows(stream, 3, 1.5)).toThrow(DomainError);
});
