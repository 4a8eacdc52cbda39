import { describe, expect, it } from 'vitest';

import { CancelledError } from '../../errors/errors.ts';
import { clusteringEquivalence } from './clustering-equivalence.ts';

describe('clustering-equivalence', () => {
  it('clustering-equivalence tiny passes every claim', async () => {
    const { claims, figures } = await clusteringEquivalence.run('tiny', { seed: 0 });
    expect(claims.filter(({ pass }) => !pass)).toEqual([]);
    expect(claims.length).toBeGreaterThan(4);
    expect(Object.keys(figures ?? {}).length).toBeGreaterThan(0);
  });

  it('clustering-equivalence stops on a signal', async () => {
    await expect(clusteringEquivalence.run('tiny', { seed: 0, signal: AbortSignal.abort() })).rejects.toThrow(
      CancelledError,
    );
  });
});
