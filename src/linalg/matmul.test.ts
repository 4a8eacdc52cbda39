import { expect, test } from 'vitest';
import { ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor, zeros } from '../tensor/tensor.ts';
import { largestDifference } from './known-spectrum.fixture.ts';
import { matmul } from './matmul.ts';

// Sizes around the tile (4), the panels (96 rows, depth 256, 512 columns) and empty ones.
const sizes = [
  [1, 1, 1],
  [5, 3, 7],
  [4, 257, 9],
  [97, 12, 6],
  [3, 5, 517],
  [0, 4, 3],
  [3, 0, 2],
] as const;

test.each(sizes)('matmul() of %i x %i by %i agrees with the plain sum in all four layouts', (m, k, n) => {
  const a = normal(randomKey(1), [m, k]);
  const b = normal(randomKey(2), [k, n]);
  const at = tensor(
    'float64',
    [k, m],
    a.data.map((_, i) => a.data[(i % m) * k + Math.floor(i / m)] as number),
  );
  const bt = tensor(
    'float64',
    [n, k],
    b.data.map((_, i) => b.data[(i % k) * n + Math.floor(i / k)] as number),
  );
  const plain = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let p = 0; p < k; p++) {
        plain[i * n + j] = (plain[i * n + j] as number) + (a.data[i * k + p] as number) * (b.data[p * n + j] as number);
      }
    }
  }
  // Products of normal numbers sum to order sqrt(k); both sums round k times.
  const tolerance = 4 * Math.max(1, k) * Number.EPSILON;
  for (const [x, transposeA] of [
    [a, false],
    [at, true],
  ] as const) {
    for (const [y, transposeB] of [
      [b, false],
      [bt, true],
    ] as const) {
      const product = matmul(x, y, { transposeA, transposeB });
      expect(product.shape).toEqual([m, n]);
      expect(largestDifference(product.data, plain)).toBeLessThanOrEqual(tolerance);
    }
  }
});

test('matmul() leaves no trace of earlier products in memory', () => {
  const a = normal(randomKey(3), [10, 10]);
  const first = matmul(a, a);
  matmul(normal(randomKey(4), [300, 300]), normal(randomKey(5), [300, 300]));
  expect(matmul(a, a)).toEqual(first);
});

test('matmul() passes NaN through and refuses unequal inner sizes', () => {
  expect(matmul(tensor('float64', [1, 1], new Float64Array([NaN])), zeros('float64', [1, 1])).data[0]).toBeNaN();
  expect(() => matmul(zeros('float64', [2, 3]), zeros('float64', [2, 3]))).toThrow(ShapeError);
});
