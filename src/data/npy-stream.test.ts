import { describe, expect, it } from 'vitest';

import { tensor } from '../tensor/tensor.ts';
import { arrayDataset } from './arrays.ts';
import { writeNpy } from './npy.ts';
import { streamedNpy } from './npy-stream.ts';

const shapes = [
  [5, 4],
  [5, 2, 3],
  [5, 2, 3, 3],
  [5, 1, 2, 3],
];

describe('streamedNpy()', () => {
  it.each(shapes)('streamedNpy() of bytes [%i, %i, ...] hands out what arrayDataset() does', async (...shape) => {
    const size = shape.reduce((a, b) => a * b);
    const x = tensor(
      'uint8',
      shape,
      Uint8Array.from({ length: size }, (_, i) => (i * 37) % 256),
    );
    const bytes = writeNpy(x);
    const reads: number[] = [];
    const streamed = await streamedNpy('d', bytes.length, (offset, length) => {
      reads.push(length);
      return Promise.resolve(bytes.subarray(offset, offset + length));
    });
    const whole = arrayDataset('d', x);
    expect(streamed).toMatchObject({ count: 5, sampleShape: whole.sampleShape, range: whole.range });
    expect(streamed?.note).toBe(whole.note);
    expect(await streamed?.read([4, 0, 1, 2, 0])).toEqual(await whole.read([4, 0, 1, 2, 0]));
    expect(reads.slice(1)).toEqual([1, 3, 1].map((samples) => (samples * size) / 5));
    expect(await streamed?.hash()).toBe(await whole.hash());
  });

  it('streamedNpy() leaves other dtypes to the reader of whole files', async () => {
    const bytes = writeNpy(tensor('float32', [2, 2], new Float32Array(4)));
    expect(
      await streamedNpy('d', bytes.length, (at, n) => Promise.resolve(bytes.subarray(at, at + n))),
    ).toBeUndefined();
  });

  it('streamedNpy() says in one line where a file is cut, at opening and later', async () => {
    const bytes = writeNpy(tensor('uint8', [4, 2], new Uint8Array(8)));
    const read = (at: number, n: number): Promise<Uint8Array> =>
      Promise.resolve(bytes.subarray(at, Math.min(at + n, bytes.length - 3)));
    await expect(streamedNpy('d', bytes.length - 3, read)).rejects.toThrow(/8 bytes of data .* got 5/);
    const cutLater = await streamedNpy('d', bytes.length, read);
    await expect(cutLater?.read([3])).rejects.toThrow('expected 1 samples from 3 on, got 0 bytes of them.');
  });
});
