import { describe, expect, it } from 'vitest';

import { CancelledError } from '../../errors/errors.ts';
import { networkPhase } from './network-phase.ts';

describe('network-phase', () => {
  it('network-phase tiny passes every claim', async () => {
    const { claims, figures } = await networkPhase.run('tiny', { seed: 0 });
    expect(claims.filter(({ pass }) => !pass)).toEqual([]);
    expect(claims.length).toBeGreaterThan(4);
    expect(Object.keys(figures ?? {}).length).toBeGreaterThan(0);
  });

  it('network-phase stops on a signal', async () => {
    await expect(networkPhase.run('tiny', { seed: 0, signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});
