import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearityScore } from '../analysis/linearity.ts';
import { inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { fitGaussian } from '../denoisers/gaussian.ts';
import { lowRankMixtureDenoiser } from '../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../denoisers/mixture-draw.ts';
import { modelFiles, writeWeights } from '../denoisers/network/model-file.ts';
import { SpecError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, reshape, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { readNetwork } from './network-model.ts';
import { runTrain } from './train.ts';
import { resolveTrainSpec } from './train-spec.ts';
import type { TrainInput } from './train-spec.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-closed-form-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const quick = { batchSize: 128, shards: 1, warmup: 20, emaHalfLife: 5000, learningRate: 2e-2, steps: 600 };

/** Trains, writes the two files and reads the denoiser back through the side-car. */
async function trained(data: Dataset, input: TrainInput): Promise<Denoiser> {
  const result = await runTrain(resolveTrainSpec({ ...quick, ...input }), { data: { train: data, heldout: data } });
  await writeFile(join(folder, modelFiles.sideCar), JSON.stringify(result.sideCar));
  await writeFile(join(folder, modelFiles.weights), writeWeights(result.weights));
  expect(JSON.parse(await readFile(join(folder, modelFiles.sideCar), 'utf8'))).toMatchObject({ architecture: { kind: input.architecture } }); // prettier-ignore
  return (await readNetwork('trained', folder)).denoiser;
}

/** Mean squared distance of two denoisers at noisy samples, over the squared error of the second. */
async function excess(
  ours: Denoiser,
  best: Denoiser,
  clean: Tensor<'float64'>,
  shape: readonly number[],
  sigma: number,
): Promise<number> {
  const noise = normal(randomKey(9), clean.shape).data;
  const noisy = tensor(
    'float64',
    clean.shape,
    clean.data.map((v, i) => v + sigma * (noise[i] as number)),
  );
  const a = (await ours.denoise(reshape(noisy, shape), sigma)).data;
  const b = (await best.denoise(reshape(noisy, best.sampleShape.length === 1 ? clean.shape : shape), sigma)).data;
  let [apart, own] = [0, 0];
  b.forEach((v, i) => {
    apart += (v - (a[i] as number)) ** 2;
    own += (v - (clean.data[i] as number)) ** 2;
  });
  return apart / own;
}

describe('runTrain() of a linear denoiser', () => {
  const deviations = [1.6, 1.2, 0.8, 0.4, 0.2, 0.1];
  const draw = (count: number, stream: string): Tensor<'float64'> => {
    const z = normal(randomKey(8, stream), [count, 6]);
    // Correlated, with a mean: axes alone would be too easy.
    const scaled = z.data.map((v, i) => v * (deviations[i % 6] as number));
    return tensor('float64', z.shape, scaled.map((v, i) => (i % 2 === 0 ? 0.8 * v - 0.6 * (scaled[i + 1] as number) + 0.5 : 0.8 * v + 0.6 * (scaled[i - 1] as number)))); // prettier-ignore
  };

  it('runTrain() of a linear denoiser of images comes near the Wiener filter of their moments, and is linear', async () => {
    const points = draw(4096, 'train');
    const images = inMemory('images', reshape(points, [4096, 1, 2, 3]), { low: -9, high: 9 });
    await using ours = await trained(images, { architecture: 'linear', steps: 1000 });
    await using wiener = await fitGaussian(images);
    const clean = draw(512, 'fresh');
    for (const sigma of [0.05, 0.2, 0.5, 1, 4]) {
      expect(await excess(ours, wiener, clean, [512, 1, 2, 3], sigma)).toBeLessThan(0.03);
      const noisy = (seed: number): Tensor<'float64'> => {
        const z = normal(randomKey(seed), [64, 1, 2, 3]);
        return { ...z, data: z.data.map((v) => 3 * v) };
      };
      // An affine map keeps combinations whose weights sum to 1.
      const score = await linearityScore(ours, noisy(1), noisy(2), sigma, { weights: [0.3, 0.7] });
      expect(score).toBeGreaterThan(1 - 1e-6);
    }
  });
});

describe('runTrain() of the low-rank network', () => {
  it('runTrain() of the low-rank network finds the subspaces of a mixture and comes near its posterior mean', async () => {
    const mixture = randomMixture({ n: 12, ranks: [2, 2], variances: [1, 1], seed: 5 });
    const { x } = sampleMixture(mixture, randomKey(2), 4096);
    const points = inMemory('mixture', x, { low: -9, high: 9 });
    await using ours = await trained(points, { architecture: 'low-rank', components: 2, rank: 2, noiseMean: -0.7 });
    await using best = lowRankMixtureDenoiser({ name: 'mixture', mixture });
    const fresh = sampleMixture(mixture, randomKey(3), 512).x;
    for (const sigma of [0.1, 0.3, 1]) {
      expect(await excess(ours, best, castFloat(fresh, 'float64'), fresh.shape, sigma)).toBeLessThan(0.05);
    }
  });

  it('runTrain() refuses a rank above the size of a sample', async () => {
    const points = inMemory('points', normal(randomKey(1), [20, 4]), { low: -5, high: 5 });
    const run = runTrain(resolveTrainSpec({ architecture: 'low-rank', rank: 5 }), { data: { train: points, heldout: points } }); // prettier-ignore
    await expect(run).rejects.toThrow(SpecError);
    await expect(run).rejects.toThrow('train: rank: expected at most 4, the size of a sample of points, got 5.');
  });
});
