import { DomainError } from '../../errors/errors.ts';
import type { Rate } from './interval.ts';
import { copyRate } from './rules.ts';
import type { CopyRule } from './rules.ts';
import type { CopyScores } from './scores.ts';

/** What one rule says at many thresholds: a number that hangs on one of them shows itself. */
export interface ThresholdSweep {
  readonly rule: CopyRule;
  readonly descriptor: string;
  /** Ascending. */
  readonly thresholds: Float64Array;
  /** Rate of copies among the samples at each threshold. */
  readonly samples: readonly Rate[];
  /** The same among the held-out images. */
  readonly heldout: readonly Rate[];
}

/**
 * The rates of copies at evenly spaced thresholds from the lowest to the highest score of samples and held-out images.
 * @param count  thresholds, at least 2; default 50
 * @returns undefined where the rule has no scores
 * @throws DomainError for fewer thresholds
 */
export function sweepThresholds(
  rule: CopyRule,
  samples: CopyScores,
  heldout: CopyScores,
  count: number = 50,
): ThresholdSweep | undefined {
  if (!Number.isInteger(count) || count < 2) {
    throw new DomainError('sweepThresholds', `expected at least 2 thresholds, got ${count}.`);
  }
  const [own, other] = [samples[rule], heldout[rule]];
  if (own === undefined || other === undefined) return undefined;
  let [least, most] = [Infinity, -Infinity];
  for (const scores of [own, other]) {
    for (const score of scores) [least, most] = [Math.min(least, score), Math.max(most, score)];
  }
  const thresholds = Float64Array.from({ length: count }, (_, i) => least + ((most - least) * i) / (count - 1));
  const rates = (scores: Float64Array): Rate[] => Array.from(thresholds, (t) => copyRate(rule, scores, t));
  return { rule, descriptor: samples.descriptor, thresholds, samples: rates(own), heldout: rates(other) };
}
