import { describe, expect, it } from 'vitest';
import { inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { CancelledError, DatasetError, DomainError, NumericalError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey, uniform } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { nearestNeighbors } from './neighbors.ts';
import type { NeighborOptions } from './neighbors.ts';

const methods = ['products', 'direct'] as const;

function bankOf(x: FloatTensor): Dataset {
  return inMemory('bank', x, { low: -10, high: 10 });
}

/** All distances in float64, sorted by distance and then place: what the search must equal to the last bit. */
function bruteForce(q: FloatTensor, b: FloatTensor, k: number, exclude?: (m: number, j: number) => boolean): unknown {
  const D = q.data.length / (q.shape[0] as number);
  const indices: number[] = [];
  const distances: number[] = [];
  for (let m = 0; m < (q.shape[0] as number); m++) {
    const all = Array.from({ length: b.shape[0] as number }, (_, j) => {
      let sum = 0;
      for (let d = 0; d < D; d++) sum += ((q.data[m * D + d] as number) - (b.data[j * D + d] as number)) ** 2;
      return { j, distance: Math.sqrt(sum) };
    }).filter(({ j }) => exclude?.(m, j) !== true);
    all.sort((x, y) => x.distance - y.distance || x.j - y.j);
    for (const { j, distance } of all.slice(0, k)) {
      indices.push(j);
      distances.push(distance);
    }
  }
  return { indices, distances };
}

async function search(q: FloatTensor, b: FloatTensor, options: NeighborOptions): Promise<unknown> {
  const { indices, distances } = await nearestNeighbors(q, bankOf(b), options);
  return { indices: [...indices], distances: [...distances.data] };
}

describe('nearestNeighbors()', () => {
  it.each(methods)('nearestNeighbors() by %s equals a search in float64 to the last bit', async (method) => {
    const bank = castFloat(normal(randomKey(1), [1500, 3, 4, 4]), 'float32');
    const queries = normal(randomKey(2), [37, 3, 4, 4]);
    expect(await search(queries, bank, { k: 7, method })).toEqual(bruteForce(queries, bank, 7));
  });

  it.each(methods)(
    'nearestNeighbors() by %s gives equals by ascending place and copies the distance 0',
    async (method) => {
      // Every sample of the bank stands there 16 times, spread over groups and chunks.
      const few = castFloat(normal(randomKey(3), [100, 5]), 'float32');
      const bank = tensor(
        'float32',
        [1600, 5],
        Float32Array.from({ length: 8000 }, (_, i) => few.data[i % 500] as number),
      );
      const got = await nearestNeighbors(few, bankOf(bank), { k: 3, method });
      expect([...got.indices]).toEqual(Array.from({ length: 300 }, (_, i) => Math.floor(i / 3) + 100 * (i % 3)));
      expect(got.distances.data.every((d) => d === 0)).toBe(true);
    },
  );

  it('nearestNeighbors() tells apart neighbours that float32 products confuse', async () => {
    // About an offset of 1000 the samples differ by one or two units in the last place of float32: products of such numbers, and even
    // of their squares' sum, round by thousands of times these differences.
    const [N, D] = [800, 64];
    const steps = uniform(randomKey(4), [N, D]);
    const x = tensor(
      'float32',
      [N, D],
      Float32Array.from(steps.data, (u) => 1000 + Math.floor(3 * u) * 2 ** -14),
    );
    const queries = tensor('float32', [20, D], x.data.slice(0, 20 * D));
    const rough = Array.from({ length: N }, (_, j) => {
      let [qb, bb] = [0, 0];
      for (let d = 0; d < D; d++) {
        const b = x.data[j * D + d] as number;
        [qb, bb] = [Math.fround(qb + Math.fround((x.data[d] as number) * b)), Math.fround(bb + Math.fround(b * b))];
      }
      return Math.fround(bb - 2 * qb);
    });
    expect(rough.filter((score) => score <= (rough[0] as number)).length).toBeGreaterThan(10); // sample 0 itself is no longer the nearest
    expect(await search(queries, x, { k: 5, method: 'products' })).toEqual(bruteForce(queries, x, 5));
  });

  it('nearestNeighbors() resolves near ties far below the rounding of the product', async () => {
    // All of the bank lies on a sphere about the query, up to 1e-7 of its radius.
    const [N, D] = [700, 96];
    const x = castFloat(normal(randomKey(5), [N, D]), 'float32');
    for (let i = 0; i < N; i++) {
      const norm = Math.hypot(...x.data.subarray(i * D, (i + 1) * D));
      for (let d = 0; d < D; d++) x.data[i * D + d] = (x.data[i * D + d] as number) / norm;
    }
    const query = tensor('float64', [1, D], new Float64Array(D));
    const got = bruteForce(query, x, 700) as { indices: number[]; distances: number[] };
    expect((got.distances[699] as number) - (got.distances[0] as number)).toBeLessThan(1e-6);
    expect(await search(query, x, { k: 10, method: 'products' })).toEqual(bruteForce(query, x, 10));
  });

  it('nearestNeighbors() holds where samples lie 1e30 apart, and where queries and bank differ by as much', async () => {
    const x = castFloat(normal(randomKey(6), [300, 8]), 'float32');
    for (let i = 0; i < 300; i++) {
      for (let d = 0; d < 8; d++) x.data[i * 8 + d] = (x.data[i * 8 + d] as number) * 10 ** ((i % 7) * 10 - 30);
    }
    const queries = tensor(
      'float32',
      [70, 8],
      x.data.slice(0, 560).map((v) => v * 1.5),
    );
    expect(await search(queries, x, { k: 4, method: 'products' })).toEqual(bruteForce(queries, x, 4));
    const small = tensor('float32', [7, 8], new Float32Array(56).fill(1e-30));
    expect(await search(small, x, { k: 4, method: 'products' })).toEqual(bruteForce(small, x, 4));
  });

  it.each(methods)(
    'nearestNeighbors() by %s leaves out excluded pairs, and says where too few are left',
    async (method) => {
      const x = castFloat(normal(randomKey(7), [400, 6]), 'float32');
      expect(await search(x, x, { k: 2, exclude: 'self', method })).toEqual(bruteForce(x, x, 2, (m, j) => m === j));
      const even = (m: number, j: number): boolean => (m + j) % 2 === 0;
      expect(await search(x, x, { k: 3, exclude: even, method })).toEqual(bruteForce(x, x, 3, even));
      const got = await nearestNeighbors(x, bankOf(x), { k: 2, exclude: (_, j) => j !== 5, method });
      expect([...got.indices.slice(0, 2)]).toEqual([5, -1]);
      expect(got.distances.data[1]).toBe(Infinity);
    },
  );

  it.each(methods)('nearestNeighbors() by %s measures angles, with zeros at distance 1', async (method) => {
    const x = castFloat(normal(randomKey(8), [500, 9]), 'float32');
    x.data.fill(0, 9 * 3, 9 * 4);
    const queries = tensor('float32', [3, 9], new Float32Array(27));
    queries.data.set(x.data.subarray(0, 9).map((v) => 4 * v)); // a copy but for its length
    queries.data.set(
      x.data.subarray(9, 18).map((v) => -v),
      9,
    );
    const got = await nearestNeighbors(queries, bankOf(x), { k: 500, metric: 'cosine', method });
    expect([got.indices[0], got.distances.data[0]]).toEqual([0, 0]);
    expect([got.indices[999], got.distances.data[999]]).toEqual([1, 2]);
    expect([...got.indices.slice(1000)]).toEqual(Array.from({ length: 500 }, (_, j) => j));
    expect(got.distances.data.slice(1000).every((d) => d === 1)).toBe(true);
    const dot = (m: number, j: number): number => {
      const [q, b] = [queries.data.subarray(9 * m, 9 * m + 9), x.data.subarray(9 * j, 9 * j + 9)];
      return 1 - q.reduce((sum, v, d) => sum + v * (b[d] as number), 0) / (Math.hypot(...q) * Math.hypot(...b) || 1);
    };
    // Nine terms in float64, relative to 1.
    got.indices.slice(0, 1000).forEach((j, i) => {
      expect(Math.abs((got.distances.data[i] as number) - dot(Math.floor(i / 500), j))).toBeLessThan(
        16 * Number.EPSILON,
      );
    });
  });

  it('nearestNeighbors() takes a bank as a stream and reports progress', async () => {
    const x = castFloat(normal(randomKey(9), [3000, 4]), 'float32');
    const whole = bankOf(x);
    let largest = 0;
    const bank: Dataset = {
      ...whole,
      read: (indices) => {
        largest = Math.max(largest, indices.length);
        return whole.read(indices);
      },
    };
    const seen: number[] = [];
    await nearestNeighbors(x, bank, { method: 'products', onProgress: (done) => seen.push(done) });
    expect(largest).toBeLessThanOrEqual(64);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toBe(3000);
  });

  it.each(methods)('nearestNeighbors() by %s refuses broken input and stops when told', async (method) => {
    const x = castFloat(normal(randomKey(10), [50, 3]), 'float32');
    const bank = bankOf(x);
    const broken = tensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, NaN, 6));
    const infinite = tensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, -Infinity, 6));
    await expect(nearestNeighbors(x, bank, { k: 51, method })).rejects.toThrow(DomainError);
    await expect(nearestNeighbors(x, bank, { k: 0, method })).rejects.toThrow(DomainError);
    await expect(nearestNeighbors(broken, bank, { method })).rejects.toThrow(NumericalError);
    for (const metric of ['euclidean', 'cosine'] as const) {
      for (const bad of [broken, infinite]) {
        const work = nearestNeighbors(x, bankOf(bad), { metric, method });
        await expect(work).rejects.toThrow(DatasetError);
        await expect(work).rejects.toThrow(/sample 1/);
      }
    }
    await expect(nearestNeighbors(tensor('float32', [1, 2], new Float32Array(2)), bank)).rejects.toThrow(ShapeError);
    await expect(nearestNeighbors(x, bank, { method, signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
    const stop = new AbortController();
    const stopped = nearestNeighbors(castFloat(normal(randomKey(11), [2 ** 17, 3]), 'float32'), bankOf(castFloat(normal(randomKey(12), [600, 3]), 'float32')), { method, signal: stop.signal, onProgress: () => stop.abort() }); // prettier-ignore
    await expect(stopped).rejects.toThrow(CancelledError);
  });
});
