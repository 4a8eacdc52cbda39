import { DomainError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { assertShape, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { normalOf, substream } from './wishart.ts';
import type { Stream } from './wishart.ts';

/** Noise put back during the reverse recursion. */
export interface Reinjection {
  /** Variance added before step k, k = 1..T - 1; the last entry, of step T, is that of the start. */
  readonly variances: ArrayLike<number>;
  readonly stream: Stream;
}

/**
 * The operators P_1, P_1 P_2, ..., P_1 ... P_T that the recursion x_(t-1) = P_t x_t has applied to noise that entered before step t.
 * @param steps  P_1 (lowest noise) to P_T, each [p, p]
 * @param rows   [q, p] rows on their left, such as some true directions; without them the whole operators
 * @returns T tensors [q, p], or [p, p]
 * @throws ShapeError if sizes disagree
 */
export function reverseProducts(steps: readonly Tensor<'float64'>[], rows?: Tensor<'float64'>): Tensor<'float64'>[] {
  let product = rows;
  return steps.map((step) => (product = product === undefined ? step : matmul(product, step)));
}

/** Covariance of what the recursion returns, and what each stage gave to it. */
export interface ReverseOutput {
  /** [p, p] */
  readonly covariance: Tensor<'float64'>;
  /** [T] arrays [p]: the variance along every axis that came from noise entering before step k: a power iteration stopped after k steps. */
  readonly stages: readonly Float64Array[];
}

/**
 * Output covariance of x_(t-1) = P_t x_t with noise of variance q_k added before step k: sum over k of q_k A_k A_k^T, A_k = P_1 ... P_k.
 * Without re-injection only the last term is left: q = (0, ..., 0, S_T).
 * @param steps      P_1 to P_T, [p, p]
 * @param variances  q_1 to q_T, >= 0
 * @throws DomainError if there are not as many variances as steps or one is negative; ShapeError if sizes disagree
 * @source theory.md A.2, "output distribution"
 */
export function outputCovariance(steps: readonly Tensor<'float64'>[], variances: ArrayLike<number>): ReverseOutput {
  const p = checkSteps('outputCovariance', steps, variances);
  const covariance = new Float64Array(p * p);
  const stages = reverseProducts(steps).map((product, k) => {
    const variance = variances[k] as number;
    const stage = new Float64Array(p);
    if (variance === 0) return stage;
    const square = matmul(product, product, { transposeB: true }).data;
    square.forEach((x, i) => (covariance[i] = (covariance[i] as number) + variance * x));
    return stage.map((_, i) => variance * (square[i * (p + 1)] as number));
  });
  return { covariance: tensor('float64', [p, p], covariance), stages };
}

/**
 * Runs the recursion on samples, from noise to data.
 * @param steps  P_1 to P_T; the last is applied first
 * @param start  [B, p] samples of the highest noise level
 * @returns T + 1 tensors [B, p]: the start, then the state after steps T, T - 1, ..., 1 (with the noise put back, except after the last)
 * @throws as `outputCovariance`
 */
export function runReverse(
  steps: readonly Tensor<'float64'>[],
  start: Tensor<'float64'>,
  reinjection?: Reinjection,
): Tensor<'float64'>[] {
  const variances = reinjection?.variances ?? new Float64Array(steps.length);
  const p = checkSteps('runReverse', steps, variances);
  assertShape('runReverse', start, `B ${p}`);
  const states = [start];
  for (let k = steps.length - 1; k >= 0; k--) {
    const next = matmul(states[states.length - 1] as Tensor<'float64'>, steps[k] as Tensor<'float64'>, {
      transposeB: true,
    });
    const variance = k > 0 ? (variances[k - 1] as number) : 0;
    if (reinjection !== undefined && variance > 0) {
      const noise = normalOf(substream(reinjection.stream, k), next.shape).data;
      noise.forEach((e, i) => (next.data[i] = (next.data[i] as number) + Math.sqrt(variance) * e));
    }
    states.push(next);
  }
  return states;
}

function checkSteps(where: string, steps: readonly Tensor<'float64'>[], variances: ArrayLike<number>): number {
  const first = steps[0];
  if (first === undefined || variances.length !== steps.length) {
    throw new DomainError(
      where,
      `expected one variance a step and at least one step, got ${variances.length} and ${steps.length}.`,
    );
  }
  const bad = Array.from(variances).findIndex((variance) => !(variance >= 0 && variance < Infinity));
  if (bad >= 0) {
    throw new DomainError(where, `expected variances >= 0 and finite, got ${variances[bad]} at step ${bad + 1}.`);
  }
  const { p } = assertShape(where, first, 'p p') as { p: number };
  return p;
}
