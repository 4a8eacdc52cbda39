import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import type { TrainingSpec } from './spec.ts';
import { checkTrainingSpec, emaDecayAt, learningRateAt, trainingDefaults } from './spec.ts';

const spec: TrainingSpec = { ...trainingDefaults, steps: 1000, warmup: 99, learningRate: 0.01 };

describe('learningRateAt()', () => {
  it('learningRateAt() rises by equal parts over the warm-up, from 0', () => {
    expect(learningRateAt(spec, 0)).toBe(0);
    for (const step of [1, 50, 99]) expect(learningRateAt(spec, step)).toBeCloseTo(1e-4 * step, 15);
  });

  it('learningRateAt() falls from the peak by a half cosine: half at half way, 0 at the last step', () => {
    expect(learningRateAt({ ...spec, warmup: 0 }, 500)).toBeCloseTo(0.005, 15);
    expect(learningRateAt(spec, 1000)).toBe(0);
    const rates = Array.from({ length: 1000 }, (_, i) => learningRateAt(spec, i + 1));
    expect(Math.max(...rates)).toBe(rates[99]);
    // One step past the warm-up the cosine has lost (pi / 901)^2 / 4 = 3e-6 of the peak.
    expect(Math.abs((rates[99] as number) / 0.01 - 1 + (Math.PI / 901) ** 2 / 4)).toBeLessThan(1e-10);
    for (let i = 100; i < 1000; i++) expect(rates[i] as number).toBeLessThan(rates[i - 1] as number);
  });

  it('learningRateAt() only warms up where the run is shorter than the warm-up', () => {
    expect(learningRateAt({ ...spec, steps: 3 }, 3)).toBeCloseTo(3e-4, 15);
  });
});

describe('emaDecayAt()', () => {
  it('emaDecayAt() halves a weight after emaHalfLife images once the ramp is over', () => {
    const decay = emaDecayAt(spec, 1e6);
    expect(decay ** (spec.emaHalfLife / spec.batchSize)).toBeCloseTo(0.5, 12);
  });

  it('emaDecayAt() ramps up with a half-life of a twentieth of the steps so far', () => {
    for (const step of [1, 20, 1000]) expect(emaDecayAt(spec, step)).toBeCloseTo(0.5 ** (20 / step), 14);
    // The ramp ends where a twentieth of the images is the half-life: 12,500 steps of 32.
    expect(emaDecayAt(spec, 12_500)).toBeCloseTo(emaDecayAt(spec, 1e6), 14);
    expect(emaDecayAt(spec, 12_000)).toBeLessThan(emaDecayAt(spec, 1e6));
  });
});

describe('checkTrainingSpec()', () => {
  it('checkTrainingSpec() takes the defaults', () => {
    expect(() => checkTrainingSpec(trainingDefaults)).not.toThrow();
  });

  it.each<[Partial<TrainingSpec>, RegExp]>([
    [{ steps: 0 }, /steps to be a whole number of at least 1, got 0/],
    [{ batchSize: 2.5 }, /batchSize .* got 2.5/],
    [{ shards: NaN }, /shards .* got NaN/],
    [{ batchSize: 32, shards: 3 }, /equal shards, got 32 in 3/],
    [{ learningRate: 0 }, /learningRate to be positive and finite, got 0/],
    [{ learningRate: Infinity }, /learningRate .* got Infinity/],
    [{ emaHalfLife: -1 }, /emaHalfLife .* got -1/],
    [{ warmup: NaN }, /warmup to be a whole number of at least 0, got NaN/],
    [{ warmup: -1 }, /warmup .* got -1/],
  ])('checkTrainingSpec() refuses %j by name', (change, message) => {
    const check = (): void => checkTrainingSpec({ ...trainingDefaults, ...change });
    expect(check).toThrow(DomainError);
    expect(check).toThrow(message);
  });
});
