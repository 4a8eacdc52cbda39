import { describe, expect, it } from 'vitest';
import { inMemory } from '../data/dataset.ts';
import { fitGaussian } from '../denoisers/gaussian.ts';
import { fitEmpirical } from '../denoisers/empirical.ts';
import { SpecError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { measureGaussianity } from './gaussianity.ts';
import { modelNames } from './gaussianity-models.ts';

const images = normal(randomKey(61, 'images'), [40, 1, 3, 3]);
const train = inMemory('images', images, { low: -4, high: 4 });
const heldout = inMemory('others', normal(randomKey(62, 'images'), [10, 1, 3, 3]), { low: -4, high: 4 });
const common = {
  train, heldout, models: modelNames, sigmas: [10, 0.5, 0.01], samples: 10, pairs: 10, draws: 60, ridge: 1e-6,
  rank: 4, patch: 5, lsImages: 40, elsImages: 40, seed: 1,
} as const; // prettier-ignore

describe('measureGaussianity()', () => {
  it('measureGaussianity() of the Gaussian denoiser finds itself in gaussian and linear, and 1 in the linearity score', async () => {
    await using denoiser = await fitGaussian(train);
    const { result, arrays, figures } = await measureGaussianity({ denoiser, ...common });
    for (const c of result.closeness) {
      if (c.model === 'gaussian') expect(c.rmse).toBeLessThan(1e-12);
      // a ridge of 1e-6 of the variance moves an output of size 1 by about 1e-6 of its part
      if (c.model === 'linear') expect(c.rmse).toBeLessThan(1e-3);
      if (c.model === 'mean' && c.sigma < 1) expect(c.rmse).toBeGreaterThan(0.3);
    }
    // the mean of 40 samples is not 0, so the map is affine: a mean of size 0.16 beside outputs of size 1
    for (const { sigma, linearity } of result.levels) if (sigma < 1) expect(linearity).toBeGreaterThan(0.95);
    expect(Object.keys(arrays).sort()).toEqual(
      ['clean', 'sigmas', 'denoised_network', ...modelNames.map((n) => `denoised_${n.replaceAll('-', '_')}`)].sort(),
    );
    expect(arrays['denoised_gaussian']?.shape).toEqual([3, 10, 1, 3, 3]);
    expect(figures['denoised']?.kind).toBe('images');
  });

  it('measureGaussianity() of the empirical denoiser finds itself in empirical, and in LS whose patch covers the image', async () => {
    await using denoiser = await fitEmpirical(train);
    const { result } = await measureGaussianity({ denoiser, ...common, models: ['empirical', 'LS', 'gaussian'] });
    for (const { model, rmse, sigma, scoreVariance } of result.closeness) {
      if (model !== 'gaussian') expect(rmse).toBeLessThan(1e-10);
      if (model === 'gaussian' && sigma === 0.01) expect(rmse).toBeGreaterThan(0.3);
      expect(scoreVariance).toBeLessThanOrEqual(1);
    }
    expect(result.levels.every((l) => l.distilled === undefined)).toBe(true);
  });

  it('measureGaussianity() refuses more samples than there are, ranks beyond the dimension and patches of points', async () => {
    await using denoiser = await fitGaussian(train);
    await expect(measureGaussianity({ denoiser, ...common, samples: 11 })).rejects.toThrow(SpecError);
    await expect(measureGaussianity({ denoiser, ...common, rank: 10 })).rejects.toThrow(SpecError);
    const points = inMemory('points', normal(randomKey(63), [20, 5]), { low: -4, high: 4 });
    await using other = await fitGaussian(points);
    const options = { ...common, denoiser: other, train: points, heldout: points };
    await expect(measureGaussianity({ ...options, models: ['ELS'] })).rejects.toThrow('--models');
  });
});
