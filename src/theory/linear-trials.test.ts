import { expect, test } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import {
  emergenceLevels,
  geometricSpectrum,
  trialAlignments,
  trialOperators,
  trialProjections,
} from './linear-trials.ts';
import type { OperatorSetting } from './linear-trials.ts';

const setting: OperatorSetting = {
  spectrum: [4, 1],
  dimension: 12,
  samples: 30,
  draws: 2,
  sigmas: [0.3, 0.5, 0.9],
  data: 'fresh',
};

test('geometricSpectrum() falls by its decay, and refuses what is no spectrum', () => {
  expect(geometricSpectrum({ top: 8, decay: 0.5, count: 3 })).toEqual([8, 4, 2]);
  for (const bad of [{ top: 0 }, { top: Infinity }, { decay: 0 }, { decay: 1.1 }, { count: 0 }, { count: 1.5 }]) {
    expect(() => geometricSpectrum({ top: 8, decay: 0.5, count: 3, ...bad })).toThrow(DomainError);
  }
});

test('emergenceLevels() reach beyond the first and the last critical noise in equal ratios', () => {
  const levels = emergenceLevels([16, 8, 4], 6);
  expect(levels[0]).toBe(1);
  expect(levels.at(-1)).toBeCloseTo(32, 12);
  levels.slice(1).forEach((sigma, i) => expect(sigma / (levels[i] as number)).toBeCloseTo(2, 12));
});

test('trialAlignments() are 1 without noise, 0 with nothing but noise, and the same for the same key only', () => {
  const at = (sigma: number, level: number): Float64Array => trialAlignments(setting, sigma, { seed: 3, trial: 0, level }); // prettier-ignore
  // The samples of two directions are turned against these by their own correlation, which is the same at every level.
  const [first, second] = [at(1e-9, 0), at(1e-9, 1)];
  first.forEach((c2, i) => {
    expect(c2).toBeGreaterThan(0.8);
    expect(c2).toBeCloseTo(second[i] as number, 6);
  });
  const lost = Array.from({ length: 40 }, (_, trial) => trialAlignments(setting, 1e6, { seed: 3, trial, level: 0 })[0] as number); // prettier-ignore
  // A random direction of twelve has cos^2 = 1/12 on average, with a deviation of 0.1 a trial.
  expect(lost.reduce((a, b) => a + b, 0) / 40).toBeLessThan(1 / 12 + (4 * 0.1) / Math.sqrt(40));
  expect(at(1, 0)).toEqual(at(1, 0));
  expect(at(1, 0)).not.toEqual(at(1, 1));
});

test('trialOperators() are the leading block of the products of the projections', () => {
  const key = { seed: 7, trial: 2 };
  const projections = trialProjections(setting, key);
  for (const p of projections) {
    const square = matmul(p, p).data;
    square.forEach((x, i) => expect(x).toBeCloseTo(p.data[i] as number, 12));
  }
  let product = projections[0] as (typeof projections)[number];
  trialOperators(setting, key).forEach((block, k) => {
    if (k > 0) product = matmul(product, projections[k] as typeof product);
    for (const [i, j] of [[0, 0], [0, 1], [1, 0], [1, 1]] as const) expect(block[2 * i + j]).toBeCloseTo(product.data[12 * i + j] as number, 12); // prettier-ignore
  });
});
