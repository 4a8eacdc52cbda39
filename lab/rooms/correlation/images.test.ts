import { describe, expect, it } from 'vitest';

import { orthonormalRows } from '../../../src/linalg/qr.ts';
import { normal, randomKey } from '../../../src/tensor/random.ts';
import { overlapSquared } from '../../../src/theory/spiked-covariance.ts';
import { reverseFactors } from './closed-forms.ts';
import { comeBack } from './images.ts';

const D = 16;
const basis = {
  mean: normal(randomKey(1, 'mean'), [D]).data,
  // The last two directions hold nothing of the data.
  variances: Float64Array.from({ length: D }, (_, i) => (i < D - 2 ? 9 * 0.6 ** i : 0)),
  vectors: orthonormalRows(normal(randomKey(1, 'basis'), [D, D])).q.data,
};
const clean = Float32Array.from(normal(randomKey(1, 'clean'), [D]).data);
const input = { samples: 40, draws: 2, image: 3, seed: 7 };
const gamma = D / 80;

/** The mean learned projection, written out. */
function denoise(x: ArrayLike<number>, sigma: number): number[] {
  const out = [...basis.mean];
  for (let i = 0; i < D; i++) {
    const u = basis.vectors.subarray(i * D, (i + 1) * D);
    const gain = overlapSquared((basis.variances[i] as number) / sigma ** 2, gamma);
    const along = u.reduce((sum, v, j) => sum + v * ((x[j] as number) - (basis.mean[j] as number)), 0);
    u.forEach((v, j) => (out[j] = (out[j] as number) + gain * along * v));
  }
  return out;
}

function expectClose(actual: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(actual.length).toBe(wanted.length);
  // Pictures are single precision.
  Array.from(wanted).forEach((value, j) => expect(actual[j]).toBeCloseTo(value, 5));
}

describe('comeBack()', () => {
  it('runs the process that one gets step by step, from the same noise alone', () => {
    const { levels, sigmas } = comeBack(basis, clean, input);
    const noise = normal(randomKey(input.seed, 'reverse-process', input.image), [D]).data;
    let x = Array.from(basis.mean, (m, j) => m + (sigmas[0] as number) * (noise[j] as number));
    sigmas.forEach((sigma, k) => {
      const level = levels.find((shown) => shown.sigma === sigma);
      if (level !== undefined) {
        expectClose(level.process.noisy, x);
        expectClose(level.process.estimate, denoise(x, sigma));
      }
      const d = denoise(x, sigma);
      const ratio = (sigmas[k + 1] ?? 0) / sigma;
      x = x.map((v, j) => (d[j] as number) + ratio * (v - (d[j] as number)));
    });
    expect(levels.length).toBe(8);
  });

  it('takes noise off the picture itself, with the directions found at each level', () => {
    const { levels, critical } = comeBack(basis, clean, input);
    const noise = normal(randomKey(input.seed, 'reverse-image', input.image), [D]).data;
    for (const { sigma, found, heldOut } of levels) {
      const noisy = Array.from(clean, (x, j) => x + sigma * (noise[j] as number));
      expectClose(heldOut.noisy, noisy);
      expectClose(heldOut.estimate, denoise(noisy, sigma));
      expect(found).toBe(critical.filter((lost) => lost > sigma).length);
    }
    expect(levels[0]?.found).toBe(0);
    // Nothing is ever found where the data do not vary.
    expect(levels.at(-1)?.found).toBe(D - 2);
  });

  it('follows the first direction, the third, the ninth and so on, each on its way down until it is found', () => {
    const { paths, critical, sigmas } = comeBack(basis, clean, input);
    expect(paths.map(({ direction }) => direction)).toEqual([0, 2, 8]);
    for (const { direction, state } of paths) {
      sigmas.forEach((sigma, k) => {
        const above = (sigmas[k - 1] ?? Infinity) >= (critical[direction] as number);
        if (above) expect((state[k] as number) / sigma).toBeCloseTo(1, 12);
        else expect(state[k] as number).toBeGreaterThan(sigma);
      });
    }
  });
});

describe('reverseFactors()', () => {
  it('tends to the flow of the closed form as steps grow finer', () => {
    // Without a limit on samples the gains are 1: a direction stays as it is from the start.
    expect(reverseFactors([4], 0, [3, 2, 1]).map((factors) => factors[0])).toEqual([1, 1, 1]);
    const grid = (steps: number): number[] => Array.from({ length: steps + 1 }, (_, k) => 10 ** (-k / steps));
    const end = (steps: number): number => reverseFactors([0.25], 0.5, grid(steps)).at(-1)?.[0] as number;
    const errors = [50, 100, 200].map((steps) => Math.abs(end(steps) - end(6400)));
    // First order: half the step, half the error.
    expect((errors[0] as number) / (errors[1] as number)).toBeGreaterThan(1.5);
    expect((errors[1] as number) / (errors[2] as number)).toBeGreaterThan(1.5);
    expect(errors[2]).toBeLessThan(0.01);
  });
});
