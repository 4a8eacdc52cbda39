import type { DenoisingGap } from '../analysis/copying/denoising.ts';
import type { AuditRate, AuditResult, AuditVerdict } from '../experiments/audit-result.ts';
import { isCounting } from '../experiments/audit-verdict.ts';
import type { InspectCopying } from '../experiments/inspect-result.ts';

/** What one rule finds among the samples and among held-out images. */
export interface MostCopies {
  readonly samples: AuditRate;
  readonly heldout: AuditRate;
  /** Whether the verdict stands on the rule. */
  readonly counts: boolean;
}

/** Of the rules that count the one that finds most copies, of all where none counts; undefined where no rule applies. */
export function mostCopies(
  { memorized, null: nulls }: Pick<AuditResult, 'memorized' | 'null'>,
  tolerance: number,
): MostCopies | undefined {
  const rates = memorized.map((samples, i): MostCopies => {
    const heldout = nulls[i] as AuditRate;
    return { samples, heldout, counts: isCounting(heldout, tolerance) };
  });
  return rates.toSorted((a, b) => Number(b.counts) - Number(a.counts) || b.samples.value - a.samples.value)[0];
}

/** `copies: 91 % of 256 samples (ratio on pixels)`. */
export function copiesInWords(copying: InspectCopying): string {
  const most = mostCopies(copying, copying.tolerance);
  if (most === undefined) return copying.verdict;
  const { value, rule, descriptor } = most.samples;
  return `${copying.verdict}: ${percent(value)} of ${copying.samples} samples (${rule} on ${descriptor})`;
}

/** A share for people: two digits, and `0 %` and `100 %` only where they are meant. */
export function percent(value: number): string {
  const tenths = Math.min(999, Math.max(1, Math.round(1000 * value))) / 10;
  if (value === 0 || value === 1) return `${100 * value} %`;
  return `${tenths >= 10 && tenths <= 99 ? tenths.toFixed(0) : tenths.toFixed(1)} %`;
}

/** The noise level at which a model, or one of two, knows its training images best. */
export function widestGap(...models: readonly (InspectCopying | undefined)[]): number | undefined {
  const gaps = models.flatMap((model): readonly DenoisingGap[] => model?.denoising ?? []);
  return gaps.toSorted((a, b) => b.gap.value - a.gap.value)[0]?.sigma;
}

/** A verdict as a heading. */
export const VERDICTS: Readonly<Record<AuditVerdict, string>> = {
  copies: 'Copies its training set',
  'does not copy': 'Does not copy',
  'not enough evidence': 'Not enough evidence',
};
