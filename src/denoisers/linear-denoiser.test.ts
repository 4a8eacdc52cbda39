import { describe, expect, it } from 'vitest';
import { describeDenoiserContract } from '../../test/contracts/denoiser.ts';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { distillLinear } from './distill.ts';
import { gaussianFromCovariance } from './gaussian.ts';
import { empiricalDenoiser } from './empirical.ts';
import { applyAffine, fitAffine, linearDenoiser } from './linear-denoiser.ts';

const weight = normal(randomKey(31, 'W'), [6, 6]);
const bias = normal(randomKey(31, 'b'), [6]).data;

describeDenoiserContract('linear', {
  create: () =>
    linearDenoiser({
      name: 'linear',
      sampleShape: [2, 3],
      at: (sigma) => ({ weight: { ...weight, data: weight.data.map((w) => w / (1 + sigma)) }, bias }),
    }),
});

describe('fitAffine()', () => {
  it('fitAffine() without ridge finds an affine map to rounding', () => {
    const x = normal(randomKey(32, 'x'), [40, 6]);
    const fit = fitAffine(x, applyAffine({ weight, bias }, x), 0);
    // condition about 10 of 6 x 6 products
    fit.weight.data.forEach((w, i) => expect(Math.abs(w - (weight.data[i] as number))).toBeLessThan(1e-13));
    fit.bias.forEach((b, i) => expect(Math.abs(b - (bias[i] as number))).toBeLessThan(1e-13));
    expect(fit.residual).toBeLessThan(1e-14);
  });

  it('fitAffine() is at the minimum: every change of W or b makes its objective larger', () => {
    const [x, y] = [normal(randomKey(33, 'x'), [20, 3]), normal(randomKey(33, 'y'), [20, 3])];
    const ridge = 0.3;
    const fit = fitAffine(x, y, ridge);
    const least = objective(x, y, fit, ridge);
    for (let i = 0; i < 9; i++) {
      for (const step of [-1e-3, 1e-3]) {
        const data = fit.weight.data.map((w, j) => (i === j ? w + step : w));
        expect(objective(x, y, { ...fit, weight: { ...fit.weight, data } }, ridge)).toBeGreaterThan(least);
        const moved = fit.bias.map((b, j) => (i === j ? b + step : b));
        if (i < 3) expect(objective(x, y, { ...fit, bias: moved }, ridge)).toBeGreaterThan(least);
      }
    }
  });

  it('fitAffine() to clean samples tends to the Wiener filter of their moments, its error as 1 / sqrt(draws)', async () => {
    // Three points are as far from Gaussian as can be: the theorem holds for any data.
    const points = tensor('float64', [3, 2], Float64Array.of(2, 1, -1, 0.5, -1, -1.5));
    const covariance = tensor('float64', [2, 2], Float64Array.of(2, 1, 1, 3.5 / 3));
    await using wiener = gaussianFromCovariance({ name: 'w', sampleShape: [2], mean: new Float64Array(2), covariance });
    const sigma = 0.8;
    const unit = tensor('float64', [2, 2], Float64Array.of(1, 0, 0, 1));
    const wanted = (await wiener.linearize(tensor('float64', [2], new Float64Array(2)), sigma).apply(unit)).data;
    const errorAt = (draws: number): number => {
      const e = normal(randomKey(34, 'e', draws), [draws, 2]);
      const y = tensor(
        'float64',
        e.shape,
        e.data.map((_, i) => points.data[i % 6] as number),
      );
      const x = { ...e, data: e.data.map((z, i) => (y.data[i] as number) + sigma * z) };
      const found = fitAffine(x, y, 0).weight.data;
      return Math.hypot(...found.map((w, i) => w - (wanted[i] as number)));
    };
    // 4 entries of standard error about 1 / sqrt(draws)
    for (const draws of [300, 30_000]) expect(errorAt(draws)).toBeLessThan(6 / Math.sqrt(draws));
  });

  it('fitAffine() refuses what determines no map', () => {
    const x = normal(randomKey(35, 'x'), [4, 6]);
    expect(() => fitAffine(x, x, 0)).toThrow(DomainError);
    expect(fitAffine(x, x, 1e-3).residual).toBeGreaterThan(0);
    expect(() => fitAffine(x, x, -1)).toThrow(DomainError);
    expect(() => fitAffine(x, normal(randomKey(35, 'y'), [4, 5]), 1)).toThrow(ShapeError);
  });
});

describe('distillLinear()', () => {
  it('distillLinear() of a Gaussian denoiser is that denoiser', async () => {
    const covariance = tensor('float64', [2, 2], Float64Array.of(2, 1, 1, 2));
    const mean = Float64Array.of(1, -1);
    await using teacher = gaussianFromCovariance({ name: 'g', sampleShape: [2], mean, covariance });
    const clean = normal(randomKey(36, 'clean'), [7, 2]);
    const { denoiser, levels } = await distillLinear(teacher, {
      clean,
      sigmas: [0.1, 3],
      draws: 60,
      ridge: 0,
      seed: 1,
    });
    for (const { sigma, condition } of levels) {
      const x = normal(randomKey(36, 'x', sigma), [5, 2]);
      const [a, b] = [await denoiser.denoise(x, sigma), await teacher.denoise(x, sigma)];
      a.data.forEach((v, i) => {
        expect(Math.abs(v - (b.data[i] as number))).toBeLessThan(16 * Number.EPSILON * condition * 10);
      });
    }
    await expect(denoiser.denoise(clean, 1)).rejects.toThrow(DomainError);
  });

  it('distillLinear() gives the same for the same seed, leaves a residual where the denoiser bends, and stops', async () => {
    const points = normal(randomKey(37, 'points'), [3, 2]);
    await using teacher = empiricalDenoiser({ name: 'three', points });
    const options = { clean: points, sigmas: [0.5], draws: 50, seed: 3 };
    const [a, b] = [await distillLinear(teacher, options), await distillLinear(teacher, options)];
    expect(a.levels).toEqual(b.levels);
    expect(a.levels[0]?.residual).toBeGreaterThan(0.05);
    await expect(distillLinear(teacher, { ...options, signal: AbortSignal.abort() })).rejects.toThrow('interrupted');
    await expect(distillLinear(teacher, { ...options, draws: 1 })).rejects.toThrow(DomainError);
  });
});

function objective(
  x: Tensor<'float64'>,
  y: Tensor<'float64'>,
  map: { weight: Tensor<'float64'>; bias: Float64Array },
  ridge: number,
): number {
  const [N, D] = x.shape as [number, number];
  const out = applyAffine(map, x).data;
  const missed = out.reduce((s, v, i) => s + (v - (y.data[i] as number)) ** 2, 0) / N;
  let trace = 0;
  for (let j = 0; j < D; j++) {
    const column = Array.from({ length: N }, (_, i) => x.data[i * D + j] as number);
    const mean = column.reduce((s, v) => s + v, 0) / N;
    trace += column.reduce((s, v) => s + (v - mean) ** 2, 0) / N;
  }
  return missed + ((ridge * trace) / D) * map.weight.data.reduce((s, w) => s + w * w, 0);
}
