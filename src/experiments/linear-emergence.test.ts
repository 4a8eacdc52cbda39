import { expect, test } from 'vitest';
import type { Dataset } from '../data/dataset.ts';
import { inMemory } from '../data/dataset.ts';
import { DomainError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { wienerGain } from '../theory/linear-gains.ts';
import { linearEmergence } from './linear-emergence.ts';
import type { CurveFigure, ImagesFigure } from './plain-figure.ts';

const SIDE = 8;

/** Images made of plane waves, whose variance falls with their frequency: each wave pair is a pair of principal components. */
function waves(count: number, variances: readonly number[]): Dataset {
  const z = normal(randomKey(3, 'waves'), [count, 2 * variances.length]).data;
  const data = Float32Array.from({ length: count * SIDE * SIDE }, (_, at) => {
    const [i, x] = [Math.floor(at / (SIDE * SIDE)), at % SIDE];
    return variances.reduce((sum, variance, k) => {
      const angle = (2 * Math.PI * (k + 1) * x) / SIDE;
      const scale = Math.sqrt((2 * variance) / (SIDE * SIDE));
      const at2 = i * 2 * variances.length + 2 * k;
      return sum + scale * ((z[at2] as number) * Math.cos(angle) + (z[at2 + 1] as number) * Math.sin(angle));
    }, 0);
  });
  return inMemory('waves', tensor('float32', [count, 1, SIDE, SIDE], data), { low: -1, high: 1 });
}

test('linearEmergence() of plane waves finds their variances, frequencies and order', async () => {
  const { rows, sigmas, frequencyCorrelation, dimension } = await linearEmergence({
    dataset: waves(2000, [16, 4, 1]),
    components: 6,
    seed: 1,
  });
  expect(dimension).toBe(64);
  rows.forEach((row, i) => {
    const k = Math.floor(i / 2);
    // Sample variances of 2000 draws: within 5 sqrt(2 / N); two of them are told apart by chance, which spreads them further.
    expect(Math.abs(row.eigenvalue / ([16, 4, 1][k] as number) - 1)).toBeLessThan(0.16);
    expect(row.meanRadialFrequency).toBeCloseTo((k + 1) / SIDE, 2);
    expect(row.criticalSigma).toBeCloseTo(Math.sqrt(row.eigenvalue) * (2000 / 64) ** 0.25, 10);
    expect(row.alignment).toHaveLength(sigmas.length);
    // Half of a direction is found somewhat below the level where its first trace is; chance puts 12 / 64 of any into the span.
    expect(row.emergenceSigma / row.criticalSigma).toBeGreaterThan(0.55);
    expect(row.emergenceSigma / row.criticalSigma).toBeLessThan(1.3);
  });
  // Pairs of components share a frequency: at worst every pair is in the wrong order, 1 - 6 * 6 / 210 = 0.83.
  expect(frequencyCorrelation).toBeLessThan(-0.8);
  expect([...sigmas].sort((a, b) => b - a)).toEqual(sigmas);
});

test('linearEmergence() with infinitely many draws knows every direction at every noise level', async () => {
  const options = { dataset: waves(300, [9, 1]), components: 4, draws: Infinity, seed: 1 };
  const { rows, sigmas } = await linearEmergence(options);
  for (const row of rows) {
    expect([row.criticalSigma, row.emergenceSigma]).toEqual([Infinity, Infinity]);
    for (const alignment of row.alignment) expect(alignment).toBeGreaterThan(1 - 1e-9);
    row.gain.forEach((gain, s) => expect(gain).toBeCloseTo(wienerGain(row.eigenvalue, sigmas[s] as number), 12));
  }
});

test('linearEmergence() of few samples learns less than of all', async () => {
  const dataset = waves(1500, [9, 1]);
  const options = { dataset, components: 4, sigmas: [1], seed: 1 };
  const all = await linearEmergence(options);
  const few = await linearEmergence({ ...options, samples: 40 });
  expect([all.samples, few.samples]).toEqual([1500, 40]);
  expect(few.rows[3]?.captured[0] as number).toBeLessThan(all.rows[3]?.captured[0] as number);
  expect(few.rows[0]?.criticalSigma as number).toBeCloseTo(
    (all.rows[0]?.criticalSigma as number) * (40 / 1500) ** 0.25,
    9,
  );
});

test('linearEmergence() draws its figures as data: angles for all, pictures for images', async () => {
  const images = await linearEmergence({ dataset: waves(300, [9, 1]), components: 3, sigmas: [0.1, 3], seed: 1 });
  expect(images.sigmas).toEqual([3, 0.1]);
  const { angles, reconstructions, generation, ...others } = images.figures;
  expect(Object.keys(others)).toEqual(['gains', 'frequency', 'components']);
  expect((angles as CurveFigure).curves).toHaveLength(6);
  const { rows } = reconstructions as ImagesFigure;
  expect(rows.map((row) => row.images.length)).toEqual([9, 9, 9]);
  const clean = rows[2]?.images[0] as ArrayLike<number>;
  // At noise 0.1, in variances of 9 and 1 the Wiener filter leaves far less than the noise.
  const error = (image: ArrayLike<number>): number =>
    Math.sqrt(Array.from(image).reduce((sum, x, i) => sum + (x - (clean[i] as number)) ** 2, 0) / clean.length);
  const [noisy, , filtered] = rows[1]?.images as [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];
  expect(error(noisy)).toBeGreaterThan(0.07);
  expect(error(filtered)).toBeLessThan(0.5 * error(noisy));
  expect((generation as ImagesFigure).rows).toHaveLength(3);
  const flat = inMemory('points', normal(randomKey(2), [50, 4]), { low: -9, high: 9 });
  const points = await linearEmergence({ dataset: flat, components: 2, seed: 1 });
  expect(Object.keys(points.figures)).toEqual(['angles', 'gains']);
  expect(points.frequencyCorrelation).toBeNaN();
});

test.each([
  [{ components: 0 }],
  [{ components: 65 }],
  [{ components: 5 }], // the waves span four directions
  [{ components: 2, samples: 0 }],
  [{ components: 2, samples: 301 }],
  [{ components: 2, sigmas: [] }],
  [{ components: 2, sigmas: [1, 0] }],
  [{ components: 2, draws: 0.5 }],
])('linearEmergence() refuses %o', async (options) => {
  await expect(linearEmergence({ dataset: waves(300, [9, 1]), seed: 1, ...options })).rejects.toThrow(DomainError);
});
