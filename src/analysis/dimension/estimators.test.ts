import { describe, expect, it } from 'vitest';
import { DomainError, NumericalError } from '../../errors/errors.ts';
import { uniform, randomKey } from '../../tensor/random.ts';
import type { DimensionEstimate } from './estimate.ts';
import { localPcaDimension } from './local-pca.ts';
import { drawManifold } from './manifolds.ts';
import type { ManifoldKind } from './manifolds.ts';
import { maximumLikelihoodDimension } from './maximum-likelihood.ts';
import { nearestNeighbours } from './neighbours.ts';
import type { Neighbours } from './neighbours.ts';
import { predictSamples } from './sample-prediction.ts';
import { twoNnDimension } from './two-nn.ts';

/** Neighbourhoods whose distances have exactly the law of an even density in d dimensions: T_j = U^(1/d), sorted. */
function idealNeighbours(d: number, count: number, k: number): Neighbours {
  const u = uniform(randomKey(8, d), [count, k]).data;
  const distances = new Float64Array(count * k);
  for (let i = 0; i < count; i++) {
    const row = Float64Array.from(u.subarray(i * k, (i + 1) * k), (v) => v ** (1 / d)).sort();
    distances.set(row, i * k);
  }
  return { k, queries: Int32Array.from({ length: count }, (_, i) => i), distances, indices: new Int32Array(count * k) };
}

describe('maximumLikelihoodDimension()', () => {
  it.each([1, 4, 20])('maximumLikelihoodDimension() is unbiased on the exact law in %i dimensions', (d) => {
    // The mean of n (k - 1) logarithms knows d to 1 / sqrt(n (k - 1)) = 0.5 %; four standard deviations.
    const { dimension, low, high } = maximumLikelihoodDimension(idealNeighbours(d, 4000, 10));
    expect(Math.abs(dimension / d - 1)).toBeLessThan(0.022);
    expect((high - low) / dimension).toBeCloseTo((2 * 1.96) / Math.sqrt(4000 * 9), 2);
  });

  it('maximumLikelihoodDimension() on two neighbours is n over the sum of log r_2 / r_1', () => {
    const distances = Float64Array.of(1, 2, 1, 4, 3, 3 * Math.E);
    const neighbours = { k: 2, queries: Int32Array.of(0, 1, 2), distances, indices: new Int32Array(6) };
    const { dimension, scale } = maximumLikelihoodDimension(neighbours);
    expect(dimension).toBeCloseTo(3 / (Math.LN2 + 2 * Math.LN2 + 1), 12);
    expect(scale).toBeCloseTo((2 + 4 + 3 * Math.E) / 3, 12);
  });

  it('maximumLikelihoodDimension() refuses duplicates, lattices and k out of range', () => {
    const of = (...distances: number[]): Neighbours => ({
      k: 2,
      queries: Int32Array.of(0, 1),
      distances: Float64Array.from(distances),
      indices: new Int32Array(4),
    });
    expect(() => maximumLikelihoodDimension(of(0, 1, 1, 2))).toThrow(/distance 0.*distinctSamples/);
    expect(() => maximumLikelihoodDimension(of(1, 1, 2, 2))).toThrow(NumericalError);
    expect(() => maximumLikelihoodDimension(of(1, 2, 1, 2), 3)).toThrow(DomainError);
  });
});

describe('twoNnDimension()', () => {
  it.each([1, 4, 20])('twoNnDimension() finds d = %i on the exact law, on a straight line', (d) => {
    // r_2 / r_1 of the two least of ten in a ball has the Pareto law of any two neighbours.
    const fit = twoNnDimension(idealNeighbours(d, 4000, 10));
    expect(Math.abs(fit.dimension / d - 1)).toBeLessThan(0.07); // four standard deviations of about 1 / sqrt(n)
    expect(fit.rSquared).toBeGreaterThan(0.995);
    expect(fit.low).toBeLessThan(fit.dimension);
    expect(fit.high).toBeGreaterThan(fit.dimension);
    expect(fit).toMatchObject({ discarded: 0.1, samples: 4000 });
    expect(fit.fit.x).toHaveLength(3600);
  });

  it('twoNnDimension() is the slope of exact quantiles to rounding', () => {
    const [n, d] = [50, 3];
    const distances = new Float64Array(2 * n);
    for (let i = 0; i < n; i++) distances.set([1, (1 - Math.min(i + 1, n - 0.5) / n) ** (-1 / d)], 2 * i);
    const neighbours = { k: 2, queries: new Int32Array(n), distances, indices: new Int32Array(2 * n) };
    expect(twoNnDimension(neighbours).dimension).toBeCloseTo(d, 10);
  });

  it('twoNnDimension() refuses few samples, duplicates and ratios that are all 1', () => {
    const of = (n: number, first: number): Neighbours => ({
      k: 2,
      queries: new Int32Array(n),
      distances: Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 ? 1 : first)),
      indices: new Int32Array(2 * n),
    });
    expect(() => twoNnDimension(of(9, 0.5))).toThrow(DomainError);
    expect(() => twoNnDimension(of(20, 0))).toThrow(/distance 0/);
    expect(() => twoNnDimension(of(20, 1))).toThrow(NumericalError);
    expect(() => twoNnDimension(of(20, 0.5), { discard: 1 })).toThrow(DomainError);
  });
});

/** Shape, dimension, and how far each estimate may lie from it (share): maximum likelihood, TwoNN. Noise is a thousandth. */
const shapes: [ManifoldKind, number, number, number][] = [
  ['subspace', 1, 0.06, 0.12],
  ['subspace', 2, 0.06, 0.12],
  ['subspace', 5, 0.06, 0.15],
  ['sphere', 1, 0.06, 0.12],
  ['sphere', 2, 0.06, 0.12],
  ['sphere', 5, 0.1, 0.15],
  ['torus', 2, 0.06, 0.12],
  ['swissRoll', 2, 0.08, 0.12],
  ['product', 4, 0.12, 0.15],
  // Known bias, Levina and Bickel 2004, figure 1: with 1,000 samples neighbours lie far off in ten dimensions and more.
  ['subspace', 10, 0.2, 0.2],
  ['sphere', 10, 0.2, 0.2],
  ['torus', 10, 0.35, 0.3], // chords of bent circles are short: too much
  ['subspace', 20, 0.35, 0.3],
  ['sphere', 20, 0.35, 0.3],
];

describe('estimators on manifolds', () => {
  it.each(shapes)('on the %s of dimension %i both estimates lie within %f and %f', async (kind, d, ml, twoNn) => {
    const x = drawManifold({ kind, dimension: d, ambient: 24, count: 1000, seed: 1 });
    const neighbours = await nearestNeighbours(x, 20);
    const off = ({ dimension }: DimensionEstimate): number => Math.abs(dimension / d - 1);
    expect(off(maximumLikelihoodDimension(neighbours))).toBeLessThan(ml);
    expect(off(twoNnDimension(neighbours))).toBeLessThan(twoNn);
  });

  it('with noise above the distance of neighbours the estimates grow beyond the dimension, and more so at small k', async () => {
    const shape = { kind: 'sphere', dimension: 2, ambient: 20, count: 1000, seed: 2 } as const;
    const clean = await nearestNeighbours(drawManifold({ ...shape, noise: 1e-4 }), 20);
    expect(maximumLikelihoodDimension(clean).dimension).toBeCloseTo(2, 0);
    const noisy = await nearestNeighbours(drawManifold({ ...shape, noise: 0.05 }), 20);
    const [near, far] = [maximumLikelihoodDimension(noisy, 4), maximumLikelihoodDimension(noisy, 20)];
    expect(far.dimension).toBeGreaterThan(3);
    expect(near.low).toBeGreaterThan(far.high);
  });

  it.each([1, 5, 20])('localPcaDimension() counts %i directions of a subspace at every sample', async (d) => {
    const x = drawManifold({ kind: 'subspace', dimension: d, ambient: 30, count: 300, noise: 1e-3, seed: 3 });
    const queries = Int32Array.from({ length: 40 }, (_, i) => i);
    const got = await localPcaDimension(x, await nearestNeighbours(x, 100, { queries }));
    expect(new Set(got.counts)).toEqual(new Set([d]));
    expect(got).toMatchObject({ dimension: d, low: d, high: d, saturated: false, samples: 40 });
  });

  it('localPcaDimension() says where k is too small to tell', async () => {
    const x = drawManifold({ kind: 'subspace', dimension: 20, ambient: 30, count: 300, seed: 3 });
    expect((await localPcaDimension(x, await nearestNeighbours(x, 10))).saturated).toBe(true);
    await expect(localPcaDimension(x, await nearestNeighbours(x, 10), { threshold: 0 })).rejects.toThrow(DomainError);
  });

  it('drawManifold() refuses shapes that do not fit', () => {
    const shape = { count: 3, seed: 1 };
    expect(() => drawManifold({ ...shape, kind: 'swissRoll', dimension: 3, ambient: 9 })).toThrow(
      /expected dimension 2/,
    );
    expect(() => drawManifold({ ...shape, kind: 'torus', dimension: 3, ambient: 5 })).toThrow(/at least 6/);
  });
});

describe('predictSamples()', () => {
  it('predictSamples() scales with the dimension and its interval and names its sources', () => {
    const got = predictSamples({ dimension: 7, low: 6.5, high: 8 });
    expect(got.map((p) => p.samples)).toEqual([7, 350, 420, 4410]);
    expect(got.at(-1)).toMatchObject({ low: 4095, high: 5040, status: 'second-hand' });
    expect(got.every((p) => p.source.includes('2409.02426'))).toBe(true);
  });
});
