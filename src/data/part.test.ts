import { describe, expect, it } from 'vitest';

import { openDataset } from './open.ts';
import { parsePart, shuffledOrder } from './part.ts';

describe('parsePart()', () => {
  it('parsePart() reads a count, a range, and nothing else', () => {
    expect(parsePart('fashion:100')).toEqual({ whole: 'fashion', start: 0, end: 100 });
    expect(parsePart('a/b.npz:20-30')).toEqual({ whole: 'a/b.npz', start: 20, end: 30 });
    for (const name of ['fashion', 'fashion:', ':3', 'C:\\images', 'a:b', 'a:1-'])
      expect(parsePart(name)).toBeUndefined();
  });
});

describe('openDataset() of a part', () => {
  it('openDataset() gives nested parts, and ranges apart share no image', async () => {
    const order = shuffledOrder(9000);
    const whole = await openDataset('fashion-train');
    const [small, large, other] = await Promise.all(
      ['fashion-train:16', 'fashion-train:64', 'fashion-train:64-128'].map((name) => openDataset(name)),
    );
    const places = Int32Array.from({ length: 64 }, (_, i) => i);
    expect(await large?.read(places)).toEqual(await whole.read(order.slice(0, 64)));
    expect(await small?.read(places.slice(0, 16))).toEqual(await large?.read(places.slice(0, 16)));
    expect(await other?.read(places)).toEqual(await whole.read(order.slice(64, 128)));
    expect(new Set(order).size).toBe(9000);
  });

  it('openDataset() refuses a part that is empty or too large in one line', async () => {
    await expect(openDataset('fashion-train:9001')).rejects.toThrow(/9000 samples, got 0 to 9001.*fashion-train:N/);
    await expect(openDataset('fashion-train:5-5')).rejects.toThrow(/got 5 to 5/);
  });
});
