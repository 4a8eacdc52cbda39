import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../errors/errors.ts';
import { intrinsicDimension } from './intrinsic-dimension.ts';

describe('intrinsicDimension', () => {
  it('intrinsicDimension.run() passes every claim at its tiny size, each of which can fail', async () => {
    const done: number[] = [];
    const { claims, figures, values } = await intrinsicDimension.run('tiny', {
      seed: 0,
      onProgress: (n) => done.push(n),
    });
    expect(claims.filter((c) => !c.pass)).toEqual([]);
    expect(claims).toHaveLength(5 * 2 + 3 * 5);
    // No interval reaches the next whole dimension's estimate of the low shapes: a wrong dimension would fail.
    for (const { low, high } of claims.slice(0, 4)) expect(high - low).toBeLessThan(1);
    expect(Object.keys(figures ?? {})).toEqual(['shapes', 'noise']);
    expect(JSON.parse(JSON.stringify(values))).toEqual(values);
    expect(done).toEqual([1, 2, 3, 4, 5]);
  });

  it('intrinsicDimension.run() stops when told', async () => {
    const context = { seed: 0, signal: AbortSignal.abort() };
    await expect(intrinsicDimension.run('tiny', context)).rejects.toThrow(CancelledError);
  });
});
