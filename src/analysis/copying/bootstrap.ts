import { DomainError } from '../../errors/errors.ts';
import { integers, randomKey } from '../../tensor/random.ts';
import { confidence } from './interval.ts';
import type { Interval } from './interval.ts';

/** How often is resampled, and by which stream of random numbers. */
export interface BootstrapOptions {
  readonly seed: number;
  /** Default 1000: the ends of a 95 % interval are then known to about a tenth of its width. */
  readonly resamples?: number | undefined;
}

/**
 * A statistic of one or several independent samples with its percentile interval: each sample is drawn anew from itself, with replacement.
 * @param sizes  number of observations in each sample
 * @param statistic  gets the places of the chosen observations in each sample; called first with every place once, for the value
 * @throws DomainError for an empty sample or fewer than 100 resamples
 * @precision coverage nears 95 % as samples grow; with 20 observations it is about 93 % for a mean
 * @source Efron 1979; Efron and Tibshirani 1993, chapter 13 (percentile interval)
 */
export function bootstrap(
  sizes: readonly number[],
  statistic: (...chosen: Int32Array[]) => number,
  { seed, resamples = 1000 }: BootstrapOptions,
): Interval {
  if (sizes.length === 0 || sizes.some((n) => !Number.isInteger(n) || n < 1)) {
    throw new DomainError('bootstrap', `expected samples of at least one observation, got sizes ${sizes.join(', ')}.`);
  }
  if (!Number.isInteger(resamples) || resamples < 100) {
    throw new DomainError('bootstrap', `expected at least 100 whole resamples, got ${resamples}.`);
  }
  const value = statistic(...sizes.map((n) => Int32Array.from({ length: n }, (_, i) => i)));
  const drawn = Float64Array.from({ length: resamples }, (_, r) =>
    statistic(...sizes.map((n, s) => integers(randomKey(seed, 'bootstrap', r, s), [n], n).data)),
  ).sort();
  const tail = (1 - confidence) / 2;
  return { value, low: quantile(drawn, tail), high: quantile(drawn, 1 - tail) };
}

/** The mean of observations with its bootstrap interval. @throws as `bootstrap` */
export function bootstrapMean(values: ArrayLike<number>, options: BootstrapOptions): Interval {
  return bootstrap([values.length], (chosen) => meanOf(values, chosen), options);
}

/** Mean of the chosen observations. */
export function meanOf(values: ArrayLike<number>, chosen: Int32Array): number {
  let sum = 0;
  for (const i of chosen) sum += values[i] as number;
  return sum / chosen.length;
}

/** Quantile of ascending values, linear between neighbours. */
function quantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const below = Math.floor(place);
  const [a, b] = [sorted[below] as number, sorted[Math.min(below + 1, sorted.length - 1)] as number];
  return a + (place - below) * (b - a);
}
