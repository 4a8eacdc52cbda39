import { describe, expect, it } from 'vitest';

import { permutation, randomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { sscOmp } from './ssc-omp.ts';
import { unionOfSubspaces } from './union-of-subspaces.ts';
import { unitRows } from './unit-rows.ts';

function rowOf(x: Tensor<'float64'>, i: number): Float64Array {
  const n = x.shape[1] as number;
  return x.data.subarray(i * n, (i + 1) * n);
}

describe('sscOmp()', () => {
  it('sscOmp() on independent subspaces expresses every sample by its own subspace alone, exactly', async () => {
    const { points, labels } = unionOfSubspaces({ K: 4, d: 3, n: 12, perCluster: 20 }, 1);
    const c = await sscOmp(points, { sparsity: 5 });
    const unit = unitRows('test', points);
    for (let i = 0; i < c.size; i++) {
      const rest = rowOf(unit, i).slice();
      expect((c.starts[i + 1] as number) - (c.starts[i] as number)).toBe(3);
      for (let e = c.starts[i] as number; e < (c.starts[i + 1] as number); e++) {
        const j = c.columns[e] as number;
        expect(labels[j]).toBe(labels[i]);
        rowOf(unit, j).forEach((v, at) => (rest[at] = (rest[at] as number) - (c.values[e] as number) * v));
      }
      // The pursuit stops below 1e-6; rounding grows with the condition of three chosen samples.
      expect(Math.hypot(...rest)).toBeLessThan(1e-6);
    }
  });

  it('sscOmp() leaves a residual orthogonal to the samples it chose, and chooses greedily', async () => {
    const { points } = unionOfSubspaces({ K: 1, d: 8, n: 8, perCluster: 15 }, 2);
    const unit = unitRows('test', points);
    const c = await sscOmp(points, { sparsity: 4 });
    const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, v, j) => s + v * (b[j] as number), 0);
    for (let i = 0; i < c.size; i++) {
      const chosen = Array.from(c.columns.subarray(c.starts[i], c.starts[i + 1]));
      expect(new Set([...chosen, i]).size).toBe(5);
      const rest = rowOf(unit, i).slice();
      chosen.forEach((j, a) => {
        const value = c.values[(c.starts[i] as number) + a] as number;
        rowOf(unit, j).forEach((v, at) => (rest[at] = (rest[at] as number) - value * v));
      });
      // Normal equations of four samples: eps times a condition number of some hundreds.
      for (const j of chosen) expect(Math.abs(dot(rest, rowOf(unit, j)))).toBeLessThan(1e-12);
      const first = Array.from({ length: c.size }, (_, j) =>
        j === i ? 0 : Math.abs(dot(rowOf(unit, i), rowOf(unit, j))),
      );
      expect(chosen[0]).toBe(first.indexOf(Math.max(...first)));
    }
  });

  it('sscOmp() solves a case by hand: (3, 4) / 5 from the axes takes 4/5 of the second, then 3/5 of the first', async () => {
    const points = tensor('float64', [3, 2], Float64Array.of(6, 8, 2, 0, 0, -7));
    const c = await sscOmp(points, { sparsity: 2 });
    expect(Array.from(c.columns.subarray(0, 2))).toEqual([2, 1]);
    expect(c.values[0]).toBeCloseTo(-0.8, 14);
    expect(c.values[1]).toBeCloseTo(0.6, 14);
  });

  it('sscOmp() of permuted, rescaled and negated samples is the same up to the permutation and signs', async () => {
    const { points } = unionOfSubspaces({ K: 3, d: 2, n: 7, perCluster: 9 }, 3);
    const order = permutation(randomKey(4), 27);
    const moved = tensor('float64', [27, 7], new Float64Array(27 * 7));
    order.forEach((from, to) =>
      moved.data.set(
        rowOf(points, from).map((v) => v * (to % 2 === 0 ? -1e3 : 1e-3)),
        to * 7,
      ),
    );
    const [c, p] = [await sscOmp(points, { sparsity: 2 }), await sscOmp(moved, { sparsity: 2 })];
    order.forEach((from, to) => {
      const [a, b] = [c.starts[from] as number, p.starts[to] as number];
      for (let e = 0; e < 2; e++) {
        expect(order[p.columns[b + e] as number]).toBe(c.columns[a + e]);
        // Two well-separated samples: a few eps, times the condition of a pair at a small angle.
        expect(Math.abs(p.values[b + e] as number)).toBeCloseTo(Math.abs(c.values[a + e] as number), 10);
      }
    });
  });

  it('sscOmp() expresses no sample of length zero, and by none', async () => {
    const points = tensor('float64', [4, 2], Float64Array.of(0, 0, 1, 0, 2, 0, 0, 5));
    const c = await sscOmp(points, { sparsity: 3 });
    expect(Array.from(c.starts)).toEqual([0, 0, 1, 2, 2]);
    expect(Array.from(c.columns)).toEqual([2, 1]);
  });

  it('sscOmp() refuses a sparsity that is no whole number below N, NaN, and stops on abort', async () => {
    const points = tensor('float64', [3, 2], Float64Array.of(1, 0, 1, 1, 0, 1));
    await expect(sscOmp(points, { sparsity: 3 })).rejects.toThrow(/whole sparsity from 1 to 2 for 3 samples, got 3/);
    await expect(sscOmp(points, { sparsity: 1.5 })).rejects.toMatchObject({ code: 'E_DOMAIN' });
    await expect(sscOmp(points, { sparsity: 1, tolerance: 0 })).rejects.toMatchObject({ code: 'E_DOMAIN' });
    const bad = tensor('float64', [3, 1], Float64Array.of(1, NaN, 2));
    await expect(sscOmp(bad, { sparsity: 1 })).rejects.toMatchObject({ code: 'E_NUMERICAL' });
    await expect(sscOmp(points, { sparsity: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});
