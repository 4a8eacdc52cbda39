import { encode as encodePng } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { DatasetError, DomainError } from '../errors/errors.ts';
import { subset } from './dataset.ts';
import { imageFolder } from './image-folder.ts';
import type { FileHandle } from './image-folder.ts';
import { cropAndResize } from './resize.ts';

/** A PNG whose pixels count up from `first`. */
function file(path: string, width: number, height: number, channels = 1, first = 0): FileHandle {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => first + i);
  return { path, read: () => Promise.resolve(encodePng({ width, height, channels, data })) };
}

const level = (v: number): number => Math.fround((v / 255) * 2 - 1);

describe('imageFolder()', () => {
  it('imageFolder() sorts naturally, leaves other files out and gives channels first in [-1, 1]', async () => {
    const other = { path: 'notes.txt', read: () => Promise.reject(new DatasetError('notes.txt', 'was read.')) };
    const dataset = await imageFolder('d', [file('10.png', 2, 1, 3, 100), other, file('2.PNG', 2, 1, 3, 0)]);
    expect(dataset).toMatchObject({ count: 2, sampleShape: [3, 1, 2], range: { low: -1, high: 1 } });
    expect(dataset.labels).toBeUndefined();
    expect([...(await dataset.read([0])).data]).toEqual([0, 3, 1, 4, 2, 5].map(level));
    expect((await dataset.read([1])).data[0]).toBe(level(100));
  });

  it('imageFolder() takes the first folder of the path as class where every image has one', async () => {
    const files = [file('dog/b/1.png', 1, 1), file('cat/9.png', 1, 1), file('dog/2.png', 1, 1)];
    const dataset = await imageFolder('d', files);
    expect(dataset.classNames).toEqual(['cat', 'dog']);
    expect([...(dataset.labels ?? [])]).toEqual([0, 1, 1]);
    expect((await imageFolder('d', [...files, file('x.png', 1, 1)])).labels).toBeUndefined();
  });

  it('imageFolder() decodes only what is asked for', async () => {
    let reads = 0;
    const counted = [1, 2, 3].map((i) => {
      const inner = file(`${i}.png`, 1, 1);
      return { path: inner.path, read: () => ((reads += 1), inner.read()) };
    });
    const dataset = await imageFolder('d', counted);
    expect(reads).toBe(1); // the first gives the shape
    await dataset.read([2]);
    expect(reads).toBe(2);
  });

  it('imageFolder() names the file of another size, of other channels, and the corrupt one', async () => {
    const sizes = await imageFolder('d', [file('1.png', 2, 2), file('2.png', 3, 2)]);
    await expect(sizes.read([1])).rejects.toThrow('2.png: expected 2 x 2 pixels as in 1.png, got 3 x 2.');
    const channels = await imageFolder('d', [file('1.png', 2, 2), file('2.png', 2, 2, 3)]);
    await expect(channels.read([1])).rejects.toThrow('2.png: expected 1 channel(s) as in 1.png, got 3.');
    const corrupt = await imageFolder('d', [
      file('1.png', 2, 2),
      { path: '2.png', read: async () => (await file('', 2, 2).read()).slice(0, 40) },
    ]);
    await expect(corrupt.read([0, 1])).rejects.toThrow(/^2\.png: expected a whole PNG/);
  });

  it('imageFolder() told to skip keeps images of the most common size, and counts and names what it leaves out', async () => {
    const corrupt = { path: '0.png', read: async () => (await file('', 2, 2).read()).slice(0, 40) };
    const files = [
      corrupt,
      file('1.png', 3, 2),
      file('2.png', 2, 2, 1, 7),
      file('3.png', 2, 2, 3),
      file('4.png', 2, 2),
    ];
    const dataset = await imageFolder('d', files, { unusable: 'skip' });
    expect(dataset).toMatchObject({ count: 2, sampleShape: [1, 2, 2] });
    expect((await dataset.read([0])).data[0]).toBe(level(7));
    expect(dataset.leftOut?.map(({ path }) => path)).toEqual(['0.png', '1.png', '3.png']);
    expect(dataset.leftOut?.[0]?.reason).toMatch(/expected a whole PNG/);
    expect(dataset.leftOut?.[1]?.reason).toBe('is 3 x 2, grey; most are 2 x 2, grey');
    expect(dataset.note).toMatch(/^3 of 5 images are left out, such as 0.png: /);
    expect(subset(dataset, { start: 1 }, 'd').leftOut).toHaveLength(3);
    await expect(imageFolder('d', [corrupt], { unusable: 'skip' })).rejects.toThrow(
      /images that can be read, got 1 that cannot/,
    );
  });

  it('imageFolder() told to skip fails where reading fails for another reason', async () => {
    const gone = { path: '2.png', read: () => Promise.reject(new RangeError('disk')) };
    await expect(imageFolder('d', [file('1.png', 2, 2), gone], { unusable: 'skip' })).rejects.toThrow('disk');
  });

  it('imageFolder() with resize and channels takes mixed images', async () => {
    const options = { resize: { width: 2, height: 2 }, channels: 1 } as const;
    const dataset = await imageFolder(
      'd',
      [file('1.png', 4, 4), file('2.png', 3, 2, 3), file('3.png', 1, 1, 3, 10)],
      options,
    );
    const { data } = await dataset.read([0, 2]);
    const mean = (v: number[]): number => level(v.reduce((a, b) => a + b) / 4);
    const blocks = [
      [0, 1, 4, 5],
      [2, 3, 6, 7],
      [8, 9, 12, 13],
      [10, 11, 14, 15],
    ];
    expect([...data.subarray(0, 4)]).toEqual(blocks.map(mean));
    const luma = 0.299 * 10 + 0.587 * 11 + 0.114 * 12;
    for (const v of data.subarray(4)) expect(v).toBeCloseTo(level(luma), 6);
  });

  it('imageFolder() refuses a folder without images and a size that is none', async () => {
    await expect(imageFolder('d', [])).rejects.toThrow('d: expected PNG or JPEG images in this folder, got none.');
    const resize = { width: 0, height: 4 };
    await expect(imageFolder('d', [file('1.png', 1, 1)], { resize })).rejects.toThrow(DomainError);
  });
});

describe('cropAndResize()', () => {
  const ramp = (width: number, height: number): Parameters<typeof cropAndResize>[0] => ({
    width,
    height,
    channels: 1,
    max: 255,
    data: Float32Array.from({ length: width * height }, (_, i) => i % width),
  });

  it('cropAndResize() keeps the centre: a ramp keeps its middle value and its slope', () => {
    // 9 x 4 to 2 x 2: the crop is 4 x 4 at columns 2.5 to 6.5, boxes of 2 columns around 3.5 and 5.5 less the half pixel.
    expect([...cropAndResize(ramp(9, 4), 2, 2).data]).toEqual([3, 5, 3, 5]);
  });

  it('cropAndResize() keeps a constant image constant at any size', () => {
    const flat = { ...ramp(7, 5), data: new Float32Array(35).fill(100) };
    for (const [w, h] of [
      [3, 3],
      [5, 2],
      [1, 1],
      [14, 10],
      [11, 13],
    ] as const) {
      const { data } = cropAndResize(flat, w, h);
      expect(data.length).toBe(w * h);
      for (const v of data) expect(Math.abs(v - 100)).toBeLessThan(1e-4); // float32 of 100 is good to 4e-6
    }
  });
});
