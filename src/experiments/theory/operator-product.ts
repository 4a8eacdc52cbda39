import { throwIfAborted } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { leadingDirections } from '../../theory/learned-linear.ts';
import { reverseProducts } from '../../theory/linear-reverse.ts';
import { drawTrainingSet } from '../../theory/training-set.ts';
import { trialRatio } from '../../theory/trials.ts';
import type { TrialMean } from '../../theory/trials.ts';
import type { TopicContext } from './topic.ts';

/** Linear data and the projections learned from them, one a noise level. */
export interface OperatorSetting {
  /** Variances of the clean data; the projections have as many directions. */
  readonly spectrum: readonly number[];
  readonly dimension: number;
  readonly samples: number;
  readonly draws: number;
  /** Noise level of P_1, P_2, ...: ascending along the reverse process read from its end. */
  readonly sigmas: readonly number[];
  /** `fresh` draws new samples for every step of every trial; `fixed` takes one training set for all of them and draws new noise. */
  readonly data: 'fresh' | 'fixed';
}

/** Every trial's operators in the true directions. */
export interface OperatorTrials {
  /** [trial][step] of U^T P_1 ... P_k U, [r, r] row-major. */
  readonly blocks: readonly (readonly Float64Array[])[];
  readonly rank: number;
}

/**
 * Learns PCA projections at every noise level and multiplies them.
 * @throws DomainError outside the domain of the setting; CancelledError
 * @source theory.md A.2, "mean operator"
 */
export async function operatorTrials(
  setting: OperatorSetting,
  trials: number,
  { seed, signal, onProgress }: TopicContext,
): Promise<OperatorTrials> {
  const rank = setting.spectrum.length;
  const truth = identityRows(rank, setting.dimension);
  const blocks: Float64Array[][] = [];
  for (let t = 0; t < trials; t++) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // an interrupt must be heard
    throwIfAborted('operator product', signal);
    const products = reverseProducts(learnedProjections(setting, { seed, trial: t }), truth);
    blocks.push(products.map((product) => matmul(product, truth, { transposeB: true }).data));
    onProgress?.(t + 1, trials);
  }
  return { blocks, rank };
}

/** The projections P_1, ..., P_T of one trial. */
export function learnedProjections(
  { spectrum, dimension, samples, draws, sigmas, data }: OperatorSetting,
  { seed, trial }: { readonly seed: number; readonly trial: number },
): Tensor<'float64'>[] {
  return sigmas.map((sigma, k) => {
    const path = data === 'fresh' ? ['operator', trial, 'data', k] : ['operator', 'data'];
    const set = drawTrainingSet({ seed, path }, { spectrum, dimension, count: samples });
    const noise = { sigma, draws, stream: { seed, path: ['operator', trial, 'noise', k] } };
    const { vectors } = leadingDirections(set, noise, spectrum.length);
    return matmul(vectors, vectors, { transposeA: true });
  });
}

/** Mean over trials of the operator after k steps, [r, r] row-major. */
export function meanOperator({ blocks, rank }: OperatorTrials, k: number): Float64Array {
  const sum = new Float64Array(rank * rank);
  for (const trial of blocks) trial[k - 1]?.forEach((x, i) => (sum[i] = (sum[i] as number) + x / blocks.length));
  return sum;
}

/** Ratio of the mean gain along direction i (from 0) to that along the first, after k steps. */
export function operatorRatio({ blocks, rank }: OperatorTrials, k: number, i: number): TrialMean {
  const along = (j: number): number[] =>
    blocks.map((trial) => (trial[k - 1] as Float64Array)[j * (rank + 1)] as number);
  return trialRatio(along(i), along(0));
}

function identityRows(rank: number, dimension: number): Tensor<'float64'> {
  const rows = new Float64Array(rank * dimension);
  for (let i = 0; i < rank; i++) rows[i * dimension + i] = 1;
  return tensor('float64', [rank, dimension], rows);
}
