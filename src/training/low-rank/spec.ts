import { DomainError, ShapeError } from '../../errors/errors.ts';
import { singularValues } from '../../linalg/svd.ts';
import { assertFinite, showShape } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { LowRankWeights } from './loss.ts';

/** One noise level for every sample, or ln sigma ~ N(logMean, logStd^2) drawn for each. */
export type NoiseLevels = number | { readonly logMean: number; readonly logStd: number };

/** Everything that a training of the low-rank network is determined by, besides the points. */
export interface LowRankSpec {
  /** Rank of each subspace; their number is K. */
  readonly ranks: readonly number[];
  readonly weights: LowRankWeights;
  /** In units of the standard deviation inside the subspaces, which the network takes for 1. */
  readonly sigma: NoiseLevels;
  /**
   * `drawn`: fresh noise for every sample and step, as networks are trained. `integrated`: the expectation over noise is taken in closed
   * form as far as the loss allows: over all of it for hard-max weights or K = 1, over what is orthogonal to the subspaces for soft-max.
   */
  readonly noise: 'drawn' | 'integrated';
  readonly steps: number;
  /**
   * First step length, in units of 1 / lambda with lambda the largest eigenvalue of the points' second moment. Below 1 a training of one
   * subspace closes in at every noise level; above, trainings jump between local optima at first. Step i has rate / (1 + i / decay).
   */
  readonly rate: number;
  /** Steps after which a step is half as long; with drawn noise it must decay, or the training hovers. Infinity keeps it constant. */
  readonly decay: number;
  /** Samples a step, drawn with repeats; all of them where it is left out or at least their number. */
  readonly batchSize?: number | undefined;
  /** Random starts: each trains for a quarter of the steps, the one of least loss goes on. */
  readonly restarts: number;
  readonly seed: number;
}

/** Defaults of a training: tuned on two subspaces without residual noise, where they recover as often as any that were tried. */
export const lowRankDefaults: Omit<LowRankSpec, 'ranks' | 'seed'> = {
  weights: 'soft-max',
  sigma: 0.2,
  noise: 'integrated',
  steps: 400,
  rate: 3,
  decay: 100,
  restarts: 3,
};

/**
 * Checks points and spec of a training against each other.
 * @param points  [N, n]
 * @throws ShapeError if not a matrix; NumericalError on NaN or infinity; DomainError for a rank above n, fewer points than subspaces, zero points, or a number that cannot be trained with
 */
export function checkLowRankSpec(points: Tensor<'float64'>, spec: LowRankSpec): void {
  const where = 'trainLowRank';
  const [N = 0, n = 0] = points.shape;
  if (points.shape.length !== 2) throw new ShapeError(where, `expected points [N, n], got ${showShape(points.shape)}.`);
  assertFinite(where, points, 'Drop or repair these points.');
  const K = spec.ranks.length;
  const refuse = (expected: string, got: unknown): DomainError =>
    new DomainError(where, `expected ${expected}, got ${String(got)}.`);
  if (K < 1) throw refuse('the rank of at least one subspace', 'none');
  if (N < K) throw refuse(`at least ${K} points, one a subspace`, N);
  const bad = spec.ranks.find((d) => !(Number.isInteger(d) && d >= 1 && d <= n));
  if (bad !== undefined) throw refuse(`whole ranks from 1 to the dimension ${n}`, bad);
  if (points.data.every((x) => x === 0)) throw refuse('points that are not all zero', 'zeros. They have no directions');
  for (const name of ['steps', 'restarts', 'batchSize'] as const) {
    const value = spec[name] ?? 1;
    if (!Number.isSafeInteger(value) || value < 1) throw refuse(`${name} to be a whole number >= 1`, value);
  }
  if (!(spec.rate > 0 && spec.rate < Infinity)) throw refuse('rate to be positive and finite', spec.rate);
  if (!(spec.decay > 0)) throw refuse('decay to be positive', spec.decay);
  const { sigma } = spec;
  const levels = typeof sigma === 'number' ? [sigma] : [Math.exp(sigma.logMean), sigma.logStd];
  const wrong = levels.find((s) => !(s > 0 && s < Infinity));
  if (wrong !== undefined) throw refuse('noise levels that are positive and finite', wrong);
}

/** Largest eigenvalue of the second moment X^T X / N of points [N, n]. */
export function largestMoment(points: Tensor<'float64'>): number {
  return (singularValues(points)[0] as number) ** 2 / (points.shape[0] as number);
}
