import { expect, test } from 'vitest';
import { DomainError, NumericalError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { eigenvaluesSymmetric, eigh } from './eigh.ts';
import { assemble, largestDifference, orthogonalityError, randomRows } from './known-spectrum.fixture.ts';
import { matmul } from './matmul.ts';

const EPSILON = Number.EPSILON;

function symmetric(n: number, element: (i: number, j: number) => number): Tensor<'float64'> {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) data[i * n + j] = data[j * n + i] = element(i, j);
  return tensor('float64', [n, n], data);
}

function symmetrized(a: Tensor<'float64'>): Tensor<'float64'> {
  const n = a.shape[0] as number;
  return symmetric(n, (i, j) => ((a.data[i * n + j] as number) + (a.data[j * n + i] as number)) / 2);
}

function random(n: number): Tensor<'float64'> {
  return symmetrized(normal(randomKey(n, 'symmetric'), [n, n]));
}

// Wilkinson's W+: pairs of eigenvalues that agree to rounding although no off-diagonal element is small.
function wilkinson(n: number): Tensor<'float64'> {
  return symmetric(n, (i, j) => (i === j ? Math.abs((n - 1) / 2 - i) : i === j + 1 ? 1 : 0));
}

function known(values: readonly number[], seed: number): Tensor<'float64'> {
  const q = randomRows(values.length, values.length, seed);
  return symmetrized(assemble(q, values, q));
}

const range = (n: number, f: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => f(i));

const cases: Record<string, Tensor<'float64'>> = {
  '1 x 1': symmetric(1, () => -3),
  '2 x 2': random(2),
  '33 (one merge)': random(33),
  '200 (several merges)': random(200),
  'Wilkinson 101': wilkinson(101),
  'identity 80': symmetric(80, (i, j) => (i === j ? 1 : 0)),
  'zero 70': symmetric(70, () => 0),
  'all ones 90 (rank 1)': symmetric(90, () => 1),
  'second difference 150': symmetric(150, (i, j) => (i === j ? 2 : i === j + 1 ? -1 : 0)),
  'graded 60, 1e-20 to 1e20': symmetric(60, (i, j) => 10 ** ((i + j) / 2.95 - 20) * (i === j ? 2 : 1)),
  'rank-deficient 120': known(
    range(120, (i) => (i < 20 ? 20 - i : 0)),
    3,
  ),
  'two clusters 100': known(
    range(100, (i) => (i < 40 ? 1 + 1e-14 * i : -1)),
    4,
  ),
  'tiny 40': symmetric(40, (i, j) => 1e-300 * Math.cos(i * j)),
  'huge 40': symmetric(40, (i, j) => 1e300 * Math.cos(i * j)),
};

test.each(Object.entries(cases))('eigh() rebuilds the matrix with orthonormal vectors: %s', (_, a) => {
  const n = a.shape[0] as number;
  const { values, vectors } = eigh(a);
  const norm = Math.max(...values.map(Math.abs));
  const image = matmul(vectors, a);
  // Two roundings an element in each of three orthogonal stages; 16 leaves room for the growth with sqrt(n).
  const tolerance = 16 * Math.sqrt(n) * EPSILON;
  const claimed = vectors.data.map((x, i) => x * (values[Math.floor(i / n)] as number));
  expect(largestDifference(image.data, claimed)).toBeLessThanOrEqual(tolerance * norm);
  expect(orthogonalityError(vectors)).toBeLessThanOrEqual(tolerance);
  expect(largestDifference(values, Float64Array.from(values).sort().reverse())).toBe(0);
  expect(largestDifference(eigenvaluesSymmetric(a), values)).toBeLessThanOrEqual(tolerance * norm);
});

test('eigh() meets 1e-13 in residual norm and orthogonality at 784', () => {
  const n = 784;
  const a = random(n);
  const { values, vectors } = eigh(a);
  const image = matmul(vectors, a).data;
  const norm = Math.max(...values.map(Math.abs));
  for (let i = 0; i < n; i++) {
    let squares = 0;
    for (let j = 0; j < n; j++) {
      squares += ((image[i * n + j] as number) - (values[i] as number) * (vectors.data[i * n + j] as number)) ** 2;
    }
    expect(Math.sqrt(squares)).toBeLessThanOrEqual(1e-13 * norm);
  }
  expect(orthogonalityError(vectors)).toBeLessThanOrEqual(1e-13);
});

test('eigh() and eigenvaluesSymmetric() find the closed-form spectrum of the second difference', () => {
  const n = 150;
  const exact = range(n, (i) => 2 - 2 * Math.cos((Math.PI * (n - i)) / (n + 1)));
  const a = cases['second difference 150'] as Tensor<'float64'>;
  // Weyl: a backward error of a few n eps |A| moves no eigenvalue further; |A| < 4.
  expect(largestDifference(eigh(a).values, exact)).toBeLessThanOrEqual(4 * Math.sqrt(n) * EPSILON * 4);
  expect(largestDifference(eigenvaluesSymmetric(a), exact)).toBeLessThanOrEqual(4 * Math.sqrt(n) * EPSILON * 4);
});

test('eigh() finds a constructed spectrum with multiplicities (Weyl)', () => {
  const exact = range(120, (i) => (i < 30 ? 5 : i < 31 ? 4 : i < 90 ? 1e-3 : -2));
  expect(largestDifference(eigh(known(exact, 7)).values, exact)).toBeLessThanOrEqual(16 * Math.sqrt(120) * EPSILON * 5);
});

test('eigh() gives the same bits again and makes the largest element of each vector positive', () => {
  const a = random(64);
  const first = eigh(a);
  expect(eigh(a)).toEqual(first);
  for (let i = 0; i < 64; i++) {
    const row = Array.from(first.vectors.data.subarray(i * 64, i * 64 + 64));
    expect(Math.max(...row)).toBe(Math.max(...row.map(Math.abs)));
  }
});

test('eigh() takes an empty matrix', () => {
  expect(eigh(tensor('float64', [0, 0], new Float64Array())).values).toHaveLength(0);
});

test('eigh() refuses what is not finite, not square or not symmetric', () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    const a = symmetric(3, (i, j) => (i === 2 && j === 1 ? bad : 1));
    expect(() => eigh(a)).toThrow(NumericalError);
    expect(() => eigenvaluesSymmetric(a)).toThrow(NumericalError);
  }
  expect(() => eigh(tensor('float64', [1, 2], new Float64Array(2)))).toThrow(ShapeError);
  expect(() => eigh(tensor('float64', [2, 2], new Float64Array([1, 2, 3, 4])))).toThrow(DomainError);
});
