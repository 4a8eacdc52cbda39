import { describe, expect, it } from 'vitest';

import { CancelledError } from '../../errors/errors.ts';
import { pcaEquivalence } from './pca-equivalence.ts';

describe('pca-equivalence', () => {
  it('pca-equivalence tiny passes every claim', async () => {
    const { claims, figures } = await pcaEquivalence.run('tiny', { seed: 0 });
    expect(claims.filter(({ pass }) => !pass)).toEqual([]);
    expect(claims.length).toBeGreaterThan(4);
    expect(Object.keys(figures ?? {}).length).toBeGreaterThan(0);
  });

  it('pca-equivalence stops on a signal', async () => {
    await expect(pcaEquivalence.run('tiny', { seed: 0, signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});
