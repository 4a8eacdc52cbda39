import { NumericalError, ShapeError, throwIfAborted } from '../../errors/errors.ts';
import { assertShape, slice, zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { retractedStep } from './retraction.ts';
import { createRun, drawBatch, evaluate, liftedBases } from './run.ts';
import type { Run } from './run.ts';
import { lowRankLoss } from './loss.ts';
import { checkLowRankSpec, largestMoment } from './spec.ts';
import type { LowRankSpec } from './spec.ts';

/** A training at one of its steps. */
export interface LowRankMoment {
  readonly step: number;
  /** Loss over fixed draws of noise, the same at every step, so that moments compare. */
  readonly loss: number;
  /** Orthonormal rows of each subspace, [d_k, n]. */
  readonly bases: readonly Tensor<'float64'>[];
}

/** A trained low-rank network. */
export interface LowRankTraining {
  /** Orthonormal rows of each subspace, [d_k, n]. */
  readonly bases: readonly Tensor<'float64'>[];
  /** As in the last moment. */
  readonly loss: number;
  /** The start, about twenty evenly spaced steps in the logarithm, and the end, of the restart that was kept. */
  readonly history: readonly LowRankMoment[];
  /** Losses of all restarts when one was kept. */
  readonly restarts: readonly number[];
  /** `converged`: the slope fell to nothing. With drawn noise it never does, and the steps run out. */
  readonly status: 'converged' | 'maxIterations';
  /** Norm of the gradient at the last step, over that at the first. */
  readonly residual: number;
}

/** How a training is watched and stopped. */
export interface LowRankWatch {
  readonly signal?: AbortSignal | undefined;
  /** Steps of all restarts done so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Whether moments between start and end are kept, default true; each costs as much as some steps. */
  readonly history?: boolean | undefined;
  /** Called before the first step of each restart and after every one, with the subspaces there; waited for, so that it may set the pace. */
  readonly onStep?: ((at: LowRankStep) => void | Promise<void>) | undefined;
}

/** One restart at one of its steps. */
export interface LowRankStep {
  readonly restart: number;
  readonly step: number;
  /** Orthonormal rows of each subspace, [d_k, n]; computed when asked for. */
  readonly bases: () => readonly Tensor<'float64'>[];
}

/** Share of the steps after which one restart is kept. */
const TRIAL = 0.25;
/** Slope relative to the first at which a training has converged. */
const FLAT = 1e-10;
/** Time after which the event loop gets a turn. */
const TURN_MS = 40;

/**
 * Trains the low-rank network on points by gradient descent of its diffusion loss, with QR retraction and decaying steps.
 * @param points  [N, n], of unit variance inside the subspaces, which pass through the origin; not consumed
 * @throws as `checkLowRankSpec`; CancelledError; NumericalError if the loss is not finite
 * @source Wang et al. 2024, arXiv 2409.02426 (the parameterisation and its loss; the optimiser is ours, as the paper's is not known)
 */
export async function trainLowRank(
  points: Tensor<'float64'>,
  spec: LowRankSpec,
  watch: LowRankWatch = {},
): Promise<LowRankTraining> {
  checkLowRankSpec(points, spec);
  const { signal, onProgress, onStep, history: kept = true } = watch;
  const unit = 1 / largestMoment(points);
  const trial = spec.restarts > 1 ? Math.ceil(spec.steps * TRIAL) : 0;
  const total = spec.restarts * trial + spec.steps - trial;
  const clock = { done: 0, turned: performance.now() };
  const tell = async (run: Run): Promise<void> => {
    const { restart, step } = run;
    await onStep?.({ restart, step, bases: () => blocksOf(liftedBases(run), spec.ranks) });
  };
  const advance = async (run: Run, end: number): Promise<void> => {
    while (run.step < end && !run.flat) {
      if (kept && run.step >= run.nextRecord) record(run, spec);
      takeStep(run, spec, unit);
      clock.done++;
      if (onStep) await tell(run);
      if (performance.now() - clock.turned < TURN_MS) continue;
      onProgress?.(clock.done, total);
      await new Promise((resolve) => setTimeout(resolve, 0));
      throwIfAborted('trainLowRank', signal);
      clock.turned = performance.now();
    }
  };
  const runs = Array.from({ length: spec.restarts }, (_, r) => createRun(points, spec, r));
  for (const run of runs) {
    if (onStep) await tell(run);
    await advance(run, trial);
  }
  const restarts = runs.map((run) => evaluate(run.x0, run.bases, spec));
  const best = runs[restarts.indexOf(Math.min(...restarts))] as Run;
  await advance(best, spec.steps);
  onProgress?.(total, total);
  record(best, spec);
  const history = best.history.map(({ step, loss, rows }) => ({ step, loss, bases: blocksOf(rows, spec.ranks) }));
  const { bases, loss } = history.at(-1) as LowRankMoment;
  const residual = best.slope / best.firstSlope;
  return { bases, loss, history, restarts, status: best.flat ? 'converged' : 'maxIterations', residual };
}

/**
 * The loss of a spec at any subspaces, over the draws of noise at which the moments of its trainings state theirs.
 * @param bases  orthonormal rows of each subspace, [d_k, n], ranks as in the spec
 * @throws as `checkLowRankSpec`; ShapeError if the bases do not fit
 */
export function lowRankLossAt(
  points: Tensor<'float64'>,
  bases: readonly Tensor<'float64'>[],
  spec: LowRankSpec,
): number {
  checkLowRankSpec(points, spec);
  const n = points.shape[1] as number;
  const rows = zeros('float64', [spec.ranks.reduce((sum, d) => sum + d, 0), n]);
  let start = 0;
  spec.ranks.forEach((d, k) => {
    const basis = bases[k];
    if (basis === undefined || bases.length !== spec.ranks.length) {
      throw new ShapeError('lowRankLossAt', `expected ${spec.ranks.length} subspaces, got ${bases.length}.`);
    }
    assertShape('lowRankLossAt', basis, `${d} ${n}`);
    rows.data.set(basis.data, start * n);
    start += d;
  });
  return evaluate(points, { rows, ranks: spec.ranks }, spec);
}

function takeStep(run: Run, spec: LowRankSpec, unit: number): void {
  const { loss, gradient } = lowRankLoss(drawBatch(run, spec), run.bases, spec.weights);
  if (!Number.isFinite(loss)) {
    throw new NumericalError('trainLowRank', `the loss became ${loss} at step ${run.step + 1}. Rescale the points.`);
  }
  run.step++;
  const { bases, slope } = retractedStep(run.bases, gradient, (unit * spec.rate) / (1 + run.step / spec.decay));
  run.bases = bases;
  run.slope = slope;
  run.firstSlope ||= slope || 1;
  run.flat = slope <= FLAT * run.firstSlope;
}

function record(run: Run, spec: LowRankSpec): void {
  run.history.push({ step: run.step, loss: evaluate(run.x0, run.bases, spec), rows: liftedBases(run) });
  run.nextRecord = run.step === 0 ? 1 : Math.max(run.step + 1, Math.round(run.step * spec.steps ** (1 / 20)));
}

function blocksOf(rows: Tensor<'float64'>, ranks: readonly number[]): Tensor<'float64'>[] {
  let start = 0;
  return ranks.map((d) => slice(rows, start, (start += d)));
}
