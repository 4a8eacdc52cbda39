import { lowRankDefaults } from '../training/low-rank/spec.ts';
import type { LowRankSpec } from '../training/low-rank/spec.ts';
import { trainLowRank } from '../training/low-rank/train.ts';
import type { SubspaceSolver } from './phase-diagram.ts';

/** Training of a panel's cells: what `networkSolver` takes where it is told nothing else. */
export type NetworkTraining = Omit<LowRankSpec, 'ranks' | 'seed'>;

/** One subspace: the loss is integrated over all noise, and steps of constant length go down it; one start is as good as another. */
const oneSubspace: NetworkTraining = { ...lowRankDefaults, steps: 1000, rate: 0.8, decay: Infinity, restarts: 1 };

/** Several: soft-max weights, three starts; the steps recover two planes more often than longer ones that decay sooner. */
const severalSubspaces: NetworkTraining = { ...lowRankDefaults, steps: 300, rate: 1.5, decay: 300 };

/**
 * The low-rank network trained on the points by its diffusion loss, as a solver of phase diagrams.
 * @param training  replaces single settings; by default those of K = 1 or K > 1, whichever the problem is
 */
export function networkSolver(training: Partial<NetworkTraining> = {}): SubspaceSolver {
  return async (points, truth, seed, signal) => {
    const ranks = truth.map(({ shape }) => shape[0] as number);
    const defaults = ranks.length === 1 ? oneSubspace : severalSubspaces;
    const { bases } = await trainLowRank(points, { ...defaults, ...training, ranks, seed }, { signal, history: false });
    return bases;
  };
}
