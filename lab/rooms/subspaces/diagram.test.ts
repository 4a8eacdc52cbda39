import { describe, expect, it } from 'vitest';

import { boundaryTopic } from '../../../src/experiments/theory/boundary.ts';
import type { OperationContext } from '../../compute/protocol.ts';
import type { Cell } from './diagram.ts';
import { operations } from './operations.ts';
import { codec } from './room.ts';

const state = { ...codec.start, dimension: 8, trials: 3, tries: 2, seed: 5 };
const context: OperationContext<Cell> = {
  signal: new AbortController().signal,
  progress: () => undefined,
  emit: () => undefined,
};

describe('fillDiagram()', () => {
  it.each([
    [1, 0, 2],
    [2, 0.1, 3],
  ] as const)('has rows of eigenlens theory boundary at the same seed: K = %d, noise %d', async (K, noise, d) => {
    const { values } = await boundaryTopic.compute(
      { n: 8, d, K, noise, threshold: state.threshold, trials: 3, restarts: 2 },
      { seed: 5 },
    );
    const wanted = values['monteCarlo'] as { count: number; success: number; meanError: number }[];
    const emitted: Cell[] = [];
    const cells = await operations.fillDiagram(
      { ...state, components: K, problemNoise: noise },
      { ...context, emit: (c) => emitted.push(c) },
    );
    expect(emitted).toEqual(cells);
    const row = cells.filter(({ rank }) => rank === d);
    expect(row.length).toBe(14);
    for (const { count, success, meanError } of wanted) {
      const cell = row[count - 1] as Cell;
      expect(cell.successes / cell.trials).toBe(success);
      expect(cell.meanError).toBeCloseTo(meanError, 12);
    }
  });

  it('lets one subspace be found from N = d on, and not before', async () => {
    const cells = await operations.fillDiagram({ ...state, components: 1, threshold: 0.1 }, context);
    // In 8 dimensions everything is a subspace of rank 8.
    const proper = cells.filter(({ rank }) => rank < 8);
    for (const { rank, count, successes } of proper) expect(successes, `${rank}, ${count}`).toBe(count < rank ? 0 : 3);
  });

  it('stops when told to', async () => {
    const stopped = operations.fillDiagram({ ...state, trials: 40 }, { ...context, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
