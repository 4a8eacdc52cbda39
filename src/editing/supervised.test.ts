import { describe, expect, it } from 'vitest';

import { DomainError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { covarianceOf, gaussianImages, jacobianOf, N, shape, upperHalf } from './gaussian-images.fixture.ts';
import { supervisedDirection } from './supervised.ts';

const SIGMA = 0.8;

describe('supervisedDirection()', () => {
  it('supervisedDirection() of two Gaussians of one covariance is J P (I - J) (difference of means), in closed form', async () => {
    const covariance = covarianceOf(11);
    const shift = normal(randomKey(12, 'shift'), [1, N]);
    await using original = gaussianImages(covariance);
    await using wanted = gaussianImages(covariance, shift.data);
    const jacobian = await jacobianOf(original, SIGMA);
    const moved = matmul(shift, jacobian).data;
    const difference = shift.data.map((v, i) => (v - (moved[i] as number)) * (upperHalf.inside[i] as number));
    const exact = matmul(tensor('float64', [1, N], difference), jacobian).data;
    const length = Math.hypot(...exact);
    const x = normal(randomKey(1, 'noisy'), [1, ...shape]);
    const { vectors, method } = await supervisedDirection(original, wanted, x, SIGMA, { mask: upperHalf, nullRank: 0 });
    expect(method).toBe('supervised');
    vectors.data.forEach((v, i) => expect(v).toBeCloseTo((exact[i] as number) / length, 9));
    const projected = await supervisedDirection(original, wanted, x, SIGMA, { mask: upperHalf, nullRank: 4 });
    expect(projected.orthogonality).toBeLessThan(1e-12);
    expect(projected.kept[0]).toBeLessThan(1);
  });

  it('supervisedDirection() refuses conditions that agree and denoisers of other samples', async () => {
    await using a = gaussianImages(covarianceOf(11));
    await using b = gaussianImages(covarianceOf(11));
    const x = normal(randomKey(1, 'noisy'), [1, ...shape]);
    await expect(supervisedDirection(a, b, x, SIGMA)).rejects.toThrow(DomainError);
    await expect(supervisedDirection(a, { ...b, sampleShape: [1, 2, 8] }, x, SIGMA)).rejects.toThrow(/same samples/);
  });
});
