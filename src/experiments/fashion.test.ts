import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath, readBytes } from '../data/files.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { computeMoments } from '../data/moments.ts';
import { eigh } from '../linalg/eigh.ts';
import { leadingTriplets } from '../linalg/triplets.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { row } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { OpenModel } from './open-model.ts';
import { checkCopying } from './inspect-copying.ts';
import { drawSamples } from './inspect-points.ts';
import { resolveInspectSpec, trajectoryGrid } from './inspect-spec.ts';
import { openDenoiser } from './models.ts';

describe('the shipped denoiser fashion', () => {
  let model: OpenModel;
  let clean: Tensor<'float32'>;
  beforeAll(async () => {
    model = await openDenoiser('fashion');
    clean = await model.heldout.read(Array.from({ length: 64 }, (_, i) => i));
  });
  afterAll(() => model.denoiser[Symbol.asyncDispose]());

  const noised = (sigma: number): Tensor<'float32'> => {
    const noise = normal(randomKey(11, sigma), clean.shape).data;
    return { ...clean, data: clean.data.map((v, i) => v + sigma * (noise[i] as number)) };
  };

  const meanSquaredError = async (denoiser: Denoiser, sigma: number): Promise<number> => {
    const data = Float64Array.from((await denoiser.denoise(noised(sigma), sigma)).data);
    return data.reduce((sum, v, i) => sum + (v - (clean.data[i] as number)) ** 2, 0) / data.length;
  };

  it('model.safetensors takes at most 3 MB', async () => {
    expect((await readBytes(assetPath('models/fashion/model.safetensors'))).length).toBeLessThanOrEqual(3e6);
  });

  it('denoise() beats the best linear denoiser on held-out images at middle noise', async () => {
    const { mean, covariance } = await computeMoments(model.train as NonNullable<OpenModel['train']>);
    const { sampleShape } = model.denoiser;
    const wiener = gaussianDenoiser({ name: 'wiener', sampleShape, mean, eigen: eigh(covariance) });
    for (const sigma of [0.3, 1]) {
      // A trained network has learned more than second moments; a broken one does not get below the Wiener filter.
      expect(await meanSquaredError(model.denoiser, sigma)).toBeLessThan(0.9 * (await meanSquaredError(wiener, sigma)));
    }
  });

  it('denoise() hardly changes an image at the lowest noise', async () => {
    expect(await meanSquaredError(model.denoiser, 0.002)).toBeLessThan(2 * 0.002 ** 2);
  });

  it('linearize() has leading directions at middle noise that are smooth as garments are, not grainy as noise', async () => {
    const sigma = 3;
    const operator = model.denoiser.linearize(row(noised(sigma), 0), sigma);
    const { left, status } = await leadingTriplets(operator, { rank: 4 });
    expect(status).toBe('converged');
    const mean = [0, 1, 2, 3].reduce((sum, k) => sum + roughness(row(left, k).data), 0) / 4;
    // White noise has about 4 (2 in each direction), a constant 0: less than a quarter of the noise's.
    expect(mean).toBeLessThan(1);
  });
});

describe('the shipped denoisers fashion and fashion-memorized', () => {
  /** Samples of 32 that are copies, by the rule that finds most. */
  const copiesOf = async (name: string): Promise<number> => {
    const { train, heldout, ...model } = await openDenoiser(name);
    await using denoiser = model.denoiser;
    const spec = resolveInspectSpec({ model: name, samples: 32, copies: 32 });
    const { samples } = await drawSamples(denoiser, { count: 32, seed: 0, grid: trajectoryGrid(spec) });
    const check = train && (await checkCopying(spec, { denoiser, train, heldout }, samples));
    return Math.max(...(check?.copying.memorized ?? []).map(({ hits }) => hits));
  };

  it('fashion copies at most 2 of 32 samples, fashion-memorized at least 0.8 of them', async () => {
    expect(await copiesOf('fashion')).toBeLessThanOrEqual(2);
    expect(await copiesOf('fashion-memorized')).toBeGreaterThanOrEqual(0.8 * 32);
  });
});

/** Sum of squared differences of neighbours in a 28 x 28 picture over its sum of squares. */
function roughness(picture: Float64Array): number {
  const at = (i: number, j: number): number => picture[28 * i + j] as number;
  let differences = 0;
  for (let i = 0; i < 27; i++) {
    for (let j = 0; j < 27; j++) differences += (at(i + 1, j) - at(i, j)) ** 2 + (at(i, j + 1) - at(i, j)) ** 2;
  }
  return differences / picture.reduce((sum, v) => sum + v * v, 0);
}
