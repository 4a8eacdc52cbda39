import { describe, expect, it } from 'vitest';

import { DomainError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { asBatch, editPath, moved, stepScale, toImages, toNoise } from './edit-image.ts';
import { gaussianImages, N, shape } from './gaussian-images.fixture.ts';

const VARIANCE = 2;

/** White images: every direction scales alike, so the whole way is known. */
function white(): ReturnType<typeof gaussianImages> {
  const covariance = tensor('float64', [N, N], new Float64Array(N * N));
  for (let i = 0; i < N; i++) covariance.data[i * (N + 1)] = VARIANCE;
  return gaussianImages(covariance);
}

const images = (): Tensor<'float64'> => normal(randomKey(9, 'images'), [2, ...shape]);

describe('editing an image', () => {
  it('toNoise() and toImages() follow the closed form of a Gaussian, and give the image back', async () => {
    await using denoiser = white();
    const path = editPath({ sigma: 2, steps: 40 });
    const x = images();
    const up = castFloat(await toNoise(denoiser, x, path), 'float64');
    const factor = Math.sqrt((VARIANCE + 4) / (VARIANCE + 0.002 ** 2));
    x.data.forEach((v, i) => expect(Math.abs((up.data[i] as number) - factor * v)).toBeLessThan(0.01));
    const back = castFloat(await toImages(denoiser, up, path), 'float64');
    x.data.forEach((v, i) => expect(Math.abs((back.data[i] as number) - v)).toBeLessThan(2e-3));
  });

  it('moved() steps by strength in VP coordinates: sqrt(1 + sigma^2) as far in VE, image by image; 0 changes nothing', () => {
    const x = images();
    const direction = new Float64Array(N);
    direction[3] = 1;
    const out = moved(x, direction, [-1, 0, 2], 3);
    expect(out.shape).toEqual([6, ...shape]);
    expect(stepScale(3)).toBeCloseTo(Math.sqrt(10), 14);
    for (const [b, s, strength] of [
      [0, 0, -1],
      [0, 1, 0],
      [1, 2, 2],
    ] as const) {
      for (let i = 0; i < N; i++) {
        const wanted = (x.data[b * N + i] as number) + (i === 3 ? strength * Math.sqrt(10) : 0);
        expect(out.data[(b * 3 + s) * N + i]).toBeCloseTo(wanted, 12);
      }
    }
    expect(() => moved(x, new Float64Array(5), [1], 1)).toThrow(ShapeError);
  });

  it('an edit of a Gaussian changes the image along the direction alone, in proportion to the strength', async () => {
    await using denoiser = white();
    const path = editPath({ sigma: 2, steps: 40 });
    const noisy = await toNoise(denoiser, tensor('float64', [1, ...shape], images().data.slice(0, N)), path);
    const direction = new Float64Array(N).fill(1 / Math.sqrt(N));
    const out = castFloat(await toImages(denoiser, moved(noisy, direction, [0, 1, 2], 2), path), 'float64').data;
    const change = (s: number, i: number): number => (out[s * N + i] as number) - (out[i] as number);
    const expected = (stepScale(2) * Math.sqrt(VARIANCE / (VARIANCE + 4))) / Math.sqrt(N);
    for (let i = 0; i < N; i++) {
      expect(Math.abs(change(1, i) - expected)).toBeLessThan(5e-3);
      expect(change(2, i)).toBeCloseTo(2 * change(1, i), 10);
    }
  });

  it('boosting is stochastic, the same for a seed, and equal for all images of a batch', async () => {
    await using denoiser = white();
    const x = tensor(
      'float64',
      [2, ...shape],
      Float64Array.from({ length: 2 * N }, (_, i) => (i % N) / N),
    );
    const run = async (seed: number): Promise<Float64Array> => {
      const path = editPath({ sigma: 2, steps: 10, boost: 0.7, seed });
      return castFloat(await toImages(denoiser, await toNoise(denoiser, x, path), path), 'float64').data;
    };
    const [a, same, other] = [await run(1), await run(1), await run(2)];
    expect([...a]).toEqual([...same]);
    expect(a[0]).not.toBe(other[0]);
    expect([...a.slice(0, N)]).toEqual([...a.slice(N)]);
  });

  it('editPath() refuses noise outside of the way, too few steps, and a boost beyond the edit', () => {
    expect(() => editPath({ sigma: 0.001 })).toThrow(/noise level above 0.002, got 0.001/);
    expect(() => editPath({ sigma: NaN })).toThrow(DomainError);
    expect(() => editPath({ sigma: 2, steps: 1 })).toThrow(DomainError);
    expect(() => editPath({ sigma: 2, boost: 3 })).toThrow(/between 0.002 and 2, got 3/);
  });

  it('asBatch() takes an image with and without a batch axis, and says both shapes where neither fits', () => {
    const one = tensor('float64', [...shape], new Float64Array(N));
    expect(asBatch('edit', one, shape).shape).toEqual([1, ...shape]);
    expect(asBatch('edit', asBatch('edit', one, shape), shape).shape).toEqual([1, ...shape]);
    expect(() => asBatch('edit', images(), shape)).toThrow(
      /expected an image of shape \[1, 4, 4\], got \[2, 1, 4, 4\]/,
    );
  });
});
