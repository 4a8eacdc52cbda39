import { describe, expect, it } from 'vitest';
import { CancelledError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import { inMemory, subset } from './dataset.ts';
import { computeMoments } from './moments.ts';

const range = { low: -10, high: 10 };

/** Plain two-pass moments over the same float32 values. */
function direct(x: Float32Array, n: number, D: number): { mean: Float64Array; covariance: Float64Array } {
  const mean = new Float64Array(D);
  for (let d = 0; d < D; d++) {
    for (let i = 0; i < n; i++) mean[d] = (mean[d] as number) + (x[i * D + d] as number);
    mean[d] = (mean[d] as number) / n;
  }
  const covariance = new Float64Array(D * D);
  for (let a = 0; a < D; a++) {
    for (let b = 0; b < D; b++) {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        sum += ((x[i * D + a] as number) - (mean[a] as number)) * ((x[i * D + b] as number) - (mean[b] as number));
      }
      covariance[a * D + b] = sum / n;
    }
  }
  return { mean, covariance };
}

function largest(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] as number))), 0);
}

describe('computeMoments()', () => {
  // Sizes around the tile (4) and the block (190): edges, one sample, one block, several.
  it.each([
    [1, 3],
    [5, 1],
    [190, 4],
    [191, 9],
    [1000, 14],
  ])('computeMoments() equals the two-pass formula on %i samples of dimension %i', async (n, D) => {
    const x = castFloat(normal(randomKey(1, n, D), [n, D]), 'float32');
    const got = await computeMoments(inMemory('x', x, range));
    const expected = direct(x.data, n, D);
    // Sums of n terms of size about 1, divided by n: rounding grows like sqrt(n) at most here.
    const tolerance = 4 * Number.EPSILON * Math.sqrt(n);
    expect(got.count).toBe(n);
    expect(got.covariance.shape).toEqual([D, D]);
    expect(largest(got.mean, expected.mean)).toBeLessThan(tolerance);
    expect(largest(got.covariance.data, expected.covariance)).toBeLessThan(4 * tolerance);
    for (let a = 0; a < D; a++) {
      for (let b = 0; b < D; b++) expect(got.covariance.data[a * D + b]).toBe(got.covariance.data[b * D + a]);
    }
  });

  it('computeMoments() stays exact where the mean is 4096 times the spread and the samples are sorted', async () => {
    const n = 1024;
    const x = Float32Array.from({ length: n }, (_, i) => 4096 + i / n); // exact in float32
    const { mean, covariance } = await computeMoments(
      inMemory('far', tensor('float32', [n, 1], x), { low: 0, high: 5000 }),
    );
    const variance = (n * n - 1) / 12 / (n * n); // of 0 .. n-1, over n^2
    expect(Math.abs((mean[0] as number) - (4096 + (n - 1) / 2 / n))).toBeLessThan(4 * Number.EPSILON * 4096);
    expect(Math.abs((covariance.data[0] as number) - variance)).toBeLessThan(
      32 * Number.EPSILON * Math.sqrt(n) * variance,
    );
  });

  it('computeMoments() flattens images and works through a subset', async () => {
    const x = castFloat(normal(randomKey(2), [40, 1, 2, 3]), 'float32');
    const part = subset(inMemory('x', x, range), { start: 10, end: 30 }, 'part');
    const got = await computeMoments(part);
    const expected = direct(x.data.slice(60, 180), 20, 6);
    expect(largest(got.covariance.data, expected.covariance)).toBeLessThan(32 * Number.EPSILON);
  });

  it('computeMoments() stops at an aborted signal', async () => {
    const x = castFloat(normal(randomKey(3), [10, 2]), 'float32');
    await expect(computeMoments(inMemory('x', x, range), { signal: AbortSignal.abort() })).rejects.toThrow(
      CancelledError,
    );
  });
});
