import { recoveryError } from '../analysis/clustering/recovery.ts';
import { drawProblem } from '../analysis/clustering/subspace-problem.ts';
import { throwIfAborted } from '../errors/errors.ts';
import type { Job } from './jobs/job.ts';
import { solverOf } from './phase-solver.ts';
import type { PhaseSolver, SubspaceSolver } from './phase-solver.ts';

/** Trials of one cell of a phase diagram. */
export interface PhaseCellSpec {
  /** n */
  readonly dimension: number;
  /** d */
  readonly rank: number;
  /** N, points of each component. */
  readonly count: number;
  /** K */
  readonly components: number;
  readonly trials: number;
  /** Standard deviation of the noise on each coordinate. */
  readonly noise: number;
  readonly solver: PhaseSolver;
  /** Of the first trial; the others count on. */
  readonly seed: number;
}

/** The largest |P_hat - P|_F of each trial of a cell. */
export const phaseCell: Job<PhaseCellSpec, Float64Array> = {
  name: 'phase-cell',
  run: (spec, { signal }) => cellErrors(spec, solverOf(spec.solver), signal),
};

/** Errors of any solver on the problems of a cell. @throws CancelledError */
export async function cellErrors(
  spec: Omit<PhaseCellSpec, 'solver'>,
  solve: SubspaceSolver,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const { dimension: n, rank: d, count: N, components, trials, noise } = spec;
  const errors = new Float64Array(trials);
  for (let t = 0; t < trials; t++) {
    throwIfAborted('phaseDiagram', signal);
    const seed = spec.seed + t;
    const { points, truth } = drawProblem({ n, d, N, components, noise, seed });
    errors[t] = recoveryError(await solve(points, truth, seed, signal), truth).worst;
  }
  return errors;
}
