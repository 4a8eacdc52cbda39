import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../errors/errors.ts';
import { worstSquaredError } from '../../theory/sample-complexity.ts';
import { belowBoundary } from './below-boundary.ts';
import { mixturePosteriorCheck } from './mixture-posterior.ts';
import { phaseBoundary } from './phase-boundary.ts';
import { rankPlateaus } from './rank-plateaus.ts';
import type { ClaimResult, Reproduction } from './reproduction.ts';

const all: readonly Reproduction[] = [phaseBoundary, belowBoundary, rankPlateaus, mixturePosteriorCheck];

function accepts({ low, high }: ClaimResult, value: number): boolean {
  return value >= low && value <= high;
}

describe('reproductions of subspace clustering', () => {
  it.each(all.map((reproduction) => [reproduction.name, reproduction] as const))(
    '%s passes its tiny version, with plain data',
    async (_, reproduction) => {
      const { claims, values, notes } = await reproduction.run('tiny', { seed: 0 });
      expect(claims.filter(({ pass }) => !pass)).toEqual([]);
      expect(claims.length).toBeGreaterThan(3);
      expect(notes.length).toBeGreaterThan(0);
      expect(JSON.parse(JSON.stringify(values))).toEqual(values);
    },
  );

  it.each(all.map((reproduction) => [reproduction.name, reproduction] as const))(
    '%s stops on its signal',
    async (_, reproduction) => {
      const stopped = reproduction.run('tiny', { seed: 0, signal: AbortSignal.abort() });
      await expect(stopped).rejects.toThrow(CancelledError);
    },
  );

  it("below-boundary fails for the worst case in the expectation's place", async () => {
    const { claims } = await belowBoundary.run('tiny', { seed: 3 });
    const measured = claims.filter(({ claim }) => claim.startsWith('mean'));
    [2, 4, 6].forEach((N, i) => {
      expect(accepts(measured[i] as ClaimResult, worstSquaredError(48, 8, N))).toBe(false);
    });
  });

  it('rank-plateaus and phase-boundary fail for the neighbouring plateau and an imperfect boundary', async () => {
    const plateaus = (await rankPlateaus.run('tiny', { seed: 0 })).claims;
    expect(accepts(plateaus[0] as ClaimResult, 7 / 48)).toBe(false);
    expect(accepts(plateaus[3] as ClaimResult, 11 / 48)).toBe(false);
    const boundary = (await phaseBoundary.run('tiny', { seed: 0 })).claims;
    expect(accepts(boundary[0] as ClaimResult, 1 / 20)).toBe(false);
    expect(accepts(boundary[1] as ClaimResult, 19 / 20)).toBe(false);
  });
});
