import { describe, expect, it } from 'vitest';
import { drawManifold } from '../analysis/dimension/manifolds.ts';
import { inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { lowRankMixtureDenoiser } from '../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../denoisers/mixture-draw.ts';
import { CancelledError, DatasetError, SpecError } from '../errors/errors.ts';
import { randomKey } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { runDimension } from './dimension.ts';
import { resolveDimensionSpec } from './dimension-spec.ts';

const dataset = (x: FloatTensor): Dataset => inMemory('points', castFloat(x, 'float32'), { low: -9, high: 9 });
const sphere = drawManifold({ kind: 'sphere', dimension: 2, ambient: 5, count: 500, seed: 1 });

describe('runDimension()', () => {
  it('runDimension() finds the dimension of a sphere by every estimator, over scales, without its copies', async () => {
    const doubled = new Float64Array(sphere.data.length * 2);
    doubled.set(sphere.data);
    doubled.set(sphere.data, sphere.data.length);
    const spec = resolveDimensionSpec({ data: 'points', k: [20, 5], pcaK: 15 });
    const x = tensor('float64', [1000, 5], doubled);
    const labels = new Set<string>();
    const { result, figures } = await runDimension(spec, { dataset: dataset(x), onProgress: (l) => labels.add(l) });
    expect(result.data).toEqual({
      name: 'points',
      count: 1000,
      samples: 1000,
      distinct: 500,
      queries: 500,
      ambient: 5,
    });
    expect(result.estimates.map((e) => e.estimator)).toEqual([
      'maximum likelihood',
      'maximum likelihood',
      ...['TwoNN', 'TwoNN', 'TwoNN'], // 500, 250 and 125 samples
      'local PCA',
    ]);
    for (const { dimension, low, high, scale } of result.estimates) {
      expect(Math.abs(dimension - 2)).toBeLessThan(0.5);
      expect(low).toBeLessThanOrEqual(dimension);
      expect(high).toBeGreaterThanOrEqual(dimension);
      expect(scale).toBeGreaterThan(0);
    }
    expect(result.predictedFrom).toBe('maximum likelihood, k = 20');
    const estimate = result.estimates[1]?.dimension ?? NaN;
    expect(result.predictions.at(-1)?.samples).toBe(Math.ceil(630 * estimate));
    expect(labels).toEqual(new Set(['neighbours', 'local PCA']));
    expect(Object.keys(figures)).toEqual(['scales']);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it('runDimension() is the same for the same seed, and takes a random part of large data', async () => {
    const spec = resolveDimensionSpec({ data: 'points', k: [5], samples: 200, queries: 50, seed: 3 });
    const [a, b] = [
      await runDimension(spec, { dataset: dataset(sphere) }),
      await runDimension(spec, { dataset: dataset(sphere) }),
    ];
    expect(a).toEqual(b);
    expect(a.result.data).toMatchObject({ count: 500, samples: 200, queries: 50 });
    const other = await runDimension({ ...spec, seed: 4 }, { dataset: dataset(sphere) });
    expect(other.result.estimates[0]?.dimension).not.toBe(a.result.estimates[0]?.dimension);
  });

  it('runDimension() measures a denoiser beside the data', async () => {
    const mixture = randomMixture({ n: 20, ranks: [3, 3], variances: [1, 1], seed: 2 });
    const heldout = dataset(sampleMixture(mixture, randomKey(3), 300).x);
    const denoiser = lowRankMixtureDenoiser({ name: 'molrg', mixture });
    const spec = resolveDimensionSpec({ model: 'molrg', k: [10], sigmas: [0.05, 0.01], images: 4, probes: 20 });
    const { result, figures } = await runDimension(spec, { dataset: heldout, model: { denoiser, heldout } });
    expect(result.denoiser).toMatchObject({ name: 'molrg', images: 4 });
    expect(result.denoiser?.levels.map((l) => [l.sigma, l.rank.mean])).toEqual([
      [0.01, 3],
      [0.05, 3],
    ]);
    expect(Object.keys(figures)).toEqual(['scales', 'noise']);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  it.each<[string, FloatTensor, RegExp]>([
    [
      'fewer than k + 1 samples',
      { ...sphere, shape: [20, 5], data: sphere.data.slice(0, 100) },
      /at least 51 distinct samples for 50 neighbours, got 20/,
    ],
    ['constant data', tensor('float64', [60, 2], new Float64Array(120).fill(3)), /got all equal/],
    [
      'NaN',
      tensor(
        'float64',
        [60, 1],
        Float64Array.from({ length: 60 }, (_, i) => (i === 7 ? NaN : i)),
      ),
      /infinity in sample 7/,
    ],
  ])('runDimension() refuses %s', async (_, x, message) => {
    const run = runDimension(resolveDimensionSpec({ data: 'points' }), { dataset: dataset(x) });
    await expect(run).rejects.toThrow(DatasetError);
    await expect(run).rejects.toThrow(message);
  });

  it('runDimension() stops when told', async () => {
    const inputs = { dataset: dataset(sphere), signal: AbortSignal.abort() };
    await expect(runDimension(resolveDimensionSpec({ data: 'points' }), inputs)).rejects.toThrow(CancelledError);
  });
});

describe('resolveDimensionSpec()', () => {
  it('resolveDimensionSpec() fills in defaults and sorts lists', () => {
    const spec = resolveDimensionSpec({ data: 'fashion', k: [20, 5, 20] });
    expect(spec).toMatchObject({
      job: 'dimension',
      data: 'fashion',
      k: [5, 20],
      samples: 10_000,
      queries: 2000,
      seed: 0,
    });
    expect(spec.sigmas[0]).toBeCloseTo(0.01, 12);
    expect(resolveDimensionSpec(spec)).toEqual(spec);
  });

  it.each<[Parameters<typeof resolveDimensionSpec>[0], RegExp]>([
    [{}, /data or a model, got neither/],
    [{ data: 'x', k: [1] }, /k: expected at least 2/],
    [{ data: 'x', k: [] }, /k: /],
    [{ data: 'x', samples: 0 }, /samples: expected at least 10/],
    [{ data: 'x', sigmas: [0.1] }, /sigmas: expected two/],
    [{ data: 'x', sigmas: [0.1, -1] }, /sigmas: expected positive/],
  ])('resolveDimensionSpec(%j) is refused in one line', (input, message) => {
    expect(() => resolveDimensionSpec(input)).toThrow(SpecError);
    expect(() => resolveDimensionSpec(input)).toThrow(message);
  });
});
