import { describe, expect, it } from 'vitest';
import { CancelledError, DomainError, NumericalError, ShapeError } from '../../errors/errors.ts';
import { subspaceDistance } from '../../linalg/angles.ts';
import { matmul } from '../../linalg/matmul.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { svd } from '../../linalg/svd.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { kSubspaces } from './k-subspaces.ts';
import type { KSubspacesOptions } from './k-subspaces.ts';

const EPS = Number.EPSILON;

/** Points on K random subspaces, in turn, plus noise and an offset a cluster. */
function points(n: number, ranks: readonly number[], each: number, noise = 0, offset = 0): Tensor<'float64'> {
  const K = ranks.length;
  const x = normal(randomKey(3, 'noise'), [K * each, n]).data.map((v) => v * noise);
  ranks.forEach((d, k) => {
    const basis = orthonormalRows(normal(randomKey(3, 'basis', k), [d, n])).q;
    const mean = normal(randomKey(3, 'mean', k), [n]).data;
    const inside = matmul(normal(randomKey(3, 'inside', k), [each, d]), basis).data;
    for (let i = 0; i < each; i++) {
      for (let j = 0; j < n; j++) {
        const at = (i * K + k) * n + j;
        x[at] = (x[at] as number) + (inside[i * n + j] as number) + offset * (mean[j] as number);
      }
    }
  });
  return tensor('float64', [K * each, n], x);
}

function energyOf(x: Tensor<'float64'>): number {
  return x.data.reduce((sum, v) => sum + v * v, 0);
}

describe('kSubspaces()', () => {
  it('kSubspaces() of one cluster is the principal subspace, and its cost the rest of the spectrum', () => {
    const x = normal(randomKey(1), [30, 12]);
    const { values, v } = svd(x);
    const { bases, cost, status, restartsUsed } = kSubspaces(x, { clusters: 1, rank: 4, seed: 0 });
    expect([status, restartsUsed]).toEqual(['converged', 1]);
    expect(subspaceDistance(bases[0] as Tensor<'float64'>, slice(v, 0, 4))).toBeLessThan(100 * EPS);
    const rest = values.subarray(4).reduce((sum, s) => sum + s * s, 0);
    expect(Math.abs(cost - rest)).toBeLessThan(64 * EPS * energyOf(x));
  });

  it('kSubspaces() finds subspaces of unequal ranks without noise, with cost zero', () => {
    const x = points(20, [2, 4, 3], 15);
    const { labels, cost, bases } = kSubspaces(x, { clusters: 3, rank: [3, 2, 4], seed: 1 });
    expect(cost).toBeLessThan(64 * EPS * energyOf(x));
    // The true partition is the only one of cost zero: clusters of rank 2, 4, 3 of the data are 1, 2, 0 of the fit.
    labels.forEach((k, i) => expect(k).toBe([1, 2, 0][i % 3]));
    expect(bases.map(({ shape }) => shape)).toEqual([
      [3, 20],
      [2, 20],
      [4, 20],
    ]);
  });

  it("kSubspaces({ start: 'random' }) finds planes, and stops at the first perfect fit", () => {
    const x = points(20, [2, 2], 15);
    const { labels, restartsUsed } = kSubspaces(x, { clusters: 2, rank: 2, seed: 1, start: 'random', restarts: 50 });
    labels.forEach((k, i) => expect(k).toBe((i % 2) ^ (labels[0] as number)));
    expect(restartsUsed).toBeLessThan(50);
  });

  it('kSubspaces({ affine: true }) finds planes off the origin, their means and a cost of zero', () => {
    const x = points(10, [2, 2], 25, 0, 3);
    const { labels, means = [], cost } = kSubspaces(x, { clusters: 2, rank: 2, affine: true, seed: 2 });
    const swap = labels[0] as number;
    labels.forEach((k, i) => expect(k).toBe((i % 2) ^ swap));
    expect(cost).toBeLessThan(64 * EPS * energyOf(x));
    [0, 1].forEach((k) => {
      const own = Array.from({ length: 25 }, (_, i) => slice(x, 2 * i + k, 2 * i + k + 1).data);
      const mean = means[k ^ swap] as Float64Array;
      mean.forEach((m, j) => {
        const expected = own.reduce((sum, row) => sum + (row[j] as number), 0) / own.length;
        expect(Math.abs(m - expected)).toBeLessThan(100 * EPS);
      });
    });
  });

  it('kSubspaces() ends where every point is nearest to its own subspace, which is principal for its points', () => {
    const x = points(12, [2, 2, 2], 30, 0.3);
    const { labels, bases, cost, status } = kSubspaces(x, { clusters: 3, rank: 2, seed: 4, restarts: 3 });
    expect(status).toBe('converged');
    const inside = bases.map((u) => matmul(x, u, { transposeB: true }).data);
    const caught = (k: number, i: number): number =>
      (inside[k] as Float64Array).subarray(2 * i, 2 * i + 2).reduce((sum, c) => sum + c * c, 0);
    let total = energyOf(x);
    labels.forEach((k, i) => {
      for (let other = 0; other < 3; other++) expect(caught(k, i)).toBeGreaterThanOrEqual(caught(other, i) - 1e-12);
      total -= caught(k, i);
    });
    expect(Math.abs(total - cost)).toBeLessThan(64 * EPS * energyOf(x));
    bases.forEach((u, k) => {
      const own = [...labels.keys()].filter((i) => labels[i] === k).map((i) => slice(x, i, i + 1).data);
      const cluster = tensor('float64', [own.length, 12], Float64Array.from(own.flatMap((row) => [...row])));
      expect(subspaceDistance(u, slice(svd(cluster).v, 0, 2))).toBeLessThan(1e-12);
    });
  });

  it('kSubspaces() never costs more with more restarts, and equal seeds give equal bits', () => {
    const x = normal(randomKey(5), [40, 10]);
    const run = (restarts: number, seed = 7): ReturnType<typeof kSubspaces> =>
      kSubspaces(x, { clusters: 3, rank: 2, seed, restarts });
    const costs = [1, 4, 16].map((restarts) => run(restarts).cost);
    // Restarts are compared before they are polished: to about 1e-3 of the cost.
    expect(costs[1]).toBeLessThanOrEqual((costs[0] as number) * (1 + 1e-3));
    expect(costs[2]).toBeLessThanOrEqual((costs[1] as number) * (1 + 1e-3));
    expect(run(4)).toEqual(run(4));
    expect(run(4, 8).bases).not.toEqual(run(4).bases);
  });

  it('kSubspaces() gives orthonormal bases of full rank also with too few, equal or zero points', () => {
    const few = normal(randomKey(6), [3, 9]);
    const equal = tensor(
      'float64',
      [6, 9],
      Float64Array.from({ length: 54 }, (_, i) => (i % 9) - 2),
    );
    const zero = tensor('float64', [4, 9], new Float64Array(36));
    for (const x of [few, equal, zero]) {
      for (const affine of [false, true]) {
        const { bases, cost } = kSubspaces(x, { clusters: 2, rank: 4, seed: 1, affine });
        expect(cost).toBeLessThanOrEqual(64 * EPS * energyOf(x));
        for (const u of bases) {
          const gram = matmul(u, u, { transposeB: true }).data;
          gram.forEach((g, i) => expect(Math.abs(g - (i % 5 === 0 ? 1 : 0))).toBeLessThan(20 * EPS));
        }
      }
    }
  });

  it('kSubspaces() refuses what cannot be clustered, and stops on its signal', () => {
    const x = normal(randomKey(1), [5, 4]);
    const run = (change: Partial<KSubspacesOptions>) => () =>
      kSubspaces(x, { clusters: 2, rank: 2, seed: 0, ...change });
    for (const wrong of [
      { clusters: 6 },
      { clusters: 0 },
      { rank: 5 },
      { rank: 0 },
      { rank: [2] },
      { restarts: 0 },
      { iterations: 0.5 },
    ]) {
      expect(run(wrong)).toThrow(DomainError);
    }
    expect(run({ signal: AbortSignal.abort() })).toThrow(CancelledError);
    expect(() => kSubspaces(tensor('float64', [4], new Float64Array(4)), { clusters: 1, rank: 1, seed: 0 })).toThrow(
      ShapeError,
    );
    const bad = tensor('float64', [2, 2], Float64Array.of(1, NaN, 0, 1));
    expect(() => kSubspaces(bad, { clusters: 1, rank: 1, seed: 0 })).toThrow(NumericalError);
  });
});
