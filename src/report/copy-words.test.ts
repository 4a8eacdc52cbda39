import { describe, expect, it } from 'vitest';
import type { AuditRate } from '../experiments/audit-result.ts';
import { copiesInWords, mostCopies } from './copy-words.ts';

function rate(rule: AuditRate['rule'], value: number, high: number): AuditRate {
  const source = { kind: 'stated' } as const;
  return { rule, threshold: 0.5, source, descriptor: 'pixels', value, low: value, high, hits: 100 * value, count: 100 };
}

describe('mostCopies()', () => {
  const rates = {
    memorized: [rate('similarity', 0.3, 0.4), rate('ratio', 0, 0.03), rate('distance', 0.01, 0.04)],
    null: [rate('similarity', 0.28, 0.35), rate('ratio', 0, 0.01), rate('distance', 0.01, 0.02)],
  };

  it('mostCopies() leaves out a rule that finds as many copies among held-out images, as the verdict does', () => {
    const most = mostCopies(rates, 0.05);
    expect(most).toEqual({ samples: rates.memorized[2], heldout: rates.null[2], counts: true });
  });

  it('mostCopies() takes the rule that finds most where none counts, and says so', () => {
    expect(mostCopies(rates, 0.001)).toMatchObject({ samples: rates.memorized[0], counts: false });
    expect(mostCopies({ memorized: [], null: [] }, 0.05)).toBeUndefined();
  });

  it('copiesInWords() gives the rate of a rule that counts beside the verdict', () => {
    const train = { name: 'train', count: 60, hash: '', leftOut: [] };
    const found = { verdict: 'does not copy', reason: '', samples: 100, tolerance: 0.05, train, pairs: [], notes: [] };
    const words = copiesInWords({ ...found, ...rates, verdict: 'does not copy' });
    expect(words).toBe('does not copy: 1.0 % of 100 samples (distance on pixels)');
  });
});
