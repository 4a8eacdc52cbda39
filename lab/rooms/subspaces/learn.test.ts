import { describe, expect, it } from 'vitest';

import { resolveEquivalenceSpec } from '../../../src/experiments/equivalence-spec.ts';
import { runEquivalence } from '../../../src/experiments/equivalence.ts';
import type { OperationContext } from '../../compute/protocol.ts';
import type { LearnInput, LearnPart } from './learn.ts';
import { componentsOf, mixtureOf } from './mixtures.ts';
import { operations } from './operations.ts';
import { codec } from './room.ts';

const input: LearnInput = { ...codec.start, noise: 0, samples: 20, steps: 30, restarts: 2, seed: 3, still: true };

function contextOf(
  emit: (part: LearnPart) => void,
  signal = new AbortController().signal,
): OperationContext<LearnPart> {
  return { signal, progress: () => undefined, emit };
}

describe('learn()', () => {
  it.each([
    ['two-lines', 0],
    ['three-lines', 0.2],
    ['plane-and-line', 0.1],
  ] as const)('has the numbers of eigenlens equivalence at the same seed: %s, noise %d', async (shape, noise) => {
    const state = { ...input, shape, noise };
    const { sigma, weights, steps, rate, restarts, seed } = state;
    const { result } = await runEquivalence(
      resolveEquivalenceSpec({
        data: `molrg:${mixtureOf(state)}`,
        points: 20 * componentsOf(state),
        pointNoise: noise,
        sigma,
        weights,
        steps,
        rate,
        restarts,
        seed,
      }),
    );
    const { moments, best, distance } = await operations.learn(
      state,
      contextOf(() => undefined),
    );
    // The command pairs the network with what was clustered, and that with the truth: the same errors in some order.
    const sorted = (errors: Iterable<number> | undefined): number[] => [...(errors ?? [])].sort((a, b) => a - b);
    const last = moments.at(-1);
    expect(last?.step).toBe(steps);
    sorted(last?.network.errors).forEach((error, k) => expect(error).toBeCloseTo(sorted(result.network.error)[k] as number, 9)); // prettier-ignore
    sorted(best.errors).forEach((error, k) => expect(error).toBeCloseTo(sorted(result.clustering.error)[k] as number, 9)); // prettier-ignore
    expect(distance).toBeCloseTo(result.distance, 9);
  });

  it('shows every step on the way, from random subspaces to the true ones', async () => {
    const seen: LearnPart[] = [];
    const state = { ...input, shape: 'plane', restarts: 1, steps: 40, rate: 1, still: false } as const;
    const { moments, scene } = await operations.learn(
      state,
      contextOf((part) => seen.push(part)),
    );
    expect(seen.map(({ moment }) => moment.step)).toEqual(Array.from({ length: 41 }, (_, i) => i));
    expect(seen.map(({ moment }) => moment)).toEqual(moments);
    const errors = moments.map(({ network }) => network.errors[0] as number);
    expect(errors[0]).toBeGreaterThan(0.5);
    expect(errors.at(-1)).toBeLessThan(0.05);
    expect(moments[0]?.clustering.errors[0]).toBeGreaterThan(0.1);
    expect(moments.at(-1)?.clustering.errors[0]).toBeLessThan(1e-12);
    expect(scene.points.shape).toEqual([20, 3]);
  });

  it('cannot find a plane from one point, and finds it from two', async () => {
    const error = async (samples: number): Promise<number> => {
      const { best } = await operations.learn(
        { ...input, shape: 'plane', samples },
        contextOf(() => undefined),
      );
      return best.errors[0] as number;
    };
    expect(await error(1)).toBeGreaterThan(0.1);
    expect(await error(2)).toBeLessThan(1e-12);
  });

  it('puts noise of the stated size on the points', async () => {
    const noisy = await operations.learn(
      { ...input, shape: 'plane', samples: 300, noise: 0.2, steps: 10 },
      contextOf(() => undefined),
    );
    const { points, truth } = noisy.scene;
    const [u] = truth as [(typeof truth)[number]];
    let outside = 0;
    for (let i = 0; i < 300; i++) {
      const x = points.data.subarray(3 * i, 3 * i + 3);
      const inside = [0, 1].map((r) => x.reduce((sum, v, j) => sum + v * (u.data[3 * r + j] as number), 0));
      outside += x.reduce((sum, v) => sum + v * v, 0) - inside.reduce((sum, c) => sum + c * c, 0);
    }
    // The squared distance from the plane is 0.04 on average; 4 standard errors of it.
    expect(Math.abs(outside / 300 / 0.04 - 1)).toBeLessThan(4 * Math.sqrt(2 / 300));
  });

  it('stops when told to', async () => {
    const context = contextOf(() => undefined, AbortSignal.abort());
    await expect(operations.learn({ ...input, still: false, steps: 400 }, context)).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});
