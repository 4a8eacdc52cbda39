import { describe, expect, it } from 'vitest';
import { datasetFrom, inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { mlp } from '../denoisers/network/mlp.ts';
import { networkDenoiser } from '../denoisers/network/network-denoiser.ts';
import { edmLossWeight, trainingSigma } from '../diffusion/edm.ts';
import { CancelledError, DatasetError, DomainError, ModelError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { averagedWeights, initialState, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { TrainingState } from './checkpoint.ts';
import type { TrainingSpec } from './spec.ts';
import { trainingDefaults } from './spec.ts';
import type { TrainingOptions } from './train.ts';
import { train } from './train.ts';

const deviations = [1.6, 1.2, 0.8, 0.4, 0.2, 0.1];
const dimension = deviations.length;

/** Samples of N(0, diag(deviations^2)), rows of `count`. */
function samples(count: number, stream: string): Float64Array {
  return normal(randomKey(8, stream), [count, dimension]).data.map((z, i) => z * (deviations[i % dimension] as number));
}

const data = inMemory('gaussian', tensor('float64', [4096, dimension], samples(4096, 'train')), { low: -9, high: 9 });
const small = mlp({ sampleShape: [dimension], width: 8, depth: 1, features: 4 });
const spec: TrainingSpec = { ...trainingDefaults, steps: 6, batchSize: 8, warmup: 2, emaHalfLife: 100, seed: 3 };
const base: TrainingOptions = { network: small, data, sigmaData: 1, spec, logEvery: 4 };
const bytesOf = (state: TrainingState): Uint8Array => writeCheckpoint(small, state, 'a run');

/** EDM loss of the Wiener filter: no denoiser of this Gaussian has less. Mean over ln sigma by the trapezoidal rule. */
function leastLoss(sigmaData: number): number {
  let [sum, weights] = [0, 0];
  for (let z = -6; z <= 6; z += 0.05) {
    const sigma = trainingSigma(z);
    const weight = Math.exp((-z * z) / 2);
    const error = deviations.reduce((e, s) => e + (s * sigma) ** 2 / (s * s + sigma * sigma), 0) / dimension;
    sum += weight * error * edmLossWeight(sigma, sigmaData);
    weights += weight;
  }
  return sum / weights;
}

/** The bytes kept when a run is stopped after `step`. */
async function stoppedAfter(step: number): Promise<Uint8Array> {
  const controller = new AbortController();
  let kept: Uint8Array | undefined;
  const run = train({
    ...base,
    signal: controller.signal,
    onProgress: (progress) => progress.step === step && controller.abort(),
    onCheckpoint: async (state) => void (kept = bytesOf(state)),
  });
  await expect(run).rejects.toThrow(CancelledError);
  await expect(run).rejects.toThrow(`interrupted after step ${step}. Run the same command again`);
  return kept as Uint8Array;
}

describe('train()', () => {
  it('train() on a Gaussian comes within 2 percent of the error of its Wiener filter', async () => {
    const network = mlp({ sampleShape: [dimension], width: 48, depth: 1, features: 16 });
    const long = {
      ...spec,
      steps: 1000,
      batchSize: 128,
      shards: 1,
      learningRate: 5e-3,
      warmup: 20,
      emaHalfLife: 5_000,
    };
    const { losses, average } = await train({ network, data, sigmaData: 0.9, spec: long, logEvery: 100 });
    expect(losses.map((row) => row.step)).toEqual(Array.from({ length: 10 }, (_, i) => 100 * (i + 1)));
    const [first, last] = [losses[0]?.loss, losses.at(-1)?.loss] as [number, number];
    // 12,800 samples of the loss have a standard error near 1 %; the mean also holds what the network has still to learn.
    expect(last / leastLoss(0.9)).toBeGreaterThan(0.95);
    expect(last / leastLoss(0.9)).toBeLessThan(1.08);
    expect(first).toBeGreaterThan(1.05 * last);

    const state = { ...initialState(network, 0), average };
    const weights = averagedWeights(network, state);
    await using learned = networkDenoiser({ name: 'learned', network, weights, sigmaData: 0.9 });
    const identity = Float64Array.from({ length: dimension ** 2 }, (_, i) => (i % (dimension + 1) === 0 ? 1 : 0));
    await using wiener = gaussianDenoiser({
      name: 'wiener',
      sampleShape: [dimension],
      mean: new Float64Array(dimension),
      eigen: {
        values: Float64Array.from(deviations, (s) => s * s),
        vectors: tensor('float64', [dimension, dimension], identity),
      },
    });
    const count = 512;
    const clean = samples(count, 'fresh');
    for (const sigma of [0.2, 0.5, 1]) {
      const noise = normal(randomKey(9), [count, dimension]).data;
      const noisy = clean.map((v, i) => v + sigma * (noise[i] as number));
      const x = tensor('float64', [count, dimension], noisy);
      const [ours, best] = [await learned.denoise(x, sigma), await wiener.denoise(x, sigma)];
      let excess = 0;
      best.data.forEach((v, i) => (excess += (v - (ours.data[i] as number)) ** 2));
      // The error of any denoiser is the filter's own, sum of s^2 sigma^2 / (s^2 + sigma^2), plus this excess.
      const own = deviations.reduce((sum, s) => sum + (s * sigma) ** 2 / (s * s + sigma * sigma), 0);
      expect(excess / count).toBeLessThan(0.02 * own);
    }
  });

  it('train() interrupted after 3 of 6 steps and resumed from bytes equals the run that never stopped, bit for bit', async () => {
    const straight = await train(base);
    for (const step of [3, 4]) {
      const state = readCheckpoint('kept', await stoppedAfter(step), small, 'a run');
      expect(state.step).toBe(step);
      const resumed = await train({ ...base, state });
      expect(bytesOf(resumed)).toEqual(bytesOf(straight));
    }
    expect(straight.losses.map((row) => row.step)).toEqual([4, 6]);
    expect(bytesOf(await train({ ...base, spec: { ...spec, seed: 4 } }))).not.toEqual(bytesOf(straight));
  });

  it('train() keeps a checkpoint every so many steps and at the end', async () => {
    const kept: number[] = [];
    await train({ ...base, checkpointEvery: 4, onCheckpoint: async ({ step }) => void kept.push(step) });
    expect(kept).toEqual([4, 6]);
  });

  it('train() of a finished state does nothing', async () => {
    const done = await train(base);
    const before = bytesOf(done);
    expect(bytesOf(await train({ ...base, state: done }))).toEqual(before);
  });

  it('train() passes on a failure of the data, also of a batch drawn ahead', async () => {
    const failing: Dataset = datasetFrom({
      name: 'failing',
      count: 40,
      sampleShape: [dimension],
      range: { low: -1, high: 1 },
      load: async (indices) => {
        if (++reads === 3) throw new DatasetError('failing', 'the file is gone. Fetch it again.');
        return new Float32Array(indices.length * dimension);
      },
    });
    let reads = 0;
    await expect(train({ ...base, data: failing })).rejects.toThrow(DatasetError);
  });

  it('train() refuses data of another shape and a spec that cannot be trained', async () => {
    const planar = inMemory('planar', tensor('float32', [1, 2], new Float32Array(2)), { low: 0, high: 1 });
    await expect(train({ ...base, data: planar })).rejects.toThrow(ShapeError);
    await expect(train({ ...base, spec: { ...spec, shards: 3 } })).rejects.toThrow(DomainError);
  });
});

describe('readCheckpoint()', () => {
  const bytes = bytesOf(initialState(small, 1));

  it('readCheckpoint() gives back what writeCheckpoint() wrote', () => {
    const state = { ...initialState(small, 1), step: 7, losses: [{ step: 5, loss: 1 / 3 }], pending: [0.1, 2 / 3] };
    expect(readCheckpoint('kept', bytesOf(state), small, 'a run')).toEqual(state);
  });

  it('readCheckpoint() refuses the checkpoint of another run', () => {
    const read = (): unknown => readCheckpoint('kept', bytes, small, 'another run');
    expect(read).toThrow(ModelError);
    expect(read).toThrow(/^kept: belongs to a run with other settings\. Give another --out/);
  });

  it('readCheckpoint() refuses arrays that are not those of the network', () => {
    const wider = mlp({ sampleShape: [dimension], width: 9, depth: 1, features: 4 });
    expect(() => readCheckpoint('kept', bytes, wider, 'a run')).toThrow(/^kept: lacks weights of 'in\.w'/);
  });

  it.each([0, 7, 100, bytes.length - 1])('readCheckpoint() refuses a file cut to %i bytes in one line', (length) => {
    const read = (): unknown => readCheckpoint('kept', bytes.slice(0, length), small, 'a run');
    expect(read).toThrow(DatasetError);
    expect(read).toThrow(/^kept: [^\n]+$/);
  });
});
