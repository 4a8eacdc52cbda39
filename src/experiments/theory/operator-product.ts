import { trialOperators } from '../../theory/linear-trials.ts';
import type { OperatorSetting } from '../../theory/linear-trials.ts';
import { repeatTrials, trialRatio } from '../../theory/trials.ts';
import type { TrialMean } from '../../theory/trials.ts';
import type { TopicContext } from './topic.ts';

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
  const blocks: Float64Array[][] = [];
  const run = (trial: number): void => void blocks.push(trialOperators(setting, { seed, trial }));
  await repeatTrials('operator product', trials, run, { signal, onTrial: (done) => onProgress?.(done, trials) });
  return { blocks, rank: setting.spectrum.length };
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
