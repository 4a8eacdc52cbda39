import { kSubspacesSolver, recoveryTrial } from '../../../src/analysis/clustering/recovery-trial.ts';
import { throwIfAborted } from '../../../src/errors/errors.ts';
import type { Operation } from '../../compute/protocol.ts';
import { turn } from '../../compute/turn.ts';
import { largestRank, MOST_POINTS } from './mixtures.ts';
import type { SubspacesState } from './room.ts';

/** What a phase diagram depends on. */
export type DiagramInput = Pick<
  SubspacesState,
  'components' | 'dimension' | 'problemNoise' | 'threshold' | 'trials' | 'tries' | 'seed'
>;

/** Problems of one rank and number of points. */
export interface Cell {
  readonly rank: number;
  /** Points of each component. */
  readonly count: number;
  readonly successes: number;
  readonly trials: number;
  /** Mean of the largest |P_hat - P|_F. */
  readonly meanError: number;
}

/** Time after which a cancel is listened for. */
const TURN_MS = 30;

/** Fills the phase diagram rank by rank; every row has the numbers of `eigenlens theory boundary` at the same seed. */
export const fillDiagram: Operation<DiagramInput, readonly Cell[], Cell> = async (
  input,
  { signal, progress, emit },
) => {
  const { components, dimension: n, problemNoise: noise, tries } = input;
  const solve = kSubspacesSolver({ restarts: tries, start: 'random' });
  const ranks = Array.from({ length: largestRank(input) }, (_, i) => i + 1);
  const places = ranks.flatMap((rank) => Array.from({ length: MOST_POINTS }, (_, i) => ({ rank, count: i + 1 })));
  const cells: Cell[] = [];
  let turned = performance.now();
  for (const { rank, count } of places) {
    const errors: number[] = [];
    for (let t = 0; t < input.trials; t++) {
      errors.push(
        await recoveryTrial({ n, d: rank, N: count, components, noise, seed: input.seed + t }, solve, signal),
      );
      if (performance.now() - turned < TURN_MS) continue;
      await turn();
      throwIfAborted('fillDiagram', signal);
      turned = performance.now();
    }
    const successes = errors.filter((error) => error <= input.threshold).length;
    const meanError = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const cell = { rank, count, successes, trials: errors.length, meanError };
    cells.push(cell);
    emit(cell);
    progress(cells.length, places.length);
  }
  return cells;
};
