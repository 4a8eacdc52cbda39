import type { CopyMeasure } from '../analysis/copying/rules.ts';
import type { AuditVerdict } from './audit-result.ts';

/** Whether a rule counts: it keeps silent on held-out images, where the upper end of its null rate lies within the tolerance. */
export function isCounting(nullRate: { readonly high: number }, tolerance: number): boolean {
  return nullRate.high <= tolerance;
}

/**
 * What the measures that count say together. Copying is found where the lower end of one such rate lies above the tolerance; the model is
 * cleared where the upper ends of all lie within it.
 * @param tolerance  largest memorized fraction that is tolerated
 */
export function verdictOf(
  measures: readonly CopyMeasure[],
  tolerance: number,
): { readonly verdict: AuditVerdict; readonly reason: string } {
  const limit = percent(tolerance);
  const counting = measures.filter((measure) => isCounting(measure.null, tolerance));
  if (counting.length === 0) {
    return {
      verdict: 'not enough evidence',
      reason: `No rule keeps below ${limit} on the held-out images. Give more of them, or a higher --tolerance.`,
    };
  }
  const worst = counting.reduce((a, b) => (b.low > a.low ? b : a));
  if (worst.low > tolerance) {
    const { low, high } = worst;
    return {
      verdict: 'copies',
      reason: `${percent(worst.value)} of the samples are copies by ${naming(worst)} (95 % interval ${percent(low)} to ${percent(high)}); ${limit} is tolerated.`,
    };
  }
  const open = counting.reduce((a, b) => (b.high > a.high ? b : a));
  if (open.high > tolerance) {
    return {
      verdict: 'not enough evidence',
      reason: `By ${naming(open)} up to ${percent(open.high)} may be copies, and ${limit} is tolerated. Draw more --samples.`,
    };
  }
  return {
    verdict: 'does not copy',
    reason: `At most ${percent(open.high)} of the samples are copies by any of ${counting.length} measures (upper end of the 95 % interval); ${limit} is tolerated.`,
  };
}

/** A measure in words: `the ratio rule on pixels`. */
function naming({ rule, descriptor }: CopyMeasure): string {
  return `the ${rule} rule on ${descriptor}`;
}

function percent(value: number): string {
  return `${Number((100 * value).toPrecision(value >= 0.0995 ? 3 : 2))} %`;
}
