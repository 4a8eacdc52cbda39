import { describe, expect, it } from 'vitest';
import { memorizationCurve } from './memorization-curve.ts';
import { mixtureGeneralization } from './mixture-generalization.ts';

describe.each([
  { reproduction: memorizationCurve, claims: 9, figures: ['scores', 'distances', 'gap', 'peak', 'samples'] },
  { reproduction: mixtureGeneralization, claims: 5, figures: ['generalization'] },
])('$reproduction.name', ({ reproduction, claims, figures }) => {
  it('run() passes every claim at its tiny size', { timeout: 120_000 }, async () => {
    const result = await reproduction.run('tiny', { seed: 0 });
    expect(result.claims.filter((c) => !c.pass)).toEqual([]);
    expect(result.claims).toHaveLength(claims);
    expect(Object.keys(result.figures ?? {})).toEqual(figures);
    expect(JSON.parse(JSON.stringify(result.values))).toEqual(result.values);
  });
});
