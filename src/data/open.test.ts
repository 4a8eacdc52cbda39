import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode as encodePng } from 'fast-png';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { DatasetError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { assetPath } from './files.ts';
import { nearest } from './nearest.ts';
import { writeNpy } from './npy.ts';
import { writeNpz } from './npz.ts';
import { openDataset } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'eigenlens-open-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

const x = tensor('float64', [2, 3], Float64Array.of(1, 2, 3, 4, 5, 6));
const y = tensor('float64', [2], Float64Array.of(1, 0));

describe('openDataset() by name', () => {
  it("openDataset('fashion') has 1,000 images of each of ten classes", async () => {
    const fashion = await openDataset('fashion');
    expect(fashion).toMatchObject({ count: 10_000, sampleShape: [1, 28, 28], range: { low: -1, high: 1 } });
    const counts = new Array<number>(10).fill(0);
    for (const label of fashion.labels ?? []) counts[label] = (counts[label] as number) + 1;
    expect(counts).toEqual(new Array<number>(10).fill(1000));
    expect(fashion.classNames?.[9]).toBe('ankle boot');
  });

  it("openDataset('fashion-train') is the first 9,000 and 'fashion-heldout' the last 1,000, nothing shared", async () => {
    const [all, train, heldOut] = await Promise.all(
      ['fashion', 'fashion-train', 'fashion-heldout'].map((n) => openDataset(n)),
    );
    expect([train?.count, heldOut?.count]).toEqual([9000, 1000]);
    expect((await train?.read([0, 8999]))?.data).toEqual((await all?.read([0, 8999]))?.data);
    expect((await heldOut?.read([0, 999]))?.data).toEqual((await all?.read([9000, 9999]))?.data);
  });

  it("openDataset('fashion60k') reads the folder of EIGENLENS_FASHION_MNIST", async () => {
    const asset = (name: string): Uint8Array => readFileSync(assetPath(`fashion-mnist/t10k-${name}-ubyte.gz`));
    put('full/train-images-idx3-ubyte.gz', asset('images-idx3'));
    put('full/train-labels-idx1-ubyte.gz', asset('labels-idx1'));
    vi.stubEnv('EIGENLENS_FASHION_MNIST', join(folder, 'full'));
    expect(await openDataset('fashion60k')).toMatchObject({ name: 'fashion60k', count: 10_000 });
  });

  it("openDataset('fashion60k') says how to get it where it is not", async () => {
    vi.stubEnv('EIGENLENS_FASHION_MNIST', folder);
    await expect(openDataset('fashion60k')).rejects.toThrow(
      /Install Debian's package dataset-fashion-mnist or set EIGENLENS_FASHION_MNIST/,
    );
  });

  it.each([
    ['fasion', "data set 'fasion': expected a known name or a path, got neither. Did you mean 'fashion'?"],
    ['fashion-heldot', "Did you mean 'fashion-heldout'?"],
    [
      'zzz',
      'Use fashion, fashion-train, fashion-heldout, fashion60k, faces, faces-train, faces-heldout, yale-b, yale-b-48x42 or a path.',
    ],
    ['constructor', 'expected a known name or a path'],
  ])('openDataset(%j) is refused with a suggestion', async (spec, message) => {
    await expect(openDataset(spec)).rejects.toThrow(DatasetError);
    await expect(openDataset(spec)).rejects.toThrow(message);
  });
});

describe('openDataset() by path', () => {
  it('openDataset() opens IDX files with the labels beside them', async () => {
    const idx = await openDataset(assetPath('fashion-mnist/t10k-images-idx3-ubyte.gz'));
    expect(idx).toMatchObject({ name: 't10k-images-idx3-ubyte', count: 10_000 });
    expect(idx.labels?.length).toBe(10_000);
    const lone = await openDataset(put('lone.idx', Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 255)));
    expect([...(await lone.read([0])).data]).toEqual([1]);
    expect(lone.labels).toBeUndefined();
  });

  it('openDataset() opens NPY and NPZ, with labels y, by a common name or a stated key', async () => {
    expect(await openDataset(put('points.npy', writeNpy(x)))).toMatchObject({ name: 'points', sampleShape: [3] });
    const path = put(
      'both.npz',
      writeNpz(
        new Map<string, Tensor>([
          ['y', y],
          ['data', x],
          ['other', tensor('uint8', [2, 1], Uint8Array.of(0, 9))],
        ]),
      ),
    );
    const both = await openDataset(path);
    expect([...(both.labels ?? [])]).toEqual([1, 0]);
    expect(both.sampleShape).toEqual([3]);
    expect((await openDataset(path, { key: 'other' })).sampleShape).toEqual([1]);
    await expect(openDataset(path, { key: 'none' })).rejects.toThrow(
      'expected an array named none, got y, data, other.',
    );
    const odd = put(
      'odd.npz',
      writeNpz(
        new Map([
          ['p', x],
          ['q', x],
        ]),
      ),
    );
    await expect(openDataset(odd)).rejects.toThrow(
      'expected one array, or one named x, images, data or arr_0, got p, q.',
    );
  });

  it('openDataset() opens folders of images, subfolders as classes, hidden files left out', async () => {
    const image = encodePng({ width: 1, height: 1, channels: 1, data: Uint8Array.of(255) });
    put('pics/a/1.png', image);
    put('pics/b/1.png', image);
    put('pics/.thumbs/1.png', image);
    const dataset = await openDataset(join(folder, 'pics'));
    expect(dataset).toMatchObject({ name: 'pics', count: 2, sampleShape: [1, 1, 1], classNames: ['a', 'b'] });
    await expect(openDataset(join(folder, 'pics'), { resize: { width: 3, height: 2 } })).resolves.toMatchObject({
      sampleShape: [1, 2, 3],
    });
  });

  it('openDataset() of a missing file names the nearest one', async () => {
    const path = put('near/points.npy', writeNpy(x));
    await expect(openDataset(join(folder, 'near/pionts.npy'))).rejects.toThrow(`Did you mean '${path}'?`);
    await expect(openDataset(join(folder, 'nowhere/points.npy'))).rejects.toThrow(
      'got nothing at this path. Check the path.',
    );
    await expect(openDataset(join(path, 'x.npy'))).rejects.toThrow('got nothing at this path.');
  });

  it('openDataset() refuses unknown kinds, cut files and empty folders in one line', async () => {
    await expect(openDataset(put('a.csv', Uint8Array.of(1)))).rejects.toThrow(
      'expected .npy, .npz, .idx, idx3-ubyte, .gz',
    );
    await expect(openDataset(put('cut.npy', writeNpy(x).slice(0, -1)))).rejects.toThrow(
      /cut\.npy: expected 48 bytes of data/,
    );
    const gz = readFileSync(assetPath('fashion-mnist/t10k-labels-idx1-ubyte.gz')).subarray(0, 999);
    await expect(openDataset(put('cut.gz', gz))).rejects.toThrow(/cut\.gz: expected a whole gzip file/);
    mkdirSync(join(folder, 'empty'));
    await expect(openDataset(join(folder, 'empty'))).rejects.toThrow(
      'empty: expected PNG or JPEG images in this folder',
    );
  });

  it.skipIf(process.getuid?.() === 0)(
    'openDataset() says that a file may not be read (skipped for root, who may)',
    async () => {
      const path = put('secret.npy', writeNpy(x));
      chmodSync(path, 0);
      await expect(openDataset(path)).rejects.toThrow('expected a readable file, got no permission.');
    },
  );
});

describe('nearest()', () => {
  it('nearest() finds the closest candidate, and none where nothing is close', () => {
    expect(nearest('gausian', ['empirical', 'gaussian', 'molrg'])).toBe('gaussian');
    expect(nearest('FASHION', ['fashion'])).toBe('fashion');
    expect(nearest('x', ['empirical'])).toBeUndefined();
    expect(nearest('word', [])).toBeUndefined();
  });
});
