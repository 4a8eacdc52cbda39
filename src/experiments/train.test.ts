import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inMemory, inMemoryBytes } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { parseSideCar, writeWeights } from '../denoisers/network/model-file.ts';
import { CancelledError, ModelError, SpecError } from '../errors/errors.ts';
import { integers, normal, randomKey } from '../tensor/random.ts';
import { openTrainingData, runTrain } from './train.ts';
import type { CheckpointStore } from './train.ts';
import { resolveTrainSpec } from './train-spec.ts';
import type { TrainSpec } from './train-spec.ts';

const points = inMemory('points', normal(randomKey(1, 'points'), [50, 4]), { low: -5, high: 5 });
const bytes = integers(randomKey(1, 'images'), [6, 1, 4, 4], 256);
const images: Dataset = inMemoryBytes('images', {
  ...bytes,
  dtype: 'uint8',
  data: Uint8Array.from(bytes.data),
});
const own = { train: points, heldout: points };
const spec = resolveTrainSpec({
  data: 'points',
  architecture: 'mlp',
  channels: [8],
  depth: 1,
  steps: 4,
  batchSize: 4,
  warmup: 1,
});

/** A checkpoint in memory. */
function memory(): CheckpointStore & { kept: Uint8Array | undefined } {
  const store = {
    kept: undefined as Uint8Array | undefined,
    read: async () => store.kept,
    write: async (state: Uint8Array) => void (store.kept = state),
  };
  return store;
}

async function interruptAt(step: number, checkpoints: CheckpointStore): Promise<void> {
  const controller = new AbortController();
  const onProgress = (p: { step: number }): void => (p.step === step ? controller.abort() : undefined);
  const run = runTrain(spec, { data: own, checkpoints, signal: controller.signal, onProgress });
  await expect(run).rejects.toThrow(CancelledError);
}

describe('runTrain()', () => {
  it('runTrain() describes its model so that the side-car is read back, with the data and spec of the training', async () => {
    const result = await runTrain(spec, { data: own });
    expect(parseSideCar('model.json', JSON.stringify(result.sideCar))).toEqual(result.sideCar);
    expect(result.sideCar).toMatchObject({
      architecture: { kind: 'mlp', sampleShape: [4], width: 8, depth: 1 },
      training: { data: { name: 'points', count: 50, hash: await points.hash() }, spec },
    });
    // in 4*8+8, embed 32*8+8, block 3 (8*8+8), out 8*4+4.
    expect(result.parameters).toBe(40 + 264 + 216 + 36);
    expect(result.resumedAt).toBe(0);
    const { data } = await points.read(Array.from({ length: 50 }, (_, i) => i));
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    const deviation = Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length);
    expect(result.sideCar.sigmaData).toBe(Number(deviation.toPrecision(3)));
  });

  it('runTrain() interrupted and called again gives the weights and losses of one that never stopped', async () => {
    const straight = await runTrain(spec, { data: own });
    const checkpoints = memory();
    await interruptAt(2, checkpoints);
    const resumed = await runTrain(spec, { data: own, checkpoints });
    expect(resumed.resumedAt).toBe(2);
    expect(resumed.weights).toEqual(straight.weights);
    expect(resumed.losses).toEqual(straight.losses);
  });

  it('runTrain() refuses a checkpoint of other settings or other data', async () => {
    const checkpoints = memory();
    await interruptAt(1, checkpoints);
    const longer: TrainSpec = { ...spec, steps: 5 };
    await expect(runTrain(longer, { data: own, checkpoints })).rejects.toThrow(ModelError);
    const others = inMemory('points', normal(randomKey(2, 'points'), [50, 4]), points.range);
    await expect(runTrain(spec, { data: { train: others, heldout: others }, checkpoints })).rejects.toThrow(
      /with other settings/,
    );
  });

  it('runTrain() trains a U-Net on images, and refuses one for vectors', async () => {
    const unet = resolveTrainSpec({ channels: [8], steps: 1, batchSize: 2, attention: false });
    const { sideCar, losses } = await runTrain(unet, { data: { train: images, heldout: images } });
    expect(sideCar.architecture).toMatchObject({
      kind: 'unet',
      sampleShape: [1, 4, 4],
      channels: [8],
      attention: false,
    });
    expect(losses).toHaveLength(1);
    await expect(runTrain(unet, { data: own })).rejects.toThrow(SpecError);
    await expect(runTrain(unet, { data: own })).rejects.toThrow(/points holds vectors\. Use --arch mlp/);
  });
});

describe('runTrain() from a model', () => {
  it('runTrain() starts from the weights of a model, and refuses one of another network or none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eigenlens-from-'));
    try {
      const { sideCar, weights } = await runTrain(spec, { data: own });
      await writeFile(join(folder, 'model.json'), JSON.stringify(sideCar));
      await writeFile(join(folder, 'model.safetensors'), writeWeights(weights));
      // One step at next to no rate leaves the weights where they were.
      const still: TrainSpec = { ...spec, from: folder, steps: 1, learningRate: 1e-12, seed: 5 };
      const next = await runTrain(still, { data: own });
      for (const [name, { data }] of Object.entries(next.weights)) {
        data.forEach((v, i) => expect(Math.abs(v - (weights[name]?.data[i] as number))).toBeLessThan(1e-6));
      }
      await expect(runTrain({ ...still, channels: [16] }, { data: own })).rejects.toThrow(
        /from: expected a network like/,
      );
      await expect(runTrain({ ...still, from: join(folder, 'none') }, { data: own })).rejects.toThrow(
        /from: expected a model/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('openTrainingData()', () => {
  it('openTrainingData() takes the part, brings images to the size, and shares nothing with what is held out', async () => {
    const sized = resolveTrainSpec({ size: 16, imageSize: 14 });
    expect(sized.data).toBe('fashion-train:16');
    const { train, heldout } = await openTrainingData(sized);
    expect(train).toMatchObject({ count: 16, sampleShape: [1, 14, 14] });
    expect(heldout).toMatchObject({ count: 1000, sampleShape: [1, 14, 14] });
  });
});

describe('resolveTrainSpec()', () => {
  it('resolveTrainSpec() measures where a gap is to stop the run', () => {
    expect(resolveTrainSpec({ stopGap: 0.1 })).toMatchObject({ stopGap: 0.1, evaluateEvery: 250, patience: 3 });
    expect(resolveTrainSpec({})).toMatchObject({ evaluateEvery: 0, data: 'fashion-train' });
  });

  it.each<[string, object]>([
    ['steps', { steps: 0 }],
    ['channels', { channels: [] }],
    ['channels.1', { channels: [8, 1.5] }],
    ['learningRate', { learningRate: -1 }],
    ['architecture', { architecture: 'transformer' }],
    ['epochs', { epochs: 3 }],
    ['noiseDeviation', { noiseDeviation: 0 }],
    ['stopGap', { stopGap: -0.1 }],
    ['size', { size: 0 }],
  ])('resolveTrainSpec() refuses a wrong or unknown %s by name', (field, change) => {
    expect(() => resolveTrainSpec(change)).toThrow(SpecError);
    expect(() => resolveTrainSpec(change)).toThrow(new RegExp(`\\b${field.replace('.', '\\.')}\\b`));
  });
});
