import type { KSubspacesOptions } from '../analysis/clustering/k-subspaces.ts';
import { kSubspacesSolver } from '../analysis/clustering/recovery-trial.ts';
import type { SubspaceSolver } from '../analysis/clustering/recovery-trial.ts';
import { lowRankDefaults } from '../training/low-rank/spec.ts';
import type { LowRankSpec } from '../training/low-rank/spec.ts';
import { trainLowRank } from '../training/low-rank/train.ts';

/** A solver as plain data, so that other processes can run it: made by `clusteringSolver` or `networkSolver`. */
export type PhaseSolver =
  | ({ readonly kind: 'clustering' } & Required<Pick<KSubspacesOptions, 'restarts' | 'start'>>)
  | { readonly kind: 'network'; readonly training: Partial<NetworkTraining> };

/** K-subspaces on the points, which for one component is principal component analysis; 20 random starts unless told otherwise. */
export function clusteringSolver(options: Pick<KSubspacesOptions, 'restarts' | 'start'> = {}): PhaseSolver {
  const { restarts = 20, start = 'random' } = options;
  return { kind: 'clustering', restarts, start };
}

/**
 * The low-rank network trained on the points by its diffusion loss.
 * @param training  replaces single settings; by default those of K = 1 or K > 1, whichever the problem is
 */
export function networkSolver(training: Partial<NetworkTraining> = {}): PhaseSolver {
  return { kind: 'network', training };
}

/** Training of a panel's cells: what `networkSolver` takes where it is told nothing else. */
export type NetworkTraining = Omit<LowRankSpec, 'ranks' | 'seed'>;

/** One subspace: the loss is integrated over all noise, and steps of constant length go down it; one start is as good as another. */
const oneSubspace: NetworkTraining = { ...lowRankDefaults, steps: 1000, rate: 0.8, decay: Infinity, restarts: 1 };

/** Several: soft-max weights, three starts; the steps recover two planes more often than longer ones that decay sooner. */
const severalSubspaces: NetworkTraining = { ...lowRankDefaults, steps: 300, rate: 1.5, decay: 300 };

/** What a solver's data stand for. */
export function solverOf(solver: PhaseSolver): SubspaceSolver {
  if (solver.kind === 'clustering') return kSubspacesSolver({ restarts: solver.restarts, start: solver.start });
  return async (points, truth, seed, signal) => {
    const ranks = truth.map(({ shape }) => shape[0] as number);
    const defaults = ranks.length === 1 ? oneSubspace : severalSubspaces;
    const { bases } = await trainLowRank(
      points,
      { ...defaults, ...solver.training, ranks, seed },
      { signal, history: false },
    );
    return bases;
  };
}
