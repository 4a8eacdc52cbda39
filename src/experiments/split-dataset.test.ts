import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeNpz } from '../data/npz.ts';
import { tensor } from '../tensor/tensor.ts';
import { splitDataset } from './split-dataset.ts';

let folder = '';
let points = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'split-'));
  points = join(folder, 'points.npz');
  const x = tensor(
    'float64',
    [100, 1],
    Float64Array.from({ length: 100 }, (_, i) => i),
  );
  await writeFile(points, writeNpz(new Map([['x', x]])));
});

afterAll(() => rm(folder, { recursive: true }));

async function values(name: string): Promise<{ train: Set<number>; heldout: Set<number> }> {
  const { train, heldout } = await splitDataset(name);
  const all = async (part: typeof train): Promise<Set<number>> =>
    new Set((await part.read(Array.from({ length: part.count }, (_, i) => i))).data);
  return { train: await all(train), heldout: await all(heldout) };
}

describe('splitDataset()', () => {
  it.each(['', ':10', ':90', ':95', ':40-60'])(
    'splitDataset(DATA%s) shares nothing between its two parts',
    async (part) => {
      const { train, heldout } = await values(points + part);
      expect(train.size).toBe({ '': 90, ':10': 10, ':90': 90, ':95': 95, ':40-60': 20 }[part]);
      expect([...train].filter((value) => heldout.has(value))).toEqual([]);
      expect(heldout.size).toBe(part === ':95' ? 5 : 10);
    },
  );

  it('splitDataset() holds the same samples out from the whole and from its parts', async () => {
    const [whole, part] = [await values(points), await values(`${points}:40-60`)];
    expect(part.heldout).toEqual(whole.heldout);
    expect([...part.train].filter((value) => !whole.train.has(value))).toEqual([]);
  });

  it('splitDataset() refuses a part that leaves nothing, and keeps the shipped split', async () => {
    await expect(splitDataset(`${points}:100`)).rejects.toThrow(/leaves samples to hold out/);
    const { train, heldout } = await splitDataset('fashion-train:100');
    expect([train.count, heldout.name]).toEqual([100, 'fashion-heldout']);
  });
});
