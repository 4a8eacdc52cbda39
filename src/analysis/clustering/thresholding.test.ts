import { describe, expect, it } from 'vitest';

import { tensor } from '../../tensor/tensor.ts';
import { tsc } from './thresholding.ts';
import { unionOfSubspaces } from './union-of-subspaces.ts';

describe('tsc()', () => {
  it('tsc() weighs lines at 0, 10, 30 and 90 degrees by exp(-2 angle), whatever their direction', async () => {
    const at = (degrees: number, length: number): number[] => [
      length * Math.cos((degrees * Math.PI) / 180),
      length * Math.sin((degrees * Math.PI) / 180),
    ];
    const points = tensor('float64', [4, 2], Float64Array.of(...at(0, 1), ...at(10, -2), ...at(30, 3), ...at(90, 1)));
    const z = await tsc(points, { neighbours: 2 });
    // The line at 90 degrees is orthogonal to the first: neighbours of it are those at 30 and 10.
    expect(Array.from(z.columns)).toEqual([1, 2, 0, 2, 1, 0, 2, 1]);
    const expected = [10, 30, 10, 20, 20, 30, 60, 80].map((degrees) => Math.exp((-2 * degrees * Math.PI) / 180));
    // arccos loses digits near 1: eps / sin(10 degrees), some ten eps.
    z.values.forEach((value, e) => expect(value).toBeCloseTo(expected[e] as number, 13));
  });

  it('tsc() links no orthogonal subspaces', async () => {
    const points = tensor('float64', [6, 4], new Float64Array(24));
    [0, 0, 0, 2, 2, 2].forEach((from, i) => points.data.set([i + 1, 7 - 2 * i], i * 4 + from));
    const z = await tsc(points, { neighbours: 5 });
    for (let i = 0; i < 6; i++) {
      const own = Array.from(z.columns.subarray(z.starts[i], z.starts[i + 1]));
      expect(own.sort()).toEqual([0, 1, 2, 3, 4, 5].filter((j) => j !== i && j < 3 === i < 3));
    }
  });

  it('tsc() finds the same neighbours in several blocks as a full sort does', async () => {
    const { points } = unionOfSubspaces({ K: 3, d: 4, n: 6, perCluster: 100 }, 5);
    const z = await tsc(points, { neighbours: 7 });
    const rows = Array.from({ length: 300 }, (_, i) => points.data.subarray(i * 6, i * 6 + 6));
    const unit = rows.map((row) => row.map((v) => v / Math.hypot(...row)));
    for (const i of [0, 255, 256, 299]) {
      const strengths = unit.map((row) =>
        Math.abs(row.reduce((s, v, j) => s + v * ((unit[i] as Float64Array)[j] as number), 0)),
      );
      const order = [...strengths.keys()]
        .filter((j) => j !== i)
        .sort((a, b) => (strengths[b] as number) - (strengths[a] as number));
      expect(Array.from(z.columns.subarray(z.starts[i], z.starts[i + 1]))).toEqual(order.slice(0, 7));
    }
  });

  it('tsc() gives samples of length zero no neighbours and refuses bad options', async () => {
    const points = tensor('float64', [3, 1], Float64Array.of(0, 1, -3));
    const z = await tsc(points, { neighbours: 2 });
    expect(Array.from(z.starts)).toEqual([0, 0, 1, 2]);
    expect(Array.from(z.values)).toEqual([1, 1]);
    await expect(tsc(points, { neighbours: 3 })).rejects.toMatchObject({ code: 'E_DOMAIN' });
    await expect(tsc(points, { neighbours: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});
