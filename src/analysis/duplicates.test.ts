import { describe, expect, it } from 'vitest';
import { inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { CancelledError, DatasetError, DomainError } from '../errors/errors.ts';
import { normal, randomKey, uniform } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import { findDuplicates } from './duplicates.ts';

function dataOf(x: Float32Array, D: number): Dataset {
  return inMemory('data', tensor('float32', [x.length / D, D], x), { low: -1, high: 1 });
}

/** Groups by comparing every pair, single linkage. */
function bruteForce(x: Float32Array, D: number, limit: number): number[][] {
  const n = x.length / D;
  const label = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      let squares = 0;
      for (let d = 0; d < D; d++) squares += ((x[i * D + d] as number) - (x[j * D + d] as number)) ** 2;
      if (squares > limit * limit * D) continue;
      const [a, b] = [label[i] as number, label[j] as number];
      label.forEach((l, at) => (label[at] = l === Math.max(a, b) ? Math.min(a, b) : l));
    }
  }
  const groups = label.map((_, i) => label.flatMap((l, at) => (l === i ? [at] : []))).filter((g) => g.length > 1);
  return groups.sort((a, b) => b.length - a.length || (a[0] as number) - (b[0] as number));
}

describe('findDuplicates()', () => {
  it('findDuplicates() finds planted copies and near-copies, and nothing else', async () => {
    const [N, D] = [1200, 48];
    const x = castFloat(uniform(randomKey(1), [N, D]), 'float32').data;
    const copy = (from: number, to: number, noise: number): void => {
      const z = normal(randomKey(2, from, to), [D]).data;
      for (let d = 0; d < D; d++) x[to * D + d] = (x[from * D + d] as number) + noise * (z[d] as number);
    };
    copy(3, 700, 0);
    copy(3, 1199, 0);
    copy(10, 11, 0);
    copy(50, 800, 0.005);
    copy(700, 900, 0.005);
    copy(60, 61, 0.1);
    const got = await findDuplicates(dataOf(x, D));
    expect(got).toEqual({
      threshold: 0.02,
      exact: {
        copies: 3,
        groups: [
          [3, 700, 1199],
          [10, 11],
        ],
      },
      near: {
        copies: 5,
        groups: [
          [3, 700, 900, 1199],
          [10, 11],
          [50, 800],
        ],
      },
    });
  });

  // From nothing near, over chains, to one group of all.
  it.each([0, 0.15, 0.22, 0.3, 2])(
    'findDuplicates() with threshold %f groups as a comparison of all pairs',
    async (threshold) => {
      const [N, D] = [400, 6];
      const x = castFloat(uniform(randomKey(3), [N, D]), 'float32').data;
      x.copyWithin(200 * D, 0, 20 * D);
      const got = await findDuplicates(dataOf(x, D), { threshold });
      expect(got.near.groups).toEqual(bruteForce(x, D, threshold));
      expect(got.exact.groups).toEqual(bruteForce(x, D, 0));
    },
  );

  it('findDuplicates() takes samples that are all equal, 0 beside -0, and a single sample', async () => {
    const equal = await findDuplicates(dataOf(new Float32Array(5000 * 3).fill(0.25), 3));
    expect(equal.exact).toMatchObject({ copies: 4999 });
    expect(equal.near.groups[0]).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    const zeros = await findDuplicates(dataOf(Float32Array.of(0, 1, -0, 1), 2), { threshold: 0 });
    expect(zeros.exact.groups).toEqual([[0, 1]]);
    const none = { copies: 0, groups: [] };
    expect(await findDuplicates(dataOf(Float32Array.of(1, 2), 2))).toMatchObject({ exact: none, near: none });
  });

  it('findDuplicates() is not misled by a common offset of 100,000 times the threshold', async () => {
    const [N, D] = [300, 5];
    const x = Float32Array.from(uniform(randomKey(4), [N, D]).data, (u) => 2000 + u);
    const threshold = 0.02;
    expect((await findDuplicates(dataOf(x, D), { threshold })).near.groups).toEqual(bruteForce(x, D, threshold));
  });

  it('findDuplicates() refuses broken input and stops when told', async () => {
    const data = dataOf(new Float32Array(8), 2);
    await expect(findDuplicates(data, { threshold: -1 })).rejects.toThrow(DomainError);
    await expect(findDuplicates(data, { threshold: NaN })).rejects.toThrow(DomainError);
    await expect(findDuplicates(data, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
    await expect(findDuplicates(dataOf(Float32Array.of(1, 2, NaN, 4), 2))).rejects.toThrow(DatasetError);
    const stop = new AbortController();
    const many = dataOf(castFloat(uniform(randomKey(5), [3000, 2]), 'float32').data, 2);
    const stopped = findDuplicates(many, { signal: stop.signal, onProgress: (done) => done > 3000 && stop.abort() });
    await expect(stopped).rejects.toThrow(CancelledError);
  });
});
