import { expect, test } from 'vitest';
import { normal, randomKey, uniform } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import { withWorkspace } from '../kernels/workspace.ts';
import { largestDifference, orthogonalityError } from '../known-spectrum.fixture.ts';
import { divideAndConquer } from './divide-and-conquer.ts';
import { tridiagonalQl } from './ql.ts';

const range = (n: number, f: (i: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => f(i));

// Wilkinson matrices in a row, joined by `glue`: large clusters, each within rounding, with no structure left to deflate on.
const glued = (glue: number): { d: Float64Array; e: Float64Array } => ({
  d: range(210, (i) => Math.abs(10 - (i % 21)) / 16),
  e: range(209, (i) => (i % 21 === 20 ? glue : 1 / 16)),
});

const cases: Record<string, { d: Float64Array; e: Float64Array }> = {
  random: { d: normal(randomKey(1), [150]).data, e: normal(randomKey(2), [149]).data },
  'random signs of the coupling': { d: range(100, () => 0.5), e: range(99, (i) => (i % 3 === 0 ? -0.5 : 0.5)) },
  'constant (all merges coupled)': { d: range(257, () => 1), e: range(256, () => 0.5) },
  'glued Wilkinson 1e-3': glued(1e-3),
  'glued Wilkinson 1e-8': glued(1e-8),
  'glued Wilkinson 1e-14': glued(1e-14),
  'no coupling': { d: uniform(randomKey(3), [90]).data, e: new Float64Array(89) },
  'coupling graded to 1e-40': { d: range(120, (i) => 10 ** (-i / 3)), e: range(119, (i) => 10 ** (-i / 3) / 2) },
  'zero diagonal, odd size': { d: new Float64Array(101), e: normal(randomKey(4), [100]).data },
  'dominant ends': { d: range(80, (i) => (i === 0 || i === 79 ? 1 : 1e-9 * i)), e: range(79, () => 1e-5) },
};

test.each(Object.entries(cases))('divideAndConquer() solves the tridiagonal problem: %s', (_, { d, e }) => {
  const n = d.length;
  const values = d.slice();
  const data = withWorkspace((workspace) => {
    const at = divideAndConquer(workspace, { d: values, e: e.slice() });
    return workspace.view(at, n * n).slice();
  });
  const norm = Math.max(...values.map(Math.abs));
  // Each of log2(n / 32) merges deflates and rounds within 8 eps; residuals are taken element by element.
  const tolerance = 16 * Math.sqrt(n) * Number.EPSILON;
  expect(orthogonalityError(tensor('float64', [n, n], data))).toBeLessThanOrEqual(tolerance);
  let worst = 0;
  for (let i = 0; i < n; i++) {
    const v = data.subarray(i * n, (i + 1) * n);
    for (let j = 0; j < n; j++) {
      const image =
        (d[j] as number) * (v[j] as number) + (e[j - 1] ?? 0) * (v[j - 1] ?? 0) + (e[j] ?? 0) * (v[j + 1] ?? 0);
      worst = Math.max(worst, Math.abs(image - (values[i] as number) * (v[j] as number)));
    }
  }
  expect(worst).toBeLessThanOrEqual(tolerance * norm);
  const ql = d.slice();
  tridiagonalQl({ d: ql, e: e.slice() });
  expect(largestDifference(ql.sort(), values)).toBeLessThanOrEqual(tolerance * norm);
});
