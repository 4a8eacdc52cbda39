import { expect, test } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import {
  aspectRatio,
  bulkEdges,
  criticalNoise,
  overlapSquared,
  recoveryThreshold,
  sampleEigenvalue,
} from './spiked-covariance.ts';

// theory.md A.2, printed to four digits.
const snrs = [0.5, 1, 1.5, 2, 3, 5, 10, 20];
const table: Readonly<Record<string, readonly number[]>> = {
  '0.1': [0.5, 0.8182, 0.8958, 0.9286, 0.957, 0.9765, 0.9891, 0.9948],
  '0.2': [0.1429, 0.6667, 0.8039, 0.8636, 0.9167, 0.9538, 0.9784, 0.9896],
  '0.5': [0, 0.3333, 0.5833, 0.7, 0.8095, 0.8909, 0.9476, 0.9744],
  '1': [0, 0, 0.3333, 0.5, 0.6667, 0.8, 0.9, 0.95],
  '2': [0, 0, 0.0476, 0.25, 0.4667, 0.6571, 0.8167, 0.9045],
  '5': [0, 0, 0, 0, 0.1667, 0.4, 0.6333, 0.79],
};

test('overlapSquared() gives the 48 values of the table in theory.md A.2', () => {
  for (const [gamma, row] of Object.entries(table)) {
    row.forEach((value, i) =>
      expect(Math.abs(overlapSquared(snrs[i] as number, Number(gamma)) - value)).toBeLessThan(5.1e-5),
    );
  }
});

test('overlapSquared() is 0 at and below the threshold, continuous there, and tends to 1', () => {
  for (const gamma of [0.1, 1, 5]) {
    const threshold = recoveryThreshold(gamma);
    expect(threshold).toBe(Math.sqrt(gamma));
    expect(overlapSquared(threshold, gamma)).toBe(0);
    expect(overlapSquared(threshold * (1 + 1e-9), gamma)).toBeLessThan(1e-8);
    expect(overlapSquared(1e12, gamma)).toBeGreaterThan(1 - 2e-11);
  }
});

test('overlapSquared() reduces to 1 - 1 / ell where samples are as many as dimensions', () => {
  for (const snr of [1.5, 4, 20]) expect(Math.abs(overlapSquared(snr, 1) - (1 - 1 / snr))).toBeLessThan(1e-15);
});

test('sampleEigenvalue() gives 3.75 for gamma 0.5 and ell 2 and leaves the bulk edge continuously', () => {
  expect(sampleEigenvalue(2, 0.5)).toBe(3.75);
  expect(bulkEdges(0.5).upper).toBeCloseTo(2.914, 3);
  expect(sampleEigenvalue(0.3, 0.5, 4)).toBe(bulkEdges(0.5, 4).upper);
  const above = sampleEigenvalue(Math.SQRT1_2 * (1 + 1e-6), 0.5);
  expect(Math.abs(above - bulkEdges(0.5).upper)).toBeLessThan(1e-11);
});

test('criticalNoise() gives 3.76, 2.66 and 1.68 for variances 10, 5 and 2 at n / p = 2', () => {
  const found = [10, 5, 2].map((variance) => criticalNoise(variance, 0.5));
  [3.76, 2.66, 1.68].forEach((value, i) => expect(Math.abs((found[i] as number) - value)).toBeLessThan(0.005));
});

test('criticalNoise() is where overlapSquared() turns 0', () => {
  for (const gamma of [0.2, 3]) {
    const sigma = criticalNoise(7, gamma);
    expect(overlapSquared(7 / (sigma * 1.000001) ** 2, gamma)).toBe(0);
    expect(overlapSquared(7 / (sigma * 0.999999) ** 2, gamma)).toBeGreaterThan(0);
  }
});

test('aspectRatio() divides by the noise draws, and infinitely many leave no noise to hide a direction', () => {
  expect(aspectRatio(200, 100)).toBe(2);
  expect(overlapSquared(1, aspectRatio(200, 100, 10))).toBeCloseTo(0.6667, 4);
  const clean = aspectRatio(200, 100, Infinity);
  expect(overlapSquared(1e-9, clean)).toBe(1);
  expect(criticalNoise(1, clean)).toBe(Infinity);
  expect(criticalNoise(0, clean)).toBe(0);
});

test.each([
  () => aspectRatio(0, 5),
  () => aspectRatio(5, 0),
  () => aspectRatio(5, 2.5),
  () => aspectRatio(5, 5, 0),
  () => overlapSquared(-1, 1),
  () => overlapSquared(NaN, 1),
  () => overlapSquared(1, -1),
  () => overlapSquared(1, Infinity),
  () => sampleEigenvalue(2, 1, 0),
  () => criticalNoise(Infinity, 1),
])('spiked covariance formulas refuse what lies outside their domain (%#)', (call) => {
  expect(call).toThrow(DomainError);
});
