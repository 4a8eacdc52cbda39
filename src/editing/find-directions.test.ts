import { describe, expect, it } from 'vitest';

import { CancelledError, DomainError, ShapeError } from '../errors/errors.ts';
import { subspaceDistance } from '../linalg/angles.ts';
import { matmul } from '../linalg/matmul.ts';
import { svd } from '../linalg/svd.ts';
import type { Svd } from '../linalg/svd.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { row, slice, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { findDirections } from './find-directions.ts';
import { covarianceOf, gaussianImages, jacobianOf, N, shape, upperHalf } from './gaussian-images.fixture.ts';
import { complementOf } from './mask.ts';
import { withoutNullBlock } from './null-space.ts';

const SIGMA = 0.7;
const noisy = (): Tensor<'float64'> => normal(randomKey(1, 'noisy'), [1, ...shape]);

/** The Jacobian with its rows outside a mask set to 0, factorized. */
function maskedSvd(jacobian: Tensor<'float64'>, inside: Uint8Array): Svd {
  return svd(
    tensor(
      'float64',
      [N, N],
      jacobian.data.map((v, i) => v * (inside[Math.floor(i / N)] as number)),
    ),
  );
}

describe('findDirections()', () => {
  it('findDirections() gives the exact singular vectors of the masked Jacobian, less the exact null block', async () => {
    await using denoiser = gaussianImages(covarianceOf(3));
    const jacobian = await jacobianOf(denoiser, SIGMA);
    const options = { mask: upperHalf, rank: 2, nullRank: 3, tolerance: 1e-9 };
    const found = await findDirections(denoiser, noisy(), SIGMA, options);
    const inside = maskedSvd(jacobian, upperHalf.inside);
    const outside = maskedSvd(jacobian, complementOf(upperHalf).inside);
    found.values.forEach((value, k) => expect(value).toBeCloseTo(inside.values[k] as number, 9));
    const exact = withoutNullBlock(slice(inside.v, 0, 2), slice(outside.v, 0, 3));
    for (let k = 0; k < 2; k++) {
      const cosine = matmul(slice(found.vectors, k, k + 1), slice(exact.vectors, k, k + 1), { transposeB: true });
      expect(Math.abs(cosine.data[0] as number)).toBeCloseTo(1, 7);
      expect(found.kept[k]).toBeCloseTo(exact.kept[k] as number, 7);
    }
    expect(found.orthogonality).toBeLessThan(1e-12);
    expect(found.residuals.every((r) => r < 1e-8)).toBe(true);
  });

  it('findDirections() predicts the change inside and outside: lengths of the parts of J v', async () => {
    await using denoiser = gaussianImages(covarianceOf(4));
    const jacobian = await jacobianOf(denoiser, SIGMA);
    const found = await findDirections(denoiser, noisy(), SIGMA, { mask: upperHalf, rank: 3 });
    const changes = matmul(found.vectors, jacobian, { transposeB: true });
    for (let k = 0; k < 3; k++) {
      const change = row(changes, k).data;
      expect(found.gains[k]).toBeCloseTo(Math.hypot(...change.subarray(0, 8)), 10);
      expect(found.leaks[k]).toBeCloseTo(Math.hypot(...change.subarray(8)), 10);
    }
  });

  it('findDirections() of independent halves are the principal components of the half, which leak nothing', async () => {
    await using denoiser = gaussianImages(covarianceOf(5, true));
    const found = await findDirections(denoiser, noisy(), SIGMA, { mask: upperHalf, rank: 2, tolerance: 1e-9 });
    const jacobian = await jacobianOf(denoiser, SIGMA);
    const { v } = maskedSvd(jacobian, upperHalf.inside);
    expect(subspaceDistance(found.vectors, slice(v, 0, 2))).toBeLessThan(1e-7);
    expect(Math.max(...found.leaks)).toBeLessThan(1e-9);
    expect(Math.min(...found.kept)).toBeGreaterThan(1 - 1e-9);
    found.gains.forEach((gain, k) => expect(gain).toBeCloseTo(found.values[k] as number, 9));
  });

  it('findDirections() leaks less with every direction of the outside that is projected out, and nothing once all are', async () => {
    await using denoiser = gaussianImages(covarianceOf(6));
    const shares = [];
    for (const nullRank of [0, 4, 8]) {
      const set = await findDirections(denoiser, noisy(), SIGMA, {
        mask: upperHalf,
        rank: 1,
        nullRank,
        tolerance: 1e-9,
      });
      expect(set.nullRank).toBe(nullRank);
      shares.push((set.leaks[0] as number) / (set.gains[0] as number));
    }
    expect(shares[1]).toBeLessThan(shares[0] as number);
    // The outside has 8 pixels, so its Jacobian has 8 right singular vectors.
    expect(shares[2]).toBeLessThan(1e-7);
    const most = await findDirections(denoiser, noisy(), SIGMA, { mask: upperHalf, rank: 1, nullRank: 100 });
    expect(most.nullRank).toBe(8);
  });

  it("findDirections() gives the baselines' own directions: whole image, noise prediction, random inside the mask", async () => {
    await using denoiser = gaussianImages(covarianceOf(7));
    const jacobian = await jacobianOf(denoiser, SIGMA);
    const base = { mask: upperHalf, rank: 2, tolerance: 1e-9 };
    const unmasked = await findDirections(denoiser, noisy(), SIGMA, { ...base, method: 'unmasked' });
    expect(subspaceDistance(unmasked.vectors, slice(svd(jacobian).v, 0, 2))).toBeLessThan(1e-7);
    const noise = await findDirections(denoiser, noisy(), SIGMA, { ...base, method: 'noise' });
    const residual = tensor(
      'float64',
      [N, N],
      jacobian.data.map((v, i) => ((i % (N + 1) === 0 ? 1 : 0) - v) / SIGMA),
    );
    expect(subspaceDistance(noise.vectors, slice(maskedSvd(residual, upperHalf.inside).v, 0, 2))).toBeLessThan(1e-6);
    const random = await findDirections(denoiser, noisy(), SIGMA, { ...base, method: 'random', seed: 3 });
    expect(random.vectors.data.every((v, i) => (v === 0) === i % N >= 8)).toBe(true);
    expect(Math.hypot(...row(random.vectors, 1).data)).toBeCloseTo(1, 12);
    expect([...random.values, ...random.residuals].every(Number.isNaN)).toBe(true);
    const again = await findDirections(denoiser, noisy(), SIGMA, { ...base, method: 'random', seed: 4 });
    expect(again.vectors.data[0]).not.toBe(random.vectors.data[0]);
  });

  it('findDirections() refuses masks that hold nothing or all, of another size, ranks beyond the image, and stops when told', async () => {
    await using denoiser = gaussianImages(covarianceOf(8));
    const find = (options: Parameters<typeof findDirections>[3]): Promise<unknown> =>
      findDirections(denoiser, noisy(), SIGMA, options);
    const flags = (value: number): Uint8Array => new Uint8Array(N).fill(value);
    await expect(find({ mask: { ...upperHalf, inside: flags(0) } })).rejects.toThrow(DomainError);
    await expect(find({ mask: { ...upperHalf, inside: flags(1) } })).rejects.toThrow(DomainError);
    await expect(find({ mask: { height: 2, width: 4, inside: new Uint8Array(8) } })).rejects.toThrow(ShapeError);
    await expect(find({ rank: 17 })).rejects.toThrow(/directions from 1 to 16, got 17/);
    await expect(find({ mask: upperHalf, nullRank: 1.5 })).rejects.toThrow(/null rank from 1 to 16, got 1.5/);
    await expect(find({ method: 'random', rank: 0 })).rejects.toThrow(DomainError);
    await expect(find({ signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});
