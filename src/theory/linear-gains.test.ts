import { expect, test } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { flowGain, flowVariance, sequentialGains, telescopedVariance, wienerGain } from './linear-gains.ts';

const spectrum = [10, 1, 0.1, 0.001, 0];
const grid = [80, 20, 5, 1, 0.3, 0.02];

test('sequentialGains() telescope to one Wiener filter', () => {
  for (const variance of spectrum) {
    const product = sequentialGains(variance, grid).reduce((a, b) => a * b, 1);
    // One rounding a factor: as many eps as steps, doubled for quotients.
    expect(Math.abs(product - wienerGain(variance, 80))).toBeLessThanOrEqual(12 * Number.EPSILON * product);
  }
});

test('telescopedVariance() sharpens a ratio of variances to its square and no further', () => {
  expect(telescopedVariance(10, 1e6) / telescopedVariance(5, 1e6)).toBeCloseTo(4, 9);
  expect(telescopedVariance(2, 3)).toBeCloseTo((9 * 4) / 121, 14);
});

test('flowGain() composes over noise levels', () => {
  for (const variance of spectrum) {
    const direct = flowGain(variance, 80, 0.3);
    expect(Math.abs(flowGain(variance, 80, 5) * flowGain(variance, 5, 0.3) - direct)).toBeLessThan(1e-15);
  }
});

test('flowVariance() is lam S / (lam + S) and tends to the variance of the data', () => {
  expect(flowVariance(2, 3)).toBeCloseTo(18 / 11, 14);
  expect(flowVariance(2, 1e6)).toBeCloseTo(2, 10);
  expect(flowVariance(0, 3)).toBe(0);
});

test.each([
  () => wienerGain(-1, 1),
  () => wienerGain(1, 0),
  () => flowGain(1, 2, -1),
  () => sequentialGains(1, [1, 2]),
  () => sequentialGains(1, [2, 0, -1]),
])('linear gains refuse what lies outside their domain (%#)', (call) => {
  expect(call).toThrow(DomainError);
});
