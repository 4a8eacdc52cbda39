import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CancelledError, DatasetError, DomainError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import { datasetFrom, inMemory, inMemoryBytes, subset } from './dataset.ts';
import type { BatchOptions, Dataset } from './dataset.ts';

const range = { low: 0, high: 13 };
const seven = inMemory(
  'seven',
  tensor(
    'float32',
    [7, 2],
    Float32Array.from({ length: 14 }, (_, i) => i),
  ),
  range,
  {
    labels: Int32Array.of(0, 1, 2, 0, 1, 2, 0),
    classNames: ['a', 'b', 'c'],
  },
);

async function collect(dataset: Dataset, options: BatchOptions): Promise<{ indices: number[]; x: number[] }[]> {
  const all = [];
  for await (const { x, indices } of dataset.batches(options)) {
    expect(x.shape).toEqual([indices.length, ...dataset.sampleShape]);
    all.push({ indices: [...indices], x: [...x.data] });
  }
  return all;
}

describe('Dataset', () => {
  it('batches() visits every sample once in order, the last batch being smaller', async () => {
    const all = await collect(seven, { size: 3 });
    expect(all.map((b) => b.indices)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(all.flatMap((b) => b.x)).toEqual(Array.from({ length: 14 }, (_, i) => i));
  });

  it('batches() follows start and end, or indices in their order with repeats', async () => {
    expect((await collect(seven, { size: 9, start: 2, end: 4 })).map((b) => b.x)).toEqual([[4, 5, 6, 7]]);
    expect((await collect(seven, { size: 2, indices: [6, 0, 6] })).map((b) => b.x)).toEqual([
      [12, 13, 0, 1],
      [12, 13],
    ]);
    expect(await collect(seven, { size: 2, start: 3, end: 3 })).toEqual([]);
  });

  it.each<BatchOptions>([
    { size: 0 },
    { size: 1.5 },
    { size: 1, start: -1 },
    { size: 1, end: 8 },
    { size: 1, start: 5, end: 4 },
    { size: 1, indices: [7] },
    { size: 1, indices: [0.5] },
    { size: 1, indices: [0], start: 0 },
  ])('batches(%j) is refused with a DomainError', async (options) => {
    await expect(collect(seven, options)).rejects.toThrow(DomainError);
  });

  it('batches() stops at an aborted signal', async () => {
    const stop = new AbortController();
    const pass = async (): Promise<void> => {
      for await (const { indices } of seven.batches({ size: 1, signal: stop.signal }))
        if (indices[0] === 2) stop.abort();
    };
    await expect(pass()).rejects.toThrow(CancelledError);
  });

  it('read() returns the named samples and refuses an index outside', async () => {
    expect([...(await seven.read([3, 1])).data]).toEqual([6, 7, 2, 3]);
    await expect(seven.read([0, -1])).rejects.toThrow('seven: expected indices from 0 to 6, got -1 at position 1.');
  });

  it('inMemoryBytes() hands out v / 127.5 - 1, from -1 to 1', async () => {
    const bytes = inMemoryBytes('bytes', tensor('uint8', [1, 4], Uint8Array.of(0, 51, 204, 255)));
    expect([...(await bytes.read([0])).data]).toEqual([-1, -0.6, 0.6, 1].map(Math.fround));
    expect(bytes.range).toEqual({ low: -1, high: 1 });
  });

  it('subset() reads through and carries labels and class names along', async () => {
    const part = subset(subset(seven, { start: 2 }, 'tail'), { indices: [4, 0] }, 'part');
    expect([...(await part.read([0, 1])).data]).toEqual([12, 13, 4, 5]);
    expect(part).toMatchObject({ name: 'part', count: 2, classNames: ['a', 'b', 'c'], range });
    expect([...(part.labels ?? [])]).toEqual([0, 2]);
  });

  it('datasetFrom() refuses an empty source and labels of another length', () => {
    const load = (): Promise<Float32Array> => Promise.resolve(new Float32Array());
    expect(() => datasetFrom({ name: 'none', count: 0, sampleShape: [2], range, load })).toThrow(DatasetError);
    expect(() =>
      datasetFrom({ name: 'l', count: 2, sampleShape: [1], range, labels: new Int32Array(3), load }),
    ).toThrow('l: expected 2 labels, got 3. Give the labels of these samples.');
    expect(() => subset(seven, { start: 7 }, 'empty')).toThrow(DatasetError);
  });
});

describe('hash()', () => {
  it('hash() is the SHA-256 over the hashes of header, values and labels', async () => {
    const sha = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();
    const values = new Uint8Array(Float32Array.from({ length: 14 }, (_, i) => i).buffer);
    const header = '{"count":7,"sampleShape":[2],"low":0,"high":13,"labelled":true}';
    const labels = new Uint8Array((seven.labels as Int32Array).slice().buffer);
    const expected = sha(Buffer.concat([sha(header), sha(values), sha(labels)])).toString('hex');
    expect(await seven.hash()).toBe(expected);
  });

  it('hash() depends on content alone: not on name or storage, but on order, shape, range and labels', async () => {
    const x = tensor(
      'float32',
      [7, 2],
      Float32Array.from({ length: 14 }, (_, i) => i),
    );
    const labels = seven.labels as Int32Array;
    const same = [inMemory('other', { ...x, dtype: 'float64', data: Float64Array.from(x.data) }, range, { labels })];
    same.push(subset(seven, {}, 'all'));
    for (const dataset of same) expect(await dataset.hash()).toBe(await seven.hash());
    const different = [
      subset(seven, { indices: [1, 0, 2, 3, 4, 5, 6] }, 'seven'),
      inMemory('seven', x, { low: 0, high: 14 }, { labels }),
      inMemory('seven', x, range),
      inMemory('seven', tensor('float32', [7, 1, 2], x.data), range, { labels }),
    ];
    const hashes = await Promise.all([seven, ...different].map((dataset) => dataset.hash()));
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
