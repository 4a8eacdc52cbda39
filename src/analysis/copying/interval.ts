import { DomainError } from '../../errors/errors.ts';
import { betaQuantile } from './incomplete-beta.ts';

/** A number with its 95 % confidence interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A part of a number of independent trials, with its exact interval. */
export interface Rate extends Interval {
  readonly hits: number;
  readonly count: number;
}

/** Confidence of every interval here. */
export const confidence = 0.95;

/**
 * Rate of hits in independent trials with the exact interval, which covers the true rate in at least 95 % of all repetitions.
 * @throws DomainError unless 0 <= hits <= count and count >= 1, both whole
 * @source Clopper and Pearson 1934; as beta quantiles: Brown, Cai and DasGupta 2001, section 4.2.1
 */
export function exactRate(hits: number, count: number): Rate {
  if (!Number.isInteger(hits) || !Number.isInteger(count) || count < 1 || hits < 0 || hits > count) {
    throw new DomainError('exactRate', `expected 0 <= hits <= count and count >= 1, got ${hits} of ${count}.`);
  }
  const tail = (1 - confidence) / 2;
  const low = hits === 0 ? 0 : betaQuantile(tail, hits, count - hits + 1);
  const high = hits === count ? 1 : betaQuantile(1 - tail, hits + 1, count - hits);
  return { value: hits / count, low, high, hits, count };
}

/** 1 - rate, such as GL = 1 - memorized fraction, with its interval. @source Zhang et al. 2023, arXiv 2310.05264 (GL score) */
export function complement({ value, low, high }: Interval): Interval {
  return { value: 1 - value, low: 1 - high, high: 1 - low };
}
