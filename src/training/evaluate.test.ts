import { describe, expect, it } from 'vitest';
import { inMemory, subset } from '../data/dataset.ts';
import { mlp } from '../denoisers/network/mlp.ts';
import { CancelledError, SpecError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { averagedWeights, initialState, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { TrainingState } from './checkpoint.ts';
import { evaluator, judgeGap } from './evaluate.ts';
import { createGradientStep } from './gradient.ts';
import type { TrainingSpec } from './spec.ts';
import { trainingDefaults } from './spec.ts';
import { train } from './train.ts';
import type { TrainingOptions } from './train.ts';

const network = mlp({ sampleShape: [6], width: 64, depth: 2, features: 8 });
const points = inMemory('points', normal(randomKey(3, 'points'), [400, 6]), { low: -9, high: 9 });
// Four points in six dimensions are soon learned by heart; what is held out from them is another matter.
const few = subset(points, { end: 4 }, 'few');
const heldout = subset(points, { start: 100 }, 'heldout');
const spec: TrainingSpec = {
  ...trainingDefaults,
  steps: 400,
  batchSize: 16,
  shards: 1,
  learningRate: 5e-3,
  warmup: 5,
  emaHalfLife: 50,
  evaluateEvery: 5,
  stopGap: 0.5,
  patience: 3,
  seed: 4,
};
const base: TrainingOptions = { network, data: few, heldout, sigmaData: 1, spec };
const bytesOf = (state: TrainingState): Uint8Array => writeCheckpoint(network, state, 'a run');
const gapOf = ({ train: own = NaN, heldout: other = NaN }): number => (other - own) / own;

describe('judgeGap()', () => {
  const limit = { ...spec, stopGap: 0.1 };

  it('judgeGap() keeps a copy of the average within the gap, and counts what lies beyond in a row', () => {
    const state = { ...initialState(network, 0), step: 10 };
    judgeGap(state, { train: 1, heldout: 1.09 }, limit);
    expect(state).toMatchObject({ beyond: 0, kept: { step: 10 } });
    const first = (state.average[0] as Float32Array)[0] as number;
    (state.average[0] as Float32Array)[0] = first + 1;
    state.step = 20;
    judgeGap(state, { train: 1, heldout: 1.11 }, limit);
    judgeGap(state, { train: 2, heldout: 2.3 }, limit);
    expect(state).toMatchObject({ beyond: 2, kept: { step: 10 } });
    expect(averagedWeights(network, state)['in.w']?.data[0]).toBe(first);
    state.step = 30;
    judgeGap(state, { train: 1, heldout: 0.9 }, limit);
    expect(state).toMatchObject({ beyond: 0, kept: { step: 30 } });
    expect(averagedWeights(network, state)['in.w']?.data[0]).toBe(Math.fround(first + 1));
  });

  it('judgeGap() without a limit keeps and counts nothing', () => {
    const state = initialState(network, 0);
    judgeGap(state, { train: 1, heldout: 9 }, { ...spec, stopGap: undefined });
    expect({ beyond: state.beyond, kept: state.kept }).toEqual({ beyond: 0, kept: undefined });
  });
});

describe('evaluator()', () => {
  it('evaluator() of one set twice gives one loss twice, whatever the set beside it', async () => {
    await using gradient = await createGradientStep(network, spec.batchSize, 1);
    const state = initialState(network, 1);
    const same = await evaluator({ ...base, data: heldout, heldout }, gradient);
    const measured = await same?.(state);
    expect(measured?.train).toBe(measured?.heldout);
    const other = await evaluator(base, gradient);
    expect((await other?.(state))?.heldout).toBe(measured?.heldout);
  });

  it('evaluator() measures the average of the weights, not the weights', async () => {
    await using gradient = await createGradientStep(network, spec.batchSize, 1);
    const evaluate = await evaluator(base, gradient);
    const state = initialState(network, 1);
    const before = await evaluate?.(state);
    state.weights.forEach((w) => w.fill(7));
    expect(await evaluate?.(state)).toEqual(before);
    state.average.forEach((w) => w.fill(0.1));
    expect(await evaluate?.(state)).not.toEqual(before);
  });

  it('evaluator() is nothing where the spec measures nothing, and refuses to measure without held-out samples', async () => {
    await using gradient = await createGradientStep(network, spec.batchSize, 1);
    const alone: TrainingOptions = { network, data: few, sigmaData: 1, spec };
    const silent = { ...spec, evaluateEvery: 0, stopGap: undefined };
    expect(await evaluator({ ...alone, spec: silent }, gradient)).toBeUndefined();
    await expect(evaluator(alone, gradient)).rejects.toThrow(SpecError);
  });
});

describe('train() with a gap', () => {
  const straight = train(base);

  it('train() that learns its samples by heart stops, and gives the weights of the last measurement within the gap', async () => {
    const state = await straight;
    expect(state.step).toBeLessThan(spec.steps);
    const measured = state.losses.filter((row) => row.heldout !== undefined);
    const beyond = measured.slice(-3).map((row) => gapOf(row) > 0.5);
    expect(beyond).toEqual([true, true, true]);
    expect(gapOf(measured.at(-4) ?? {})).toBeLessThanOrEqual(0.5);
    expect(state.kept?.step).toBe(state.step - 15);
    // A run that ends at the kept step has the same average: the schedule of rates is that of the spec.
    const controller = new AbortController();
    let stopped: Uint8Array | undefined;
    const short = train({
      ...base,
      signal: controller.signal,
      onProgress: ({ step }) => step === state.kept?.step && controller.abort(),
      onCheckpoint: async (s) => void (stopped = bytesOf(s)),
    });
    await expect(short).rejects.toThrow(CancelledError);
    const there = readCheckpoint('kept', stopped as Uint8Array, network, 'a run');
    expect(state.kept?.average).toEqual(there.average);
    expect(averagedWeights(network, state)['out.w']?.data).not.toEqual(state.average.at(-2));
  });

  it('train() interrupted inside and outside the gap and resumed gives the same bits, kept weights included', async () => {
    const state = await straight;
    // Before any measurement, between two, and between the first beyond the gap and the last.
    for (const step of [3, 8, state.step - 7]) {
      const controller = new AbortController();
      let stopped: Uint8Array | undefined;
      const run = train({
        ...base,
        signal: controller.signal,
        onProgress: (p) => p.step === step && controller.abort(),
        onCheckpoint: async (s) => void (stopped = bytesOf(s)),
      });
      await expect(run).rejects.toThrow(CancelledError);
      const kept = readCheckpoint('kept', stopped as Uint8Array, network, 'a run');
      expect(kept.step).toBe(step);
      expect(kept.kept !== undefined).toBe(step > 5);
      expect(bytesOf(await train({ ...base, state: kept }))).toEqual(bytesOf(state));
    }
  });

  it('train() of a state that the gap ended does nothing more', async () => {
    const state = readCheckpoint('kept', bytesOf(await straight), network, 'a run');
    expect(bytesOf(await train({ ...base, state }))).toEqual(bytesOf(await straight));
  });
});
