import { describe, expect, it } from 'vitest';
import { describeDenoiserContract } from '../../test/contracts/denoiser.ts';
import { inMemory } from '../data/dataset.ts';
import { CancelledError, NumericalError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, reshape, row, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { empiricalDenoiser, fitEmpirical } from './empirical.ts';

const points = normal(randomKey(11, 'points'), [9, 2, 3]);

describeDenoiserContract('empirical', {
  create: () => empiricalDenoiser({ name: 'nine points', points }),
  sigmas: [0.002, 0.5, 1, 10],
  symmetric: true,
  clean: row(points, 4).data,
});

describe('empiricalDenoiser()', () => {
  it('empiricalDenoiser() of the points a and -a is a tanh(a.x / sigma^2), its Jacobian a a^T sech^2 / sigma^2', async () => {
    const a = Float64Array.of(0.6, -1.1, 0.2);
    const pair = tensor('float64', [2, 3], Float64Array.from([...a, ...a.map((v) => -v)]));
    await using denoiser = empiricalDenoiser({ name: 'pair', points: pair });
    const x = tensor('float64', [1, 3], Float64Array.of(0.3, 0.2, -0.4));
    const v = tensor('float64', [1, 3], Float64Array.of(1, 2, 3));
    for (const sigma of [0.05, 0.5, 2, 50]) {
      const slope = dot(a, x.data) / sigma ** 2;
      const out = await denoiser.denoise(x, sigma);
      const Jv = await denoiser.linearize(x, sigma).apply(v);
      a.forEach((value, j) => {
        // exp(slope) has relative error eps |slope|; slope reaches 50 here
        expect(Math.abs((out.data[j] as number) - value * Math.tanh(slope))).toBeLessThan(1e-14);
        const wanted = (value * dot(a, v.data)) / (Math.cosh(slope) * sigma) ** 2;
        expect(Math.abs((Jv.data[j] as number) - wanted)).toBeLessThan(1e-13 * Math.max(1, 1 / sigma ** 2));
      });
    }
  });

  it('empiricalDenoiser() over several blocks and batches equals the sum written out', async () => {
    const many = normal(randomKey(12, 'many'), [600, 4]);
    await using denoiser = empiricalDenoiser({ name: 'many', points: many });
    const x = normal(randomKey(12, 'x'), [70, 4]); // more than one batch of 64, points more than two blocks of 256
    const sigmas = Float64Array.from({ length: 70 }, (_, b) => 0.02 * 1.1 ** b);
    const out = await denoiser.denoise(x, sigmas);
    for (let b = 0; b < 70; b++) {
      const { mean } = posteriorWrittenOut(many, row(x, b).data, sigmas[b] as number);
      mean.forEach((m, j) => expect(Math.abs((out.data[b * 4 + j] as number) - m)).toBeLessThan(1e-10));
    }
  });

  it('linearize() is the posterior covariance over sigma^2, over several blocks', async () => {
    const many = normal(randomKey(12, 'many'), [600, 4]);
    await using denoiser = empiricalDenoiser({ name: 'many', points: many });
    const x = normal(randomKey(12, 'x'), [4]);
    const identity = tensor(
      'float64',
      [4, 4],
      Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)),
    );
    for (const sigma of [0.2, 1, 20]) {
      const op = denoiser.linearize(x, sigma);
      const { covariance } = posteriorWrittenOut(many, x.data, sigma);
      // The first product walks over the points, the second comes from the matrix formed meanwhile.
      for (const J of [await op.apply(identity), await op.apply(identity)]) {
        J.data.forEach((value, i) => {
          expect(Math.abs(value - (covariance[i] as number) / sigma ** 2)).toBeLessThan(1e-10);
        });
      }
    }
  });

  it('empiricalDenoiser() at sigma 0.002 tells near-duplicates apart far from the origin', async () => {
    // Two images that differ in one value by 2^-10, half of sigma, at a norm of 1e4, seen from a distance of 500 sigma:
    // |x|^2 - 2 x.y + |y|^2 would leave errors of 1e-3 in the exponent.
    const [dimension, sigma, gap] = [100, 0.002, 2 ** -10];
    const data = new Float64Array(2 * dimension).fill(1000);
    data[dimension] = 1000 + gap;
    await using denoiser = empiricalDenoiser({ name: 'twins', points: tensor('float64', [2, dimension], data) });
    for (const t of [-3, 0, 0.25, 0.5, 2]) {
      const x = new Float64Array(dimension).fill(1000);
      x[0] = 1000 + t * gap;
      x[7] = 1001;
      const first = (await denoiser.denoise(tensor('float64', [1, dimension], x), sigma)).data[0] as number;
      const share = 1 / (1 + Math.exp(-((2 * t - 1) * gap ** 2) / (2 * sigma ** 2)));
      expect(Math.abs((first - 1000) / gap - share)).toBeLessThan(1e-8); // reading the share off 1000 + gap costs 1e-10
      const v = tensor(
        'float64',
        [1, dimension],
        Float64Array.from({ length: dimension }, (_, j) => (j === 0 ? 1 : 0)),
      );
      const Jv = (await denoiser.linearize(tensor('float64', [dimension], x), sigma).apply(v)).data[0] as number;
      expect(Math.abs(Jv - (share * (1 - share) * gap ** 2) / sigma ** 2)).toBeLessThan(1e-8);
    }
  });

  it('empiricalDenoiser() at sigma 0.002 returns the training image exactly, and shares between exact duplicates', async () => {
    const images = tensor(
      'float64',
      [3, 6],
      Float64Array.from([...points.data.slice(0, 12), ...points.data.slice(0, 6)]),
    );
    await using denoiser = empiricalDenoiser({ name: 'duplicates', points: images });
    const noise = normal(randomKey(13), [2, 6]).data;
    const x = Float64Array.from(noise, (z, i) => (points.data[i] as number) + 0.002 * z);
    const out = await denoiser.denoise(tensor('float64', [2, 6], x), 0.002);
    expect([...out.data]).toEqual([...points.data.slice(0, 12)]);
  });

  it('empiricalDenoiser() gives the mean of the data at very high noise, and stays finite at very low', async () => {
    await using denoiser = empiricalDenoiser({ name: 'nine points', points });
    const x = normal(randomKey(14), [1, 2, 3]);
    const mean = Float64Array.from({ length: 6 }, (_, j) =>
      points.data.reduce((s, v, i) => s + (i % 6 === j ? v / 9 : 0), 0),
    );
    (await denoiser.denoise(x, 1e9)).data.forEach((v, j) => expect(v).toBeCloseTo(mean[j] as number, 14));
    const nearest = (await denoiser.denoise(x, 1e-100)).data;
    expect(Array.from({ length: 9 }, (_, i) => [...row(points, i).data])).toContainEqual([...nearest]);
  });

  it('empiricalDenoiser() gives the same for float32 points as for the same points in float64', async () => {
    const narrow = castFloat(points, 'float32');
    await using a = empiricalDenoiser({ name: 'float32', points: narrow });
    await using b = empiricalDenoiser({ name: 'float64', points: castFloat(narrow, 'float64') });
    const x = normal(randomKey(15), [2, 2, 3]);
    expect([...(await a.denoise(x, 0.4)).data]).toEqual([...(await b.denoise(x, 0.4)).data]);
  });

  it('empiricalDenoiser() refuses an empty set and values that are not finite', () => {
    expect(() => empiricalDenoiser({ name: 'none', points: tensor('float64', [0, 3], new Float64Array(0)) })).toThrow(
      ShapeError,
    );
    const broken = { ...points, data: points.data.map((v, i) => (i === 20 ? NaN : v)) };
    expect(() => empiricalDenoiser({ name: 'broken', points: broken })).toThrow(NumericalError);
  });
});

describe('fitEmpirical()', () => {
  const data = inMemory('nine', points, { low: -8, high: 8 });

  it('fitEmpirical() holds the samples of the data set, in its shape', async () => {
    await using denoiser = await fitEmpirical(data);
    expect([denoiser.name, denoiser.sampleShape]).toEqual(['empirical:nine', [2, 3]]);
    const out = await denoiser.denoise(points, 1e-3);
    expect([...out.data]).toEqual([...castFloat(points, 'float32').data]);
  });

  it('fitEmpirical() stops when its signal is aborted', async () => {
    await expect(fitEmpirical(data, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, v, i) => sum + v * (b[i] as number), 0);
}

/** Posterior mean and covariance straight from the formula, differences first. */
function posteriorWrittenOut(
  set: Tensor<'float64'>,
  x: Float64Array,
  sigma: number,
): { mean: Float64Array; covariance: Float64Array } {
  const [count, n] = set.shape as [number, number];
  const flat = reshape(set, [count, n]);
  const exponents = Array.from({ length: count }, (_, i) => {
    const square = row(flat, i).data.reduce((sum, v, j) => sum + ((x[j] as number) - v) ** 2, 0);
    return -square / (2 * sigma ** 2);
  });
  const largest = Math.max(...exponents);
  const masses = exponents.map((e) => Math.exp(e - largest));
  const total = masses.reduce((a, b) => a + b, 0);
  const expectation = (f: (y: Float64Array) => number): number =>
    masses.reduce((sum, m, i) => sum + (m / total) * f(row(flat, i).data), 0);
  const mean = Float64Array.from({ length: n }, (_, j) => expectation((y) => y[j] as number));
  const deviation = (y: Float64Array, j: number): number => (y[j] as number) - (mean[j] as number);
  const covariance = Float64Array.from({ length: n * n }, (_, at) =>
    expectation((y) => deviation(y, Math.floor(at / n)) * deviation(y, at % n)),
  );
  return { mean, covariance };
}
