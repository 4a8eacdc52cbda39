import { recoveryTrial } from '../analysis/clustering/recovery-trial.ts';
import type { SubspaceSolver } from '../analysis/clustering/recovery-trial.ts';
import { throwIfAborted } from '../errors/errors.ts';
import type { Job } from './jobs/job.ts';
import { solverOf } from './phase-solver.ts';
import type { PhaseSolver } from './phase-solver.ts';

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
    errors[t] = await recoveryTrial({ n, d, N, components, noise, seed: spec.seed + t }, solve, signal);
  }
  return errors;
}
