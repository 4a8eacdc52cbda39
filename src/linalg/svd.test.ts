import { expect, test } from 'vitest';
import { NumericalError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { assemble, largestDifference, orthogonalityError, randomRows } from './known-spectrum.fixture.ts';
import { singularValues, svd } from './svd.ts';

const EPSILON = Number.EPSILON;

function random(m: number, n: number): Tensor<'float64'> {
  return normal(randomKey(m, 'svd', n), [m, n]);
}

function known(m: number, n: number, values: ArrayLike<number>): Tensor<'float64'> {
  return assemble(randomRows(values.length, m, 1), values, randomRows(values.length, n, 2));
}

const range = (n: number, f: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => f(i));

const bidiagonalZeros = tensor('float64', [5, 5], new Float64Array(25));
[
  [0, 0, 1],
  [0, 1, 1],
  [1, 2, 1],
  [2, 2, 3],
  [2, 3, 1],
  [3, 4, 1],
].forEach(([i, j, x]) => (bidiagonalZeros.data[(i as number) * 5 + (j as number)] = x as number));

const cases: Record<string, Tensor<'float64'>> = {
  '1 x 1': tensor('float64', [1, 1], new Float64Array([-2])),
  'row 1 x 7': random(1, 7),
  'column 7 x 1': random(7, 1),
  'square 60': random(60, 60),
  'odd square 101': random(101, 101),
  'tall 150 x 40': random(150, 40),
  'wide 40 x 151': random(40, 151),
  'zero 30 x 20': zeros('float64', [30, 20]),
  'identity-like 50': known(
    50,
    50,
    range(50, () => 1),
  ),
  'rank 3 of 60 x 50': known(60, 50, [3, 2, 1]),
  'graded to 1e-30': known(
    60,
    60,
    range(60, (i) => 10 ** (-i / 2)),
  ),
  'zeros on the diagonal': bidiagonalZeros,
  'tiny 20 x 30': tensor(
    'float64',
    [20, 30],
    random(20, 30).data.map((x) => x * 1e-300),
  ),
  'huge 30 x 20': tensor(
    'float64',
    [30, 20],
    random(30, 20).data.map((x) => x * 1e300),
  ),
};

test.each(Object.entries(cases))('svd() rebuilds the matrix from orthonormal vectors: %s', (_, a) => {
  const [m, n] = a.shape as [number, number];
  const { u, values, v } = svd(a);
  const norm = values[0] as number;
  // Backward error of reduction and iteration, a few eps for each of sqrt(max(m, n)) independent roundings.
  const tolerance = 32 * Math.sqrt(Math.max(m, n)) * EPSILON;
  const rebuilt =
    norm === 0
      ? a
      : assemble(
          u,
          values.map((s) => s / norm),
          v,
        );
  expect(
    largestDifference(
      rebuilt.data,
      a.data.map((x) => (norm === 0 ? x : x / norm)),
    ),
  ).toBeLessThanOrEqual(tolerance);
  expect(orthogonalityError(u)).toBeLessThanOrEqual(tolerance);
  expect(orthogonalityError(v)).toBeLessThanOrEqual(tolerance);
  expect([...values].every((s, i) => s >= 0 && s <= (values[i - 1] ?? Infinity))).toBe(true);
  expect(largestDifference(singularValues(a), values)).toBeLessThanOrEqual(tolerance * norm);
});

test('singularValues() has absolute accuracy eps |A| where the Gram matrix would lose half the digits', () => {
  const exact = range(80, (i) => 10 ** (-i / 6));
  const found = singularValues(known(120, 80, exact));
  // A Gram matrix resolves nothing below sqrt(eps) = 1.5e-8; Weyl bounds ours by the backward error.
  expect(largestDifference(found, exact)).toBeLessThanOrEqual(32 * Math.sqrt(120) * EPSILON);
});

test('singularValues() of an upper bidiagonal matrix of ones follow the closed form', () => {
  const n = 60;
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = i; j <= Math.min(i + 1, n - 1); j++) data[i * n + j] = 1;
  // B^T B is the second difference with one end changed: s_k = 2 cos(k pi / (2n + 1)).
  const exact = range(n, (k) => 2 * Math.cos(((k + 1) * Math.PI) / (2 * n + 1)));
  expect(largestDifference(singularValues(tensor('float64', [n, n], data)), exact)).toBeLessThanOrEqual(
    16 * Math.sqrt(n) * EPSILON * 2,
  );
});

test('svd() makes the largest element of each right vector positive and keeps A v = s u', () => {
  const { u, v, values } = svd(random(30, 20));
  for (let i = 0; i < 20; i++) {
    const row = Array.from(v.data.subarray(i * 20, i * 20 + 20));
    expect(Math.max(...row)).toBe(Math.max(...row.map(Math.abs)));
  }
  expect(svd(random(30, 20))).toEqual({ u, v, values });
});

test('svd() refuses what is not finite or not a matrix', () => {
  for (const bad of [NaN, Infinity]) {
    const a = tensor('float64', [2, 3], new Float64Array([1, 2, 3, 4, bad, 6]));
    expect(() => svd(a)).toThrow(NumericalError);
    expect(() => singularValues(a)).toThrow('element 4');
  }
  expect(() => svd(zeros('float64', [2, 3, 4]))).toThrow(ShapeError);
});
