import { describe, expect, it } from 'vitest';
import { describeDenoiserContract } from '../../test/contracts/denoiser.ts';
import { inMemory } from '../data/dataset.ts';
import { DomainError, NumericalError, ShapeError } from '../errors/errors.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { matmul } from '../linalg/matmul.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { reshape, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { fitGaussian, gaussianDenoiser, gaussianFromCovariance, wienerGain } from './gaussian.ts';

const eps = Number.EPSILON;
const n = 12;
const vectors = orthonormalRows(normal(randomKey(3, 'vectors'), [n, n])).q;
const values = Float64Array.from({ length: n }, (_, i) => (i === n - 1 ? 0 : 9 * 0.4 ** i));
const mean = normal(randomKey(3, 'mean'), [n]).data;
const covariance = matmul(scaleRows(vectors, values), vectors, { transposeA: true });
const gaussian = { name: 'gaussian', sampleShape: [3, 2, 2], mean };

function scaleRows(x: Tensor<'float64'>, factors: Float64Array): Tensor<'float64'> {
  const width = x.shape[1] as number;
  return { ...x, data: x.data.map((value, i) => value * (factors[Math.floor(i / width)] as number)) };
}

describeDenoiserContract('gaussian', {
  create: () => gaussianFromCovariance({ ...gaussian, covariance }),
  sigmas: [0.002, 0.1, 1, 10],
  symmetric: true,
  clean: mean,
});

describe('gaussianDenoiser()', () => {
  it('gaussianDenoiser() has Jacobians with singular value l / (l + sigma^2) along every eigenvector', async () => {
    await using denoiser = gaussianDenoiser({ ...gaussian, eigen: { values, vectors } });
    for (const sigma of [0.002, 0.3, 3, 80]) {
      const images = await denoiser.linearize(normal(randomKey(1), [3, 2, 2]), sigma).apply(vectors);
      const wanted = scaleRows(
        vectors,
        values.map((l) => l / (l + sigma ** 2)),
      );
      // Each image is a sum of n products, twice.
      images.data.forEach((value, i) => expect(Math.abs(value - (wanted.data[i] as number))).toBeLessThan(4 * n * eps));
    }
  });

  it('gaussianFromCovariance() solves the normal equations of the best affine denoiser, J (C + sigma^2 I) = C', async () => {
    await using denoiser = gaussianFromCovariance({ ...gaussian, covariance });
    for (const sigma of [0.1, 1, 10]) {
      const noisy = { ...covariance, data: covariance.data.map((c, i) => c + (i % (n + 1) === 0 ? sigma ** 2 : 0)) };
      const product = await denoiser.linearize(reshape(tensor('float64', [n], mean), [3, 2, 2]), sigma).apply(noisy);
      const scale = 9 + sigma ** 2;
      product.data.forEach((value, i) => {
        expect(Math.abs(value - (covariance.data[i] as number))).toBeLessThan(16 * n * eps * scale);
      });
    }
  });

  it('denoise() leaves the mean where it is, and returns it at very high noise', async () => {
    await using denoiser = gaussianDenoiser({ ...gaussian, eigen: { values, vectors } });
    const x = tensor('float64', [1, 3, 2, 2], mean);
    expect([...(await denoiser.denoise(x, 0.5)).data]).toEqual([...mean]);
    const far = await denoiser.denoise({ ...x, data: x.data.map((v) => v + 1) }, 1e9);
    far.data.forEach((value, i) => expect(value).toBeCloseTo(mean[i] as number, 14));
  });

  it('gaussianDenoiser() is a projection at vanishing noise, also where sigma^2 underflows', async () => {
    await using denoiser = gaussianDenoiser({ ...gaussian, eigen: { values, vectors } });
    const op = denoiser.linearize(normal(randomKey(1), [3, 2, 2]), 1e-170);
    const images = await op.apply(vectors);
    const wanted = scaleRows(
      vectors,
      values.map((l) => (l === 0 ? 0 : 1)),
    );
    images.data.forEach((value, i) => expect(Math.abs(value - (wanted.data[i] as number))).toBeLessThan(4 * n * eps));
  });

  it('gaussianDenoiser() takes fewer directions than dimensions and counts small negative variances as 0', async () => {
    const eigen = {
      values: Float64Array.of(4, -1e-12),
      vectors: tensor('float64', [2, n], vectors.data.slice(0, 2 * n)),
    };
    await using denoiser = gaussianDenoiser({ ...gaussian, eigen });
    const images = await denoiser.linearize(normal(randomKey(1), [3, 2, 2]), 2).apply(vectors);
    const wanted = scaleRows(
      vectors,
      Float64Array.from(values, (_, i) => (i === 0 ? 0.5 : 0)),
    );
    images.data.forEach((value, i) => expect(Math.abs(value - (wanted.data[i] as number))).toBeLessThan(4 * n * eps));
  });

  it('gaussianDenoiser() refuses what is not a Gaussian', () => {
    const bad = Float64Array.from(values, (l, i) => (i === 3 ? -l : l));
    expect(() => gaussianDenoiser({ ...gaussian, eigen: { values: bad, vectors } })).toThrow(DomainError);
    expect(() => gaussianDenoiser({ ...gaussian, eigen: { values: bad.map(() => NaN), vectors } })).toThrow(
      NumericalError,
    );
    expect(() => gaussianDenoiser({ ...gaussian, mean: mean.slice(1), eigen: { values, vectors } })).toThrow(
      ShapeError,
    );
    expect(() => gaussianDenoiser({ ...gaussian, eigen: { values: values.slice(1), vectors } })).toThrow(ShapeError);
    expect(() =>
      gaussianFromCovariance({ ...gaussian, covariance: tensor('float64', [1, 1], Float64Array.of(1)) }),
    ).toThrow(ShapeError);
  });
});

it('fitGaussian() of the two points mean + a and mean - a is the Wiener filter of a a^T', async () => {
  const a = Float64Array.of(1, 2, -0.5);
  const centre = Float64Array.of(0.25, 0, 4);
  const points = Float64Array.from([
    ...a.map((v, i) => v + (centre[i] as number)),
    ...a.map((v, i) => (centre[i] as number) - v),
  ]);
  const data = inMemory('pair', tensor('float64', [2, 3], points), { low: -8, high: 8 });
  await using denoiser = await fitGaussian(data);
  expect(denoiser.name).toBe('gaussian:pair');
  const x = Float64Array.of(2, -1, 3);
  const out = await denoiser.denoise(tensor('float64', [1, 3], x), 1.5);
  const along = a.reduce((sum, v, i) => sum + v * ((x[i] as number) - (centre[i] as number)), 0);
  a.forEach((v, i) => {
    expect(out.data[i]).toBeCloseTo((centre[i] as number) + (v * along) / (5.25 + 1.5 ** 2), 13);
  });
});

it('wienerGain() is 0 for no variance, 1/2 where variance and noise balance', () => {
  expect(wienerGain(0, 1e-200)).toBe(0);
  expect(wienerGain(9, 3)).toBe(0.5);
});
