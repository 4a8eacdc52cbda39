import { describe, expect, it } from 'vitest';

import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { CancelledError, DomainError, NumericalError, ShapeError } from '../../errors/errors.ts';
import { subspaceDistance } from '../../linalg/angles.ts';
import { leadingSvd } from '../../linalg/svd.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { tensor, zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { largestMoment, lowRankDefaults } from './spec.ts';
import { trainLowRank } from './train.ts';
import type { LowRankStep } from './train.ts';

const line = { ...lowRankDefaults, ranks: [4], restarts: 1, seed: 5 };
const plain = normal(randomKey(1, 'plain'), [40, 12]);
const spread = tensor('float64', [40, 12], plain.data.map((v, i) => v * (i % 12 < 4 ? 1 : 0.3))); // prettier-ignore

function pca(points: Tensor<'float64'>, rank: number): Tensor<'float64'> {
  return leadingSvd(points, rank).v;
}

describe('trainLowRank()', () => {
  it.each([0.05, 0.5, 2])(
    'trainLowRank() of one subspace at sigma %d alone finds the principal subspace',
    async (sigma) => {
      const { bases, status, residual } = await trainLowRank(spread, {
        ...line,
        sigma,
        steps: 20_000,
        rate: 0.8,
        decay: Infinity,
      });
      expect(status).toBe('converged');
      expect(residual).toBeLessThanOrEqual(1e-10);
      // The slope is about the eigengap (some tenths) times the distance.
      expect(subspaceDistance(bases[0] as Tensor<'float64'>, pca(spread, 4))).toBeLessThan(1e-8);
    },
  );

  it('trainLowRank() with drawn noise comes as near as its last step lets it: half as near after four times the steps', async () => {
    const drawn = { ...line, noise: 'drawn', rate: 0.2 * largestMoment(spread), decay: 20, sigma: 0.5 } as const;
    const distance = async (steps: number): Promise<number> => {
      const squares = await Promise.all(
        [1, 2, 3, 4].map(async (seed) => {
          const { bases } = await trainLowRank(spread, { ...drawn, steps, seed });
          return subspaceDistance(bases[0] as Tensor<'float64'>, pca(spread, 4)) ** 2;
        }),
      );
      return Math.sqrt(squares.reduce((a, b) => a + b) / 4);
    };
    const [early, late] = [await distance(500), await distance(2000)];
    expect(late).toBeLessThan(0.15);
    expect(late / early).toBeGreaterThan(0.3);
    expect(late / early).toBeLessThan(0.8);
  });

  it('trainLowRank() in the span of few points is the training in all dimensions', async () => {
    const mixture = randomMixture({ n: 30, ranks: [2, 2], variances: [1, 1], seed: 3 });
    const { x } = sampleMixture(mixture, randomKey(4), 12);
    const spec = { ...lowRankDefaults, ranks: [2, 3], steps: 40, restarts: 1, seed: 6 };
    const few = await trainLowRank(x, spec);
    // Twice every point is the same mean, but too many points for the short cut.
    const twice = tensor('float64', [24, 30], Float64Array.from([...x.data, ...x.data]));
    const hard = { ...spec, weights: 'hard-max' } as const;
    const [short, long] = [await trainLowRank(x, hard), await trainLowRank(twice, { ...hard, ranks: [2, 3] })];
    short.bases.forEach((basis, k) => {
      expect(subspaceDistance(basis, long.bases[k] as Tensor<'float64'>)).toBeLessThan(1e-9);
    });
    expect(few.history[0]?.step).toBe(0);
    expect(few.history.at(-1)?.step).toBe(40);
    expect(few.history.at(-1)?.bases).toEqual(few.bases);
  });

  it('trainLowRank() separates two planes with soft-max and with hard-max weights', async () => {
    const mixture = randomMixture({ n: 20, ranks: [2, 2], variances: [1, 1], seed: 1 });
    const { x } = sampleMixture(mixture, randomKey(2), 60);
    // Hard-max weights make it clustering, whose optimum is exact here; soft ones are pulled by the points near both planes.
    for (const [weights, tolerance] of [
      ['soft-max', 0.1],
      ['hard-max', 1e-4],
    ] as const) {
      const spec = {
        ...lowRankDefaults,
        weights,
        ranks: [2, 2],
        steps: 800,
        rate: 1,
        decay: 1000,
        restarts: 4,
        seed: 2,
      };
      const { bases, restarts } = await trainLowRank(x, spec);
      expect(restarts).toHaveLength(4);
      for (const { basis } of mixture) {
        expect(Math.min(...bases.map((learned) => subspaceDistance(learned, basis)))).toBeLessThan(tolerance);
      }
    }
  });

  it('trainLowRank() gives the same bits for the same seed, and others for another', async () => {
    const spec = { ...line, noise: 'drawn', sigma: { logMean: -1.2, logStd: 1.2 }, batchSize: 8, steps: 30 } as const;
    const [a, b, c] = [await trainLowRank(spread, spec), await trainLowRank(spread, spec), await trainLowRank(spread, { ...spec, seed: 6 })]; // prettier-ignore
    expect(a.bases).toEqual(b.bases);
    expect(a.bases).not.toEqual(c.bases);
  });

  it('trainLowRank() shows every step of every restart, waits for it, and trains as unseen', async () => {
    const spec = { ...lowRankDefaults, ranks: [2, 1], steps: 8, restarts: 2, seed: 3 };
    let seen: string[] = [];
    let last: readonly Tensor<'float64'>[] = [];
    const onStep = async (at: LowRankStep): Promise<void> => {
      last = at.bases();
      await new Promise((resolve) => setTimeout(resolve, 0));
      seen.push(`${at.restart}:${at.step}`);
    };
    const { bases } = await trainLowRank(spread, spec, { onStep });
    const trials = ['0:0', '0:1', '0:2', '1:0', '1:1', '1:2'];
    expect(seen.slice(0, 6)).toEqual(trials);
    expect(seen.slice(6).map((at) => at.slice(2))).toEqual(['3', '4', '5', '6', '7', '8']);
    expect(last).toEqual(bases);
    expect((await trainLowRank(spread, spec)).bases).toEqual(bases);
    seen = [];
    await trainLowRank(spread, { ...spec, steps: 2, restarts: 1 }, { onStep });
    expect(seen).toEqual(['0:0', '0:1', '0:2']);
  });

  it('trainLowRank() refuses what it cannot train on in one line', async () => {
    const nan = zeros('float64', [4, 5]);
    nan.data[7] = NaN;
    await expect(trainLowRank(nan, line)).rejects.toThrow(NumericalError);
    await expect(trainLowRank(zeros('float64', [4, 5]), line)).rejects.toThrow(/not all zero/);
    await expect(trainLowRank(zeros('float64', [20]), line)).rejects.toThrow(ShapeError);
    await expect(trainLowRank(spread, { ...line, ranks: [13] })).rejects.toThrow(
      /ranks from 1 to the dimension 12, got 13/,
    );
    await expect(trainLowRank(normal(randomKey(1), [1, 5]), { ...line, ranks: [1, 1] })).rejects.toThrow(
      /at least 2 points/,
    );
    for (const bad of [{ sigma: 0 }, { rate: -1 }, { steps: 0 }, { decay: NaN }, { restarts: 1.5 }, { ranks: [] }]) {
      await expect(trainLowRank(spread, { ...line, ...bad })).rejects.toThrow(DomainError);
    }
  });

  it('trainLowRank() stops on a signal', async () => {
    const options = { signal: AbortSignal.abort() };
    const long = { ...line, noise: 'drawn', steps: 1_000_000 } as const;
    await expect(trainLowRank(spread, long, options)).rejects.toThrow(CancelledError);
  });
});
