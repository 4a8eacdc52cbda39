import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import { idxDataset, parseIdx, readIdx } from './idx.ts';

function idx(shape: number[], data: ArrayLike<number>, type = 0x08): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint8(2, type);
  header.setUint8(3, shape.length);
  shape.forEach((d, i) => header.setUint32(4 + 4 * i, d));
  return Uint8Array.from([...new Uint8Array(header.buffer), ...Array.from(data)]);
}

const images = idx([2, 2, 3], [0, 51, 102, 153, 204, 255, 6, 7, 8, 9, 10, 11]);

describe('parseIdx()', () => {
  it('parseIdx() reads shape and bytes without copying', () => {
    const x = parseIdx('a', images);
    expect(x.shape).toEqual([2, 2, 3]);
    expect([...x.data]).toEqual([0, 51, 102, 153, 204, 255, 6, 7, 8, 9, 10, 11]);
    expect(x.data.buffer).toBe(images.buffer);
  });

  it('parseIdx() reads at an offset of a larger buffer', () => {
    const shifted = new Uint8Array(images.length + 5);
    shifted.set(images, 5);
    expect(parseIdx('a', shifted.subarray(5))).toEqual(parseIdx('a', images));
  });

  it.each([
    ['an empty file', new Uint8Array(), 'a: expected an IDX file (magic 00 00 08), got something else'],
    ['a wrong magic', Uint8Array.of(0x89, 0x50, 8, 3), 'a: expected an IDX file (magic 00 00 08), got something else'],
    [
      'float elements',
      idx([1], [0, 0, 0, 0], 0x0d),
      'a: expected IDX elements of type 0x08 (unsigned byte), got type 0xd.',
    ],
    ['a cut header', images.slice(0, 9), 'a: expected an IDX header of 16 bytes, got 9.'],
    ['no axes', idx([], [1]), 'a: expected an IDX header of 4 bytes'],
    ['cut data', images.slice(0, -1), 'a: expected 12 bytes of data for shape [2, 2, 3], got 11.'],
    ['more data', idx([2], [1, 2, 3]), 'a: expected 2 bytes of data for shape [2], got 3.'],
    ['a huge claim', idx([0xffffffff, 0xffffffff, 0xffffffff], [1]), 'a: expected 7.9'],
  ])('parseIdx() refuses %s in one line', (_, bytes, message) => {
    expect(() => parseIdx('a', bytes)).toThrow(DatasetError);
    expect(() => parseIdx('a', bytes)).toThrow(message);
  });

  it('parseIdx() fails on random bytes with DatasetError only', () => {
    const start = fc.constantFrom(Uint8Array.of(), Uint8Array.of(0, 0, 8), Uint8Array.of(0, 0, 8, 1, 0, 0, 0));
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 40 }), (head, tail) => {
        try {
          parseIdx('fuzz', Uint8Array.from([...head, ...tail]));
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe('readIdx()', () => {
  it('readIdx() reads gzipped and plain files alike', async () => {
    expect(await readIdx('a', gzipSync(images))).toEqual(await readIdx('a', images));
  });

  it('readIdx() refuses a gzip file cut anywhere, and one with a flipped bit', async () => {
    const whole = new Uint8Array(gzipSync(images));
    for (const length of [2, 10, 15, whole.length - 9, whole.length - 8, whole.length - 4, whole.length - 1]) {
      await expect(readIdx('a', whole.slice(0, length)), `${length} bytes`).rejects.toThrow(
        'a: expected a whole gzip file, got one that is truncated or corrupt. Fetch it again.',
      );
    }
    const crc = whole.slice();
    crc[whole.length - 8] = ~(crc[whole.length - 8] as number);
    await expect(readIdx('a', crc)).rejects.toThrow(DatasetError);
  });
});

describe('idxDataset()', () => {
  it('idxDataset() gives samples [1, H, W] in [-1, 1] with labels', async () => {
    const dataset = idxDataset('d', parseIdx('a', images), { labels: tensor('uint8', [2], Uint8Array.of(9, 3)) });
    expect(dataset).toMatchObject({ count: 2, sampleShape: [1, 2, 3], range: { low: -1, high: 1 } });
    expect([...(dataset.labels ?? [])]).toEqual([9, 3]);
    expect([...(await dataset.read([0])).data]).toEqual([-1, -0.6, -0.2, 0.2, 0.6, 1].map(Math.fround));
  });

  it('idxDataset() refuses labels given as images, and labels of another number', () => {
    expect(() => idxDataset('d', tensor('uint8', [2], new Uint8Array(2)))).toThrow(
      'expected images of shape [N, H, W]',
    );
    expect(() => idxDataset('d', parseIdx('a', images), { labels: tensor('uint8', [3], new Uint8Array(3)) })).toThrow(
      'd: expected 2 labels, got 3.',
    );
  });
});
