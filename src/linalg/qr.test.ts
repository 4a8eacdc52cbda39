import { expect, test } from 'vitest';
import { NumericalError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { slice, tensor, zeros } from '../tensor/tensor.ts';
import { principalAngles } from './angles.ts';
import { largestDifference, orthogonalityError, randomRows } from './known-spectrum.fixture.ts';
import { matmul } from './matmul.ts';
import { orthonormalRows, qr } from './qr.ts';

const EPSILON = Number.EPSILON;

test.each([
  [1, 1],
  [40, 40],
  [130, 60],
  [30, 50],
])('qr() of %i x %i rebuilds the matrix with R triangular and its diagonal not negative', (m, n) => {
  const a = normal(randomKey(5, m, n), [m, n]);
  const { q, r } = qr(a);
  const k = Math.min(m, n);
  expect([q.shape, r.shape]).toEqual([
    [m, k],
    [k, n],
  ]);
  // Elements of A are of order 1 and its columns of norm sqrt(m).
  expect(largestDifference(matmul(q, r).data, a.data)).toBeLessThanOrEqual(16 * Math.sqrt(m * n) * EPSILON);
  const gram = matmul(q, q, { transposeA: true });
  const identity = gram.data.map((_, i) => (i % (k + 1) === 0 ? 1 : 0));
  expect(largestDifference(gram.data, identity)).toBeLessThanOrEqual(16 * Math.sqrt(m) * EPSILON);
  for (let i = 0; i < k; i++) {
    expect(r.data[i * n + i]).toBeGreaterThanOrEqual(0);
    for (let j = 0; j < i; j++) expect(r.data[i * n + j]).toBe(0);
  }
});

test('qr() keeps Q orthonormal for a zero matrix', () => {
  const { q, r } = qr(zeros('float64', [6, 3]));
  expect(largestDifference(matmul(q, q, { transposeA: true }).data, [1, 0, 0, 0, 1, 0, 0, 0, 1])).toBe(0);
  expect(r.data.every((x) => x === 0)).toBe(true);
});

test('orthonormalRows() drops rows that depend on those before and keeps the span', () => {
  const basis = randomRows(4, 30, 1);
  const mix = matmul(normal(randomKey(2), [9, 4]), basis);
  const { q, rank } = orthonormalRows(mix);
  expect(rank).toBe(4);
  expect(orthogonalityError(q)).toBeLessThanOrEqual(16 * EPSILON * Math.sqrt(30));
  expect(principalAngles(q, basis).at(-1)).toBeLessThanOrEqual(1e3 * EPSILON);
});

test('orthonormalRows() stays orthonormal for rows that agree to eight digits', () => {
  const [one, noise] = [normal(randomKey(3), [1, 50]), normal(randomKey(4), [12, 50])];
  const near = tensor(
    'float64',
    [12, 50],
    noise.data.map((x, i) => (one.data[i % 50] as number) + 1e-8 * x),
  );
  const { q, rank } = orthonormalRows(near);
  expect(rank).toBe(12);
  expect(orthogonalityError(q)).toBeLessThanOrEqual(16 * EPSILON * Math.sqrt(50));
  // The first rows span what the first rows spanned.
  expect(principalAngles(slice(q, 0, 3), orthonormalRows(slice(near, 0, 3)).q).at(-1)).toBeLessThanOrEqual(1e-14);
});

test('orthonormalRows() honours a given tolerance and finds no rank in zeros', () => {
  const x = tensor('float64', [2, 2], new Float64Array([1, 0, 1, 1e-5]));
  expect(orthonormalRows(x).rank).toBe(2);
  expect(orthonormalRows(x, { tolerance: 1e-4 }).rank).toBe(1);
  expect(orthonormalRows(zeros('float64', [3, 4])).q.shape).toEqual([0, 4]);
});

test('qr() and orthonormalRows() refuse NaN', () => {
  const bad = tensor('float64', [1, 2], new Float64Array([1, NaN]));
  expect(() => qr(bad)).toThrow(NumericalError);
  expect(() => orthonormalRows(bad)).toThrow(NumericalError);
});
