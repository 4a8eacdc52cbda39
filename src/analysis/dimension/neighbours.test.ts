import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CancelledError, DomainError, NumericalError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, tensor } from '../../tensor/tensor.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { distinctSamples, nearestNeighbours } from './neighbours.ts';

/** Distances of sample i to all others, ascending. */
function direct(x: FloatTensor, i: number): number[] {
  const [N = 0, D = 0] = x.shape;
  return Array.from({ length: N }, (_, j) => {
    let squares = 0;
    for (let d = 0; d < D; d++) squares += ((x.data[i * D + d] as number) - (x.data[j * D + d] as number)) ** 2;
    return Math.sqrt(squares);
  })
    .filter((_, j) => j !== i)
    .sort((a, b) => a - b);
}

describe('nearestNeighbours()', () => {
  it('nearestNeighbours() finds the distances of a plain search, for all samples and for some', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3, max: 40 }), fc.integer({ min: 1, max: 6 }), async (N, D) => {
        const x = castFloat(normal(randomKey(N, D), [N, D]), 'float32');
        const k = Math.min(5, N - 1);
        const queries = Int32Array.of(N - 1, 0);
        for (const got of [await nearestNeighbours(x, k), await nearestNeighbours(x, k, { queries })]) {
          got.queries.forEach((query, q) => {
            const row = Array.from(got.distances.subarray(q * k, (q + 1) * k));
            expect(row).toEqual(direct(x, query).slice(0, k));
          });
        }
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it('nearestNeighbours() is exact across blocks of queries and references', async () => {
    const x = normal(randomKey(2), [2300, 3]);
    const { distances, indices } = await nearestNeighbours(x, 3);
    for (const i of [0, 255, 256, 2047, 2048, 2299]) {
      expect(Array.from(distances.subarray(3 * i, 3 * i + 3))).toEqual(direct(x, i).slice(0, 3));
      expect(indices.subarray(3 * i, 3 * i + 3)).not.toContain(i);
    }
  });

  it('nearestNeighbours() gives a copy distance 0 far from the origin', async () => {
    const data = Float64Array.from(normal(randomKey(3), [20, 4]).data, (v) => v + 1e6);
    data.copyWithin(4, 0, 4);
    const { distances, indices } = await nearestNeighbours(tensor('float64', [20, 4], data), 1);
    expect([distances[0], indices[0], distances[1], indices[1]]).toEqual([0, 1, 0, 0]);
  });

  it('nearestNeighbours() refuses k of N, samples that are not finite, and stops when told', async () => {
    const x = normal(randomKey(4), [6, 2]);
    await expect(nearestNeighbours(x, 6)).rejects.toThrow(DomainError);
    await expect(nearestNeighbours(tensor('float64', [1, 1], Float64Array.of(1)), 1)).rejects.toThrow(/more samples/);
    await expect(nearestNeighbours(tensor('float64', [3, 1], Float64Array.of(1, NaN, 2)), 1)).rejects.toThrow(
      NumericalError,
    );
    await expect(nearestNeighbours(x, 1, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});

describe('distinctSamples()', () => {
  it('distinctSamples() keeps the first of equal samples, and takes 0 and -0 for equal', () => {
    const x = tensor('float32', [5, 2], Float32Array.of(1, 2, 0, 3, 1, 2, -0, 3, 2, 1));
    expect(Array.from(distinctSamples(x))).toEqual([0, 1, 4]);
    const wide = { ...x, dtype: 'float64' as const, data: Float64Array.from(x.data) };
    expect(Array.from(distinctSamples(wide))).toEqual([0, 1, 4]);
  });
});
