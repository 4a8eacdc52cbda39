import type { Tensor } from '../../tensor/tensor.ts';
import { kSubspaces } from './k-subspaces.ts';
import type { KSubspacesOptions } from './k-subspaces.ts';
import { recoveryError } from './recovery.ts';
import { drawProblem } from './subspace-problem.ts';
import type { ProblemSpec } from './subspace-problem.ts';

/** Finds the subspaces of points: what a phase diagram judges. */
export type SubspaceSolver = (
  /** [K N, n]; component k has the points i with i mod K = k. */
  points: Tensor<'float64'>,
  /** K true bases [d, n]: their number and rank may be used, their directions not. */
  truth: readonly Tensor<'float64'>[],
  seed: number,
  signal?: AbortSignal,
) => Promise<readonly Tensor<'float64'>[]>;

/** K-subspaces on the points, which for one component is principal component analysis. */
export function kSubspacesSolver(options: Required<Pick<KSubspacesOptions, 'restarts' | 'start'>>): SubspaceSolver {
  return (points, truth, seed, signal) => {
    const rank = truth.map(({ shape }) => shape[0] as number);
    return Promise.resolve(kSubspaces(points, { ...options, clusters: truth.length, rank, seed, signal }).bases);
  };
}

/** The largest |P_hat - P|_F that a solver leaves on one problem. @throws CancelledError */
export async function recoveryTrial(spec: ProblemSpec, solve: SubspaceSolver, signal?: AbortSignal): Promise<number> {
  const { points, truth } = drawProblem(spec);
  return recoveryError(await solve(points, truth, spec.seed, signal), truth).worst;
}
