import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inMemory } from '../data/dataset.ts';
import { edmPreconditioning } from '../diffusion/edm.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import type { TrainingBatch } from './batch.ts';
import { batchIndices, noisyBatch, trainingBatch } from './batch.ts';

const eps32 = 2 ** -23;

/** ln sigma of each sample, read back from the features: the lowest frequency, 1/8, tells all |ln sigma| < 16 apart. */
function logSigmas({ features }: TrainingBatch): number[] {
  const [count, width] = features.shape as [number, number];
  return Array.from({ length: count }, (_, b) => {
    const [cos, sin] = [features.data[b * width], features.data[b * width + width / 2]] as [number, number];
    return 4 * (8 / (2 * Math.PI)) * Math.atan2(sin, cos);
  });
}

describe('batchIndices()', () => {
  it('batchIndices() shows every image once an epoch, with batches that span epochs', () => {
    const sizes = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(sizes, sizes, fc.integer({ min: 0, max: 99 }), (count, batchSize, seed) => {
        const epochs = 3;
        const steps = Math.ceil((epochs * count) / batchSize);
        const seen = Array.from({ length: steps }, (_, i) => [...batchIndices(count, batchSize, i + 1, seed)]).flat();
        for (let e = 0; e < epochs; e++) {
          const epoch = seen.slice(e * count, (e + 1) * count).sort((a, b) => a - b);
          expect(epoch).toEqual(Array.from({ length: count }, (_, i) => i));
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('batchIndices() depends on seed and step alone, and orders each epoch anew', () => {
    const epochOf = (seed: number, step: number): string => batchIndices(50, 50, step, seed).join();
    expect(epochOf(1, 7)).toBe(epochOf(1, 7));
    expect(new Set([epochOf(1, 1), epochOf(1, 2), epochOf(2, 1), epochOf(2, 2)]).size).toBe(4);
  });
});

describe('noisyBatch()', () => {
  it('noisyBatch() gives a target with cSkip noisy + cOut target = clean at the level that the features say', () => {
    const sigmaData = 0.7;
    const x0 = castFloat(normal(randomKey(2, 'clean'), [64, 1, 2, 3]), 'float32');
    const batch = noisyBatch(x0, randomKey(2, 'noise'), sigmaData, 8);
    expect(batch.input.shape).toEqual([64, 1, 2, 3]);
    logSigmas(batch).forEach((logSigma, b) => {
      const { cSkip, cOut, cIn } = edmPreconditioning(Math.exp(logSigma), sigmaData);
      for (let i = 6 * b; i < 6 * (b + 1); i++) {
        const skipped = (cSkip * (batch.input.data[i] as number)) / cIn;
        const added = cOut * (batch.target.data[i] as number);
        // The features' rounding moves ln sigma by 32 / (2 pi) eps32 / 2 < 3 eps32, which enters each factor at most twice.
        const bound = 16 * eps32 * (Math.abs(skipped) + Math.abs(added));
        expect(Math.abs(skipped + added - (x0.data[i] as number))).toBeLessThan(bound);
      }
    });
  });

  it('noisyBatch() draws ln sigma from N(-1.2, 1.2^2) and unit noise that does not know the level', () => {
    const count = 20_000;
    const zeros = tensor('float32', [count, 1], new Float32Array(count));
    const batch = noisyBatch(zeros, randomKey(4, 'law'), 0.5, 2);
    const z = logSigmas(batch).map((logSigma) => (logSigma + 1.2) / 1.2);
    const noise = z.map((level, b) => {
      const sigma = Math.exp(-1.2 + 1.2 * level);
      return (batch.input.data[b] as number) / edmPreconditioning(sigma, 0.5).cIn / sigma;
    });
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / count;
    // Five standard errors of a mean of N normal numbers, of their squares and of products.
    const five = 5 / Math.sqrt(count);
    for (const draws of [z, noise]) {
      expect(Math.abs(mean(draws))).toBeLessThan(five);
      expect(Math.abs(mean(draws.map((v) => v * v)) - 1)).toBeLessThan(five * Math.SQRT2);
      expect(Math.abs(mean(draws.map((v) => v ** 3)))).toBeLessThan(five * Math.sqrt(15));
    }
    expect(Math.abs(mean(z.map((v, i) => v * (noise[i] as number))))).toBeLessThan(five);
  });
});

describe('trainingBatch()', () => {
  it('trainingBatch() is a function of seed and step', async () => {
    const data = inMemory('points', normal(randomKey(1, 'points'), [20, 3]), { low: -5, high: 5 });
    const of = (step: number, seed: number): Promise<TrainingBatch> => trainingBatch(data, 8, step, seed, 1, 4);
    expect(await of(3, 1)).toEqual(await of(3, 1));
    const inputs = await Promise.all([of(3, 1), of(4, 1), of(3, 2)]);
    expect(new Set(inputs.map((b) => b.input.data.join())).size).toBe(3);
  });
});
