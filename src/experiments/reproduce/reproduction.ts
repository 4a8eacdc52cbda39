import type { PlainFigure } from '../plain-figure.ts';
import type { TopicContext } from '../theory/topic.ts';

/** One claim of a source, measured. */
export interface ClaimResult {
  readonly claim: string;
  readonly expected: string;
  readonly measured: number;
  /** The measured value passes inside [low, high]. */
  readonly low: number;
  readonly high: number;
  readonly pass: boolean;
  /** Paper and figure, table or equation; `derived` where it was checked by simulation only. */
  readonly source: string;
}

/** What a reproduction found. */
export interface ReproductionResult {
  readonly claims: readonly ClaimResult[];
  readonly figures?: Readonly<Record<string, PlainFigure>>;
  /** Plain data behind the figures and claims, for result.json. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Set-ups that the paper does not give and what was taken instead. */
  readonly notes: readonly string[];
}

/** A figure or table of the sources as an experiment that passes or fails. */
export interface Reproduction {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** Of the full size, on two cores, where it is too long to run with all others: it runs when it is named. */
  readonly hours?: number | undefined;
  /** `tiny` runs in the tests within about two seconds, `full` within minutes. Both check claims. */
  run(size: 'tiny' | 'full', context: TopicContext): Promise<ReproductionResult>;
}

/** A claim that a value is `expected` within `tolerance`. */
export function near(
  claim: string,
  measured: number,
  expected: number,
  tolerance: number,
  source: string,
): ClaimResult {
  return between(claim, measured, expected - tolerance, expected + tolerance, source, `${expected} ± ${tolerance}`);
}

/** A claim that a value lies in [low, high]. */
export function between(
  claim: string,
  measured: number,
  low: number,
  high: number,
  source: string,
  expected: string = `${low} to ${high}`,
): ClaimResult {
  return { claim, expected, measured, low, high, pass: measured >= low && measured <= high, source };
}
