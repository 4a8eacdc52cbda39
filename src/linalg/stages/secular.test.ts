import { expect, test } from 'vitest';
import { randomKey, uniform } from '../../tensor/random.ts';
import { secularRoot } from './secular.ts';

test('secularRoot() solves the 2 x 2 problem in closed form', () => {
  // diag(0, 1) + [[1, 1], [1, 1]] has the eigenvalues (3 -+ sqrt(5)) / 2.
  const equation = { poles: new Float64Array([0, 1]), weights: new Float64Array([1, 1]), rho: 1 };
  const differences = new Float64Array(2);
  expect(secularRoot(equation, 0, differences)).toBeCloseTo((3 - Math.sqrt(5)) / 2, 15);
  expect(secularRoot(equation, 1, differences)).toBeCloseTo((3 + Math.sqrt(5)) / 2, 15);
  expect(differences[0]).toBeCloseTo(-(3 + Math.sqrt(5)) / 2, 15);
});

test('secularRoot() takes one pole', () => {
  const differences = new Float64Array(1);
  const root = secularRoot({ poles: new Float64Array([2]), weights: new Float64Array([0.25]), rho: 4 }, 0, differences);
  expect([root, differences[0]]).toEqual([3, -1]);
});

test('secularRoot() interlaces and obeys the trace for poles and weights over thirty orders of magnitude', () => {
  const random = uniform(randomKey(9), [4000]).data;
  let next = 0;
  for (let trial = 0; trial < 60; trial++) {
    const k = 2 + (trial % 13);
    const poles = new Float64Array(k);
    for (let i = 1; i < k; i++) poles[i] = (poles[i - 1] as number) + 10 ** (-12 * (random[next++] as number));
    const weights = Float64Array.from({ length: k }, () => 10 ** (-28 * (random[next++] as number)));
    const rho = 10 ** (-4 * (random[next++] as number));
    const differences = new Float64Array(k);
    let moved = 0;
    for (let j = 0; j < k; j++) {
      secularRoot({ poles, weights, rho }, j, differences);
      expect(differences[j]).toBeLessThan(0);
      if (j < k - 1) expect(differences[j + 1]).toBeGreaterThan(0);
      moved -= differences[j] as number;
    }
    // The roots move from their poles by trace(rho z z^T) together; every difference is good to a few k eps.
    const trace = rho * weights.reduce((a, b) => a + b, 0);
    expect(Math.abs(moved - trace)).toBeLessThanOrEqual(
      64 * k * Number.EPSILON * (trace + (poles[k - 1] as number) * 1e-3),
    );
  }
});
