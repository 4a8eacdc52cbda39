import { describe, expect, it } from 'vitest';
import { normal, randomKey } from '../tensor/random.ts';
import type { AdamState } from './adam.ts';
import { adamDefaults, adamStep, averageStep } from './adam.ts';

const moments = (count: number): AdamState => ({ first: new Float32Array(count), second: new Float32Array(count) });
const eps32 = 2 ** -23;

describe('adamStep()', () => {
  it('adamStep() follows algorithm 1 by hand for two steps', () => {
    const weights = Float32Array.of(1);
    const state = moments(1);
    adamStep(weights, Float32Array.of(0.5), state, 1, 0.1);
    // Bias correction makes the first update the sign of the gradient, up to epsilon / |g| = 2e-8.
    expect(Math.abs((weights[0] as number) - 0.9)).toBeLessThan(2 * eps32);
    adamStep(weights, Float32Array.of(-0.25), state, 2, 0.1);
    // m = 0.9 (0.1 0.5) - 0.1 0.25 = 0.02 over 1 - 0.81; v = 0.99 (0.01 0.25) + 0.01 0.0625 = 0.0031 over 1 - 0.9801.
    const second = 0.1 * (0.02 / 0.19 / Math.sqrt(0.0031 / 0.0199));
    expect(Math.abs((weights[0] as number) - (0.9 - second))).toBeLessThan(4 * eps32);
  });

  it('adamStep() stays within the rounding of its float32 arrays of float64 arithmetic over 100 steps', () => {
    const [count, steps, rate] = [32, 100, 1e-2];
    const { beta1, beta2, epsilon } = adamDefaults;
    const weights = new Float32Array(count).fill(1);
    const exact = { w: new Float64Array(count).fill(1), m: new Float64Array(count), v: new Float64Array(count) };
    const state = moments(count);
    for (let step = 1; step <= steps; step++) {
      const gradient = Float32Array.from(normal(randomKey(5, step), [count]).data);
      adamStep(weights, gradient, state, step, rate);
      gradient.forEach((g, i) => {
        const m = beta1 * (exact.m[i] as number) + (1 - beta1) * g;
        const v = beta2 * (exact.v[i] as number) + (1 - beta2) * g * g;
        [exact.m[i], exact.v[i]] = [m, v];
        (exact.w[i] as number) -= (rate * (m / (1 - beta1 ** step))) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
      });
    }
    // |w| < 2 is rounded once a step by at most eps32 / 2 * 2; the moments' roundings enter times the rate, 1e-2.
    weights.forEach((w, i) => expect(Math.abs(w - (exact.w[i] as number))).toBeLessThan(steps * eps32));
    expect(weights.some((w) => Math.abs(w - 1) > 0.05)).toBe(true);
  });

  it('adamStep() leaves a weight without gradient where it is', () => {
    const weights = Float32Array.of(0.3, -2);
    adamStep(weights, new Float32Array(2), moments(2), 1, 0.1);
    expect(weights).toEqual(Float32Array.of(0.3, -2));
  });
});

describe('averageStep()', () => {
  it('averageStep() towards constant weights leaves decay^n of the distance', () => {
    const average = Float32Array.of(3, -1);
    const weights = Float32Array.of(1, 2);
    for (let n = 0; n < 20; n++) averageStep(average, weights, 0.9);
    [1 + 2 * 0.9 ** 20, 2 - 3 * 0.9 ** 20].forEach((wanted, i) => {
      // Each of 20 steps rounds a value below 4 by at most 2 eps32, and old roundings decay by 0.9: at most 20 eps32 in all.
      expect(Math.abs((average[i] as number) - wanted)).toBeLessThan(20 * eps32);
    });
  });

  it('averageStep() with decay 0 copies the weights, with decay 1 keeps the average', () => {
    const average = Float32Array.of(3);
    averageStep(average, Float32Array.of(7), 1);
    expect(average[0]).toBe(3);
    averageStep(average, Float32Array.of(7), 0);
    expect(average[0]).toBe(7);
  });
});
