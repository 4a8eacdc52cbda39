import { describe, expect, test } from 'vitest';
import { gaussianDenoiser, wienerGain } from '../denoisers/gaussian.ts';
import { lowRankMixtureDenoiser } from '../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../denoisers/mixture-draw.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { inMemory } from '../data/dataset.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { singularValues } from '../linalg/svd.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { row, slice, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { computeJacobian } from './jacobian.ts';
import { linearityScore, measureLinearity } from './linearity.ts';
import { findNearest } from './nearest.ts';
import { numericalRank } from './rank.ts';
import { analyzeSpectrum } from './spectrum.ts';
import { estimateSymmetryDefect, symmetryDefect } from './symmetry.ts';

const n = 20;
const variances = Float64Array.from({ length: n }, (_, i) => 10 * 0.5 ** i);
const gaussian = gaussianDenoiser({
  name: 'gaussian',
  sampleShape: [n],
  mean: normal(randomKey(1, 'mean'), [n]).data,
  eigen: { values: variances, vectors: orthonormalRows(normal(randomKey(1, 'vectors'), [n, n])).q },
});
const centred = gaussianDenoiser({
  name: 'centred',
  sampleShape: [n],
  mean: new Float64Array(n),
  eigen: { values: variances, vectors: orthonormalRows(normal(randomKey(1, 'vectors'), [n, n])).q },
});
const mixture = randomMixture({ n: 48, ranks: [6, 6], variances: [1, 1], seed: 1 });
const molrg = lowRankMixtureDenoiser({ name: 'molrg', mixture });

/** Points of the mixture with noise of level sigma. */
function noisyPoints(sigma: number, count: number): Tensor<'float64'> {
  const { x } = sampleMixture(mixture, randomKey(2, 'points'), count);
  const noise = normal(randomKey(2, 'noise'), [count, 48]);
  return tensor(
    'float64',
    x.shape,
    x.data.map((v, i) => v + sigma * (noise.data[i] as number)),
  );
}

async function rankRatios(denoiser: Denoiser, points: Tensor<'float64'>, sigma: number): Promise<number[]> {
  const ratios: number[] = [];
  for (let i = 0; i < (points.shape[0] as number); i++) {
    const jacobian = await computeJacobian(denoiser.linearize(row(points, i), sigma), { blockSize: 48 });
    ratios.push(numericalRank(singularValues(jacobian), 'sqrt-energy-0.99') / 48);
  }
  return ratios;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('analyzeSpectrum()', () => {
  test.each([0.002, 0.1, 1, 10, 80])(
    'analyzeSpectrum() of a Gaussian has every singular value l / (l + sigma^2), sigma %d',
    async (sigma) => {
      const op = gaussian.linearize(normal(randomKey(3, 'x'), [n]), sigma);
      const { values, leading, error } = await analyzeSpectrum(op, await computeJacobian(op), { rank: 4, seed: 0 });
      const exact = variances.map((l) => wienerGain(l, sigma));
      const scale = exact[0] as number;
      // n eps for the products and n eps for the decomposition.
      const tolerance = 4 * n * Number.EPSILON * scale;
      values.forEach((s, i) => expect(Math.abs(s - (exact[i] as number))).toBeLessThanOrEqual(tolerance));
      expect(leading.status).toBe('converged');
      leading.values.forEach((s, i) =>
        expect(Math.abs(s - (exact[i] as number))).toBeLessThanOrEqual((leading.bound[i] as number) + tolerance),
      );
      expect(error).toBeLessThan(1e-14 * Math.max(1, scale));
    },
  );

  test('analyzeSpectrum() certifies from the operator: a reverse product that disagrees shows in the residuals', async () => {
    const op = gaussian.linearize(normal(randomKey(3, 'x'), [n]), 1);
    const jacobian = await computeJacobian(op);
    const bent = {
      ...op,
      applyTranspose: async (u: Tensor<'float32'> | Tensor<'float64'>) => {
        const out = await op.applyTranspose(u);
        return tensor(
          'float64',
          out.shape,
          Float64Array.from(out.data, (v) => 1.01 * v),
        );
      },
    };
    const { leading } = await analyzeSpectrum(bent, jacobian, { rank: 2, seed: 0 });
    const worst = Math.max(...leading.residualLeft, ...leading.residualRight);
    expect(worst).toBeGreaterThan(0.004); // the two products differ by 0.01 s
    expect(leading.status).not.toBe('converged');
  });

  test('analyzeSpectrum() keeps residuals at rounding where leading values span ten decades', async () => {
    const steep = gaussianDenoiser({
      name: 'steep',
      sampleShape: [n],
      mean: new Float64Array(n),
      eigen: {
        values: variances.map((_, i) => 10 ** (-2 * i)),
        vectors: orthonormalRows(normal(randomKey(1, 'vectors'), [n, n])).q,
      },
    });
    const op = steep.linearize(normal(randomKey(3, 'x'), [n]), 1);
    const { leading } = await analyzeSpectrum(op, await computeJacobian(op), { rank: 6, seed: 0 });
    const worst = Math.max(...leading.residualLeft, ...leading.residualRight);
    expect(worst).toBeLessThan(4 * n * Number.EPSILON); // the largest value is 1 / 2
    expect(leading.status).toBe('converged');
  });

  test('analyzeSpectrum() refuses a matrix of another shape', async () => {
    const op = gaussian.linearize(normal(randomKey(3, 'x'), [n]), 1);
    await expect(analyzeSpectrum(op, normal(randomKey(0), [3, n]), { rank: 1, seed: 0 })).rejects.toThrow('[20, 20]');
  });
});

describe('numericalRank() of the mixture of low-rank Gaussians, n = 48, K = 2, d = 6', () => {
  test.each([
    [0.002, 0.125],
    [0.1, 0.125],
    [1 / 0.3, 0.25],
    [80, 0.25],
  ])('numericalRank() at sigma %d is %d of the dimension at every noisy point', async (sigma, ratio) => {
    const ratios = await rankRatios(molrg, noisyPoints(sigma, 40), sigma);
    expect(mean(ratios)).toBeCloseTo(ratio, 2); // single points near the boundary may differ by one direction
    expect(numericalRankMode(ratios)).toBe(ratio);
  });

  test.each([
    [1 / 1.67, 0.136],
    [1 / 0.91, 0.19],
  ])('numericalRank() at sigma %d, between the plateaus, is %d on average over 200 points', async (sigma, expected) => {
    const ratios = await rankRatios(molrg, noisyPoints(sigma, 200), sigma);
    const average = mean(ratios);
    const deviation = Math.sqrt(mean(ratios.map((r) => (r - average) ** 2)) / 200);
    // Both averages are of 200 random points, and the expected one was rounded to 3 digits.
    expect(Math.abs(average - expected)).toBeLessThan(4 * Math.SQRT2 * deviation + 5e-4);
    expect(deviation).toBeLessThan(0.005);
  });
});

/** The most frequent value. */
function numericalRankMode(ratios: readonly number[]): number | undefined {
  const counts = Map.groupBy(ratios, (r) => r);
  return [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

describe('symmetryDefect() and estimateSymmetryDefect()', () => {
  test('both are rounding for exact posterior means', async () => {
    for (const denoiser of [molrg, gaussian]) {
      const op = denoiser.linearize(normal(randomKey(4, 'x'), denoiser.sampleShape), 0.7);
      expect(symmetryDefect(await computeJacobian(op))).toBeLessThan(48 * Number.EPSILON);
      const { value, interval } = await estimateSymmetryDefect(op, { seed: 1 });
      expect(value).toBeLessThan(48 * Number.EPSILON);
      expect(interval[0]).toBeLessThanOrEqual(value);
    }
  });
});

describe('the Jacobian of an exact posterior mean', () => {
  test('E|J dx|^2 over random unit dx is |J|_F^2 / n', async () => {
    const op = molrg.linearize(row(noisyPoints(1, 1), 0), 1);
    const jacobian = await computeJacobian(op);
    const energy = jacobian.data.reduce((sum, v) => sum + v * v, 0) / 48;
    const z = normal(randomKey(5, 'directions'), [4000, 48]);
    const images = await op.apply(z);
    const squares = Array.from({ length: 4000 }, (_, k) => {
      const [jz, length] = [images, z].map((t) =>
        slice(t as Tensor<'float64'>, k, k + 1).data.reduce((s, v) => s + v * v, 0),
      );
      return (jz as number) / (length as number);
    });
    const deviation = Math.sqrt(mean(squares.map((s) => (s - energy) ** 2)) / 4000);
    expect(Math.abs(mean(squares) - energy)).toBeLessThan(4 * deviation);
    expect(deviation / energy).toBeLessThan(0.02);
  });

  test('is the posterior covariance over sigma^2', async () => {
    // For a Gaussian the posterior covariance is (C^-1 + I / sigma^2)^-1, built here from its inverse.
    const sigma = 0.5;
    const jacobian = await computeJacobian(gaussian.linearize(normal(randomKey(6, 'x'), [n]), sigma));
    const { q } = orthonormalRows(normal(randomKey(1, 'vectors'), [n, n]));
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const covariance = variances.reduce(
          (sum, l, k) =>
            sum + ((q.data[k * n + i] as number) * (q.data[k * n + j] as number)) / (1 / l + 1 / sigma ** 2),
          0,
        );
        expect(jacobian.data[i * n + j]).toBeCloseTo(covariance / sigma ** 2, 12);
      }
    }
  });
});

describe('measureLinearity()', () => {
  const directions = tensor(
    'float64',
    [2, n],
    normal(randomKey(7, 'v'), [2, n]).data.map((v) => v / Math.sqrt(n)),
  );

  test('measureLinearity() of an affine denoiser is 1, 1 and 0 at every length', async () => {
    const x = normal(randomKey(7, 'x'), [n]);
    const measures = await measureLinearity(gaussian, x, 2, { directions, lengths: [0.1, 1, 100], batchSize: 3 });
    expect(measures.map((steps) => steps.map((s) => s.length))).toEqual([
      [0.1, 1, 100],
      [0.1, 1, 100],
    ]);
    for (const { cosine, normRatio, remainder } of measures.flat()) {
      expect(Math.abs(cosine - 1)).toBeLessThan(4 * n * Number.EPSILON);
      expect(Math.abs(normRatio - 1)).toBeLessThan(4 * n * Number.EPSILON);
      expect(remainder).toBeLessThan(1e-12); // eps |D(x)| over the change at the shortest step
    }
  });

  test('measureLinearity() of a mixture falls off as length^2: the remainder has slope 1', async () => {
    const sigma = 1;
    const x = row(noisyPoints(sigma, 1), 0);
    const v = normal(randomKey(8, 'v'), [1, 48]);
    const size = Math.sqrt(v.data.reduce((s, c) => s + c * c, 0));
    const unit = tensor(
      'float64',
      [1, 48],
      v.data.map((c) => c / size),
    );
    const lengths = [1e-1, 10 ** -1.5, 1e-2, 10 ** -2.5, 1e-3];
    const [steps = []] = await measureLinearity(molrg, x, sigma, { directions: unit, lengths });
    const logs = steps.map((s) => [Math.log(s.length), Math.log(s.remainder)] as const);
    const [mx, my] = [mean(logs.map(([a]) => a)), mean(logs.map(([, b]) => b))];
    const slope =
      logs.reduce((s, [a, b]) => s + (a - mx) * (b - my), 0) / logs.reduce((s, [a]) => s + (a - mx) ** 2, 0);
    expect(Math.abs(slope - 1)).toBeLessThan(0.3);
  });

  test('measureLinearity() says remainder 1 where nothing is predicted and something happens', async () => {
    // Far below the noise level a mixture jumps between components though its Jacobian across them is flat.
    const still: Denoiser = {
      ...gaussian,
      linearize: () => ({
        rows: n,
        columns: n,
        epsilon: 1,
        apply: (v) => Promise.resolve(tensor('float64', v.shape, new Float64Array(v.data.length))),
        applyTranspose: (u) => Promise.resolve(u),
      }),
    };
    const [steps = []] = await measureLinearity(still, normal(randomKey(9, 'x'), [n]), 1, { directions, lengths: [1] });
    expect(steps[0]?.remainder).toBe(1);
  });

  test('measureLinearity() refuses directions of another size', async () => {
    const work = measureLinearity(gaussian, normal(randomKey(9, 'x'), [n]), 1, {
      directions: normal(randomKey(9), [2, 3]),
      lengths: [1],
    });
    await expect(work).rejects.toThrow('[P, 20]');
  });
});

describe('linearityScore()', () => {
  const pair = (size: number): [Tensor<'float64'>, Tensor<'float64'>] => [
    normal(randomKey(10, 'a'), [50, size]),
    normal(randomKey(10, 'b'), [50, size]),
  ];

  test('linearityScore() of a linear denoiser is 1 and of a mixture between its plateaus less', async () => {
    expect(await linearityScore(centred, ...pair(n), 1)).toBeCloseTo(1, 13);
    const mixed = await linearityScore(molrg, noisyPoints(0.5, 50), normal(randomKey(11), [50, 48]), 0.5);
    expect(mixed).toBeLessThan(0.95);
  });
});

describe('findNearest()', () => {
  test('findNearest() finds copies at distance 0 and others at their root mean square distance', async () => {
    const x = normal(randomKey(12, 'data'), [300, 5]);
    const data = inMemory('points', x, { low: -10, high: 10 });
    const held = await data.read([299, 7]);
    const samples = tensor('float32', [2, 5], held.data.slice());
    samples.data[5] = (samples.data[5] as number) + 0.125; // a power of two: exact in float32 up to its own rounding
    const { indices, distance, nearest } = await findNearest(samples, data);
    expect([...indices]).toEqual([299, 7]);
    expect(nearest.data).toEqual(held.data);
    expect(distance.data[0]).toBe(0);
    expect(distance.data[1]).toBeCloseTo(0.125 / Math.sqrt(5), 6);
  });
});
