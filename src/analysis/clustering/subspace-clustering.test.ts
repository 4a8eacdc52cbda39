import { describe, expect, it } from 'vitest';

import { subspaceDistance } from '../../linalg/angles.ts';
import { permutation, randomKey } from '../../tensor/random.ts';
import { row, slice, tensor } from '../../tensor/tensor.ts';
import { fitSubspaces } from './fit-subspaces.ts';
import { matchedAccuracy } from './metrics.ts';
import { clusterBySubspaces, clusterMethods } from './subspace-clustering.ts';
import { unionOfSubspaces } from './union-of-subspaces.ts';
import { unitRows } from './unit-rows.ts';

const settings = { clusters: 3, rank: 4, sparsity: 8, restarts: 10, seed: 0 } as const;
// Of fewer dimensions, matching pursuit chooses so few neighbours that a noise-free subspace falls apart.
const sizes = { K: 3, d: 4, n: 20, perCluster: 30 } as const;

describe('clusterBySubspaces()', () => {
  it.each(clusterMethods)(
    'clusterBySubspaces() by %s recovers independent subspaces and their bases',
    async (method) => {
      const { points, labels, bases } = unionOfSubspaces(sizes, 7);
      const found = await clusterBySubspaces(points, { ...settings, method });
      const { accuracy, classOf } = matchedAccuracy(found.labels, labels);
      expect(accuracy).toBe(1);
      expect(found.subspaces.cost).toBeLessThan(1e-14);
      for (const [cluster, k] of classOf) {
        const basis = row(found.subspaces.bases, cluster);
        // Exact labels leave rounding only: the angle of an SVD, a few n eps.
        expect(subspaceDistance(basis, bases[k] as typeof basis)).toBeLessThan(1e-7);
      }
    },
  );

  it.each(clusterMethods)('clusterBySubspaces() by %s finds the same partition of permuted samples', async (method) => {
    const { points } = unionOfSubspaces(sizes, 8);
    const order = permutation(randomKey(1), 90);
    const moved = tensor('float64', [90, 20], new Float64Array(90 * 20));
    order.forEach((from, to) => moved.data.set(slice(points, from, from + 1).data, to * 20));
    const [a, b] = [
      await clusterBySubspaces(points, { ...settings, method }),
      await clusterBySubspaces(moved, { ...settings, method }),
    ];
    expect(
      matchedAccuracy(
        b.labels,
        order.map((from) => a.labels[from] as number),
      ).accuracy,
    ).toBe(1);
  });

  it('clusterBySubspaces() refuses NaN and more clusters than samples, by every method', async () => {
    const points = tensor(
      'float64',
      [3, 4],
      Float64Array.from({ length: 12 }, (_, i) => i + 1),
    );
    const bad = tensor('float64', [3, 4], points.data.with(5, Infinity));
    for (const method of clusterMethods) {
      const few = { ...settings, method, sparsity: 2 };
      await expect(clusterBySubspaces(points, { ...few, clusters: 4 })).rejects.toMatchObject({ code: 'E_DOMAIN' });
      await expect(clusterBySubspaces(bad, few)).rejects.toMatchObject({ code: 'E_NUMERICAL' });
    }
  });
});

describe('fitSubspaces()', () => {
  it('fitSubspaces() measures by hand: (3, 4) about the first axis and (0, 2) about itself', () => {
    const points = tensor('float64', [3, 2], Float64Array.of(5, 0, 0, 0.5, 0, 2));
    const { ranks, sizes: members, captured, cost, bases } = fitSubspaces(points, [0, 0, 1], 3, 1);
    expect([[...ranks], [...members]]).toEqual([
      [1, 1, 0],
      [2, 1, 0],
    ]);
    expect(captured[0]).toBeCloseTo(25 / 25.25, 14);
    expect([captured[1], captured[2]]).toEqual([1, 1]);
    expect(cost).toBeCloseTo(0.25 / 3, 14);
    [1, 0, 0, 1, 0, 0].forEach((v, at) => expect(Math.abs(bases.data[at] as number)).toBeCloseTo(v, 15));
  });

  it('fitSubspaces() leaves rows zero beyond what the members span, and refuses a rank above the dimension', () => {
    const points = tensor('float64', [3, 3], Float64Array.of(1, 2, 2, 2, 4, 4, -1, -2, -2));
    const { bases, ranks } = fitSubspaces(points, [0, 0, 0], 1, 2);
    expect([...ranks]).toEqual([1]);
    expect([...bases.data.subarray(3)]).toEqual([0, 0, 0]);
    expect(() => fitSubspaces(points, [0, 0, 0], 1, 4)).toThrow(/rank from 1 to the dimension 3, got 4/);
    expect(() => fitSubspaces(points, [0, 0, 1], 1, 1)).toThrow(/labels below 1, got 1/);
  });
});

describe('unitRows()', () => {
  it('unitRows() scales the largest and the smallest doubles safely and leaves zero alone', () => {
    const points = tensor('float64', [3, 2], Float64Array.of(1.5e308, 1e308, 3e-308, 4e-308, 0, 0));
    const unit = unitRows('test', points).data;
    expect(Math.hypot(unit[0] as number, unit[1] as number)).toBeCloseTo(1, 15);
    expect(unit[2]).toBeCloseTo(0.6, 14);
    expect(unit[3]).toBeCloseTo(0.8, 14);
    expect([unit[4], unit[5]]).toEqual([0, 0]);
  });
});
