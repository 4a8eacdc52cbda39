import { DomainError, throwIfAborted } from '../errors/errors.ts';

/** The mean of repeated trials and how well it is known. */
export interface TrialMean {
  readonly mean: number;
  /** Standard deviation of a trial. */
  readonly deviation: number;
  /** Of the mean: deviation / sqrt(trials). */
  readonly standardError: number;
  /** About 95 %: mean -+ 1.96 standard errors. */
  readonly low: number;
  readonly high: number;
  readonly trials: number;
}

/** Mean of independent trials with its normal interval. @throws DomainError for fewer than two trials, which say nothing of the spread */
export function trialMean(values: ArrayLike<number>): TrialMean {
  const trials = values.length;
  if (trials < 2) throw new DomainError('trialMean', `expected at least 2 trials, got ${trials}.`);
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / trials;
  const squares = all.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (trials - 1));
  const standardError = deviation / Math.sqrt(trials);
  return {
    mean,
    deviation,
    standardError,
    low: mean - 1.96 * standardError,
    high: mean + 1.96 * standardError,
    trials,
  };
}

/**
 * Ratio of the means of two quantities measured in the same trials, with the interval of the linearised ratio.
 * @throws DomainError for fewer than two trials or unequal numbers of them
 * @source delta method: Cochran 1977, Sampling Techniques, 6.3
 */
export function trialRatio(above: ArrayLike<number>, below: ArrayLike<number>): TrialMean {
  if (above.length !== below.length) {
    throw new DomainError('trialRatio', `expected pairs of trials, got ${above.length} and ${below.length}.`);
  }
  const [top, bottom] = [trialMean(above), trialMean(below)];
  const ratio = top.mean / bottom.mean;
  const influence = Float64Array.from(above, (x, i) => ratio + (x - ratio * (below[i] as number)) / bottom.mean);
  return trialMean(influence);
}

/** How repeated trials are watched and stopped. */
export interface TrialWatch {
  readonly signal?: AbortSignal | undefined;
  /** Called after each trial with the number of those done. */
  readonly onTrial?: ((done: number) => void) | undefined;
}

/**
 * Runs trials one after another; between them an interrupt is heard.
 * @param run  does trial t, from 0
 * @throws CancelledError once `signal` is aborted; whatever `run` throws
 */
export async function repeatTrials(
  where: string,
  trials: number,
  run: (trial: number) => void,
  { signal, onTrial }: TrialWatch = {},
): Promise<void> {
  for (let t = 0; t < trials; t++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfAborted(where, signal);
    run(t);
    onTrial?.(t + 1);
  }
}
