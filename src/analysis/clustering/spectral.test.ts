import { describe, expect, it } from 'vitest';

import { tensor } from '../../tensor/tensor.ts';
import { countComponents, degrees, symmetricAffinity } from './affinity.ts';
import { kMeans } from './k-means.ts';
import { matchedAccuracy } from './metrics.ts';
import { sparseRows } from './sparse-rows.ts';
import type { SparseRows } from './sparse-rows.ts';
import { spectralClustering } from './spectral.ts';

/** Rings of `size` samples, each linked to the next with weight 1; rings linked in a chain by `bridge`. */
function rings(count: number, size: number, bridge = 0): SparseRows {
  const rows = Array.from({ length: count * size }, (_, i) => {
    const ring = Math.floor(i / size);
    const links = [{ to: ring * size + ((i + 1) % size), weight: 1 }];
    if (bridge > 0 && i % size === 0 && ring + 1 < count) links.push({ to: i + size, weight: bridge });
    return { columns: links.map((l) => l.to), values: links.map((l) => l.weight) };
  });
  return symmetricAffinity(sparseRows(rows));
}

describe('symmetricAffinity()', () => {
  it('symmetricAffinity() is |C| + |C|^T without the diagonal', () => {
    const c = sparseRows([
      { columns: [2, 0], values: [-2, 9] },
      { columns: [], values: [] },
      { columns: [0, 1], values: [3, 0.5] },
    ]);
    const w = symmetricAffinity(c);
    expect([[...w.starts], [...w.columns], [...w.values]]).toEqual([
      [0, 1, 2, 4],
      [2, 2, 0, 1],
      [5, 0.5, 5, 0.5],
    ]);
    expect([...degrees(w)]).toEqual([5, 0.5, 5.5]);
    expect(countComponents(w)).toBe(1);
  });

  it('countComponents() counts rings, and samples without an edge each for itself', () => {
    expect(countComponents(rings(3, 4))).toBe(3);
    expect(
      countComponents(
        sparseRows([
          { columns: [], values: [] },
          { columns: [], values: [] },
        ]),
      ),
    ).toBe(2);
  });
});

describe('spectralClustering()', () => {
  it.each([
    ['dense', 10],
    ['sparse', 110],
  ])('spectralClustering() cuts four rings apart exactly, %s', async (_, size) => {
    const found = await spectralClustering(rings(4, size), { clusters: 4, seed: 1 });
    expect(found.labels).toEqual(Int32Array.from({ length: 4 * size }, (__, i) => Math.floor(i / size)));
    expect(found).toMatchObject({ components: 4, isolated: 0, status: 'converged' });
    for (const mu of found.eigenvalues) expect(mu).toBeCloseTo(1, 6);
  });

  it('spectralClustering() finds the eigenvalues cos(2 pi k / n) of a ring, densely and by the operator', async () => {
    for (const [size, digits] of [
      [60, 13],
      [420, 6], // eigenvalues are right to the square of the residual
    ] as const) {
      const { eigenvalues, residual } = await spectralClustering(rings(1, size), { clusters: 5, restarts: 1 });
      [0, 1, 1, 2, 2].forEach((k, at) => {
        expect(eigenvalues[at]).toBeCloseTo(Math.cos((2 * Math.PI * k) / size), digits);
      });
      expect(residual).toBeLessThan(1e-3);
    }
  });

  it('spectralClustering() finds 1 and -1 / (n - 1) of the complete graph, where all but one are negative', async () => {
    const n = 410;
    const all = Array.from({ length: n }, (_, j) => j);
    const w = symmetricAffinity(
      sparseRows(all.map((i) => ({ columns: all.slice(i + 1), values: all.slice(i + 1).map(() => 1) }))),
    );
    const { eigenvalues } = await spectralClustering(w, { clusters: 2, restarts: 1 });
    expect(eigenvalues[0]).toBeCloseTo(1, 6);
    expect(eigenvalues[1]).toBeCloseTo(-1 / (n - 1), 6);
  });

  it('spectralClustering() cuts weak bridges, and does not depend on the scale of the affinity', async () => {
    const w = rings(3, 12, 0.01);
    const scaled = { ...w, values: w.values.map((v) => v * 1e-5) };
    for (const affinity of [w, scaled]) {
      const { labels, components } = await spectralClustering(affinity, { clusters: 3 });
      expect(labels).toEqual(Int32Array.from({ length: 36 }, (_, i) => Math.floor(i / 12)));
      expect(components).toBe(1);
    }
  });

  it('spectralClustering() counts samples without an edge and leaves the others right', async () => {
    const alone = sparseRows([
      { columns: [1], values: [1] },
      { columns: [2], values: [1] },
      { columns: [0], values: [1] },
      { columns: [4], values: [1] },
      { columns: [], values: [] },
      { columns: [], values: [] },
    ]);
    const { labels, isolated, components } = await spectralClustering(symmetricAffinity(alone), { clusters: 2 });
    expect({ isolated, components }).toEqual({ isolated: 1, components: 3 });
    expect(matchedAccuracy(labels.subarray(0, 5), [0, 0, 0, 1, 1]).accuracy).toBe(1);
  });

  it('spectralClustering() refuses more clusters than samples and stops on abort', async () => {
    await expect(spectralClustering(rings(1, 3), { clusters: 4 })).rejects.toThrow(/from 1 to the 3 samples, got 4/);
    const signal = AbortSignal.abort();
    await expect(spectralClustering(rings(1, 3), { clusters: 2, signal })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});

describe('kMeans()', () => {
  it('kMeans() finds three tight groups with their means and the least cost', async () => {
    const points = tensor('float64', [6, 1], Float64Array.of(0, 2, 100, 102, -100, -104));
    const { labels, centers, cost, status } = await kMeans(points, { clusters: 3, seed: 3 });
    expect(matchedAccuracy(labels, [0, 0, 1, 1, 2, 2]).accuracy).toBe(1);
    expect([...centers.data].sort((a, b) => a - b)).toEqual([-102, 1, 101]);
    expect(cost).toBeCloseTo(2 + 2 + 8, 9);
    expect(status).toBe('converged');
  });

  it('kMeans() never costs more with more starts, and gives the same for the same seed', async () => {
    const points = tensor(
      'float64',
      [40, 2],
      Float64Array.from({ length: 80 }, (_, i) => Math.sin(i * i)),
    );
    const one = await kMeans(points, { clusters: 7, restarts: 1, seed: 5 });
    const ten = await kMeans(points, { clusters: 7, restarts: 10, seed: 5 });
    expect(ten.cost).toBeLessThanOrEqual(one.cost);
    expect((await kMeans(points, { clusters: 7, restarts: 10, seed: 5 })).labels).toEqual(ten.labels);
  });

  it('kMeans() with as many clusters as points costs nothing, and takes equal points', async () => {
    const points = tensor('float64', [4, 2], Float64Array.of(0, 0, 1, 0, 0, 1, 1, 1));
    expect((await kMeans(points, { clusters: 4 })).cost).toBeLessThan(1e-15);
    const same = tensor('float64', [3, 1], Float64Array.of(2, 2, 2));
    expect((await kMeans(same, { clusters: 2 })).cost).toBe(0);
    await expect(kMeans(points, { clusters: 5 })).rejects.toMatchObject({ code: 'E_DOMAIN' });
    await expect(kMeans(points, { clusters: 2, restarts: 0 })).rejects.toMatchObject({ code: 'E_DOMAIN' });
  });
});
