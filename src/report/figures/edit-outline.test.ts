import { expect, test } from 'vitest';

import { boxMask } from '../../editing/mask.ts';
import type { Mask } from '../../editing/mask.ts';
import { randomKey, uniform } from '../../tensor/random.ts';
import { outlinePath } from './edit-outline.ts';

/** Corners of each loop of a path of straight lines. */
function loopsOf(path: string): [number, number][][] {
  return path
    .split('z')
    .filter((loop) => loop !== '')
    .map((loop) => [...loop.matchAll(/[ML](\d+) (\d+)/g)].map((m) => [Number(m[1]), Number(m[2])]));
}

/** Which pixel centres a path covers by the even-odd rule: edges that a ray to the right crosses. */
function coverOf(path: string, { height, width }: Mask): Uint8Array {
  const edges = loopsOf(path).flatMap((loop) => loop.map((a, i) => [a, loop[(i + 1) % loop.length] ?? a] as const));
  return Uint8Array.from({ length: height * width }, (_, p) => {
    const [x, y] = [(p % width) + 0.5, Math.floor(p / width) + 0.5];
    return edges.filter(([a, b]) => a[0] > x && a[1] > y !== b[1] > y).length % 2;
  });
}

test('outlinePath() covers the pixels of any mask and no other', () => {
  for (let seed = 0; seed < 20; seed++) {
    const flags = uniform(randomKey(seed, 'outline'), [9 * 13]).data;
    const mask = { height: 9, width: 13, inside: Uint8Array.from(flags, (u) => (u < 0.2 + 0.03 * seed ? 1 : 0)) };
    expect(coverOf(outlinePath(mask), mask)).toEqual(mask.inside);
  }
});

test('outlinePath() has a corner only where the outline turns, and one loop more for a hole', () => {
  const box = boxMask({ height: 8, width: 10 }, { x: 2, y: 1, width: 6, height: 5 });
  const [loop = []] = loopsOf(outlinePath(box));
  expect(loop.map(String).sort()).toEqual(['2,1', '2,6', '8,1', '8,6']);
  const holed = { ...box, inside: box.inside.map((flag, p) => (p === 34 ? 0 : flag)) };
  expect(loopsOf(outlinePath(holed)).map(({ length }) => length)).toEqual([4, 4]);
  expect(outlinePath({ ...box, inside: new Uint8Array(80) })).toBe('');
});
