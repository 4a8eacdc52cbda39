import type { Rate } from '../../../src/analysis/copying/interval.ts';

/** A rate in words: `8 of 10 samples are copies: 80 % (95 % interval 44 % to 97 %).` */
export function rateText({ hits, count, value, low, high }: Rate, what: string): string {
  return `${hits} of ${count} ${what}: ${percent(value)} (95 % interval ${percent(low)} to ${percent(high)}).`;
}

/** A share as percent, of three digits at most. */
export function percent(share: number): string {
  return `${Number((100 * share).toFixed(share < 0.1 && share > 0 ? 1 : 0))} %`;
}
