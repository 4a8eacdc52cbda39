import { describe, expect, it, test } from 'vitest';
import { CancelledError } from '../../errors/errors.ts';
import { explainedVariance } from './explained-variance.ts';
import { hiddenGaussian } from './hidden-gaussian.ts';
import { localDenoiserToys } from './local-denoiser.ts';
import { manifoldRank } from './manifold-rank.ts';
import { posteriorCovariance } from './posterior-covariance.ts';
import { between } from './reproduction.ts';
import { teleportation } from './teleportation.ts';
import { twoModels } from './two-models.ts';

const all = [
  hiddenGaussian,
  explainedVariance,
  teleportation,
  localDenoiserToys,
  posteriorCovariance,
  manifoldRank,
  twoModels,
];

describe.each(all.map((reproduction) => [reproduction.name, reproduction] as const))('%s', (_, reproduction) => {
  it('run() passes every claim at its tiny size, with bounds that JSON can hold', { timeout: 20_000 }, async () => {
    const { claims, values } = await reproduction.run('tiny', { seed: 0 });
    expect(claims.filter(({ pass }) => !pass)).toEqual([]);
    expect(claims.length).toBeGreaterThan(2);
    for (const { low, high, measured } of claims) expect([low, high, measured].every(Number.isFinite)).toBe(true);
    expect(JSON.parse(JSON.stringify(values))).toEqual(values);
  });

  it('run() stops on a signal', async () => {
    await expect(reproduction.run('tiny', { seed: 0, signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});

test('the claims of local denoisers fail for a machine that knows places, and for one that memorizes', async () => {
  const { claims } = await localDenoiserToys.run('tiny', { seed: 0 });
  const find = (start: string): (typeof claims)[number] => claims.find((c) => c.claim.startsWith(start)) as (typeof claims)[number]; // prettier-ignore
  const moved = find('ELS, circular');
  expect(between('LS', find('LS on the same').measured, moved.low, moved.high, 'test').pass).toBe(false);
  const mixed = find('samples that mix');
  expect(between('ideal denoiser', 0, mixed.low, mixed.high, 'test').pass).toBe(false);
});

test('the claims of manifolds fail for one dimension more or less', async () => {
  const { claims } = await manifoldRank.run('tiny', { seed: 0 });
  const ranks = claims.filter(({ claim }) => claim.includes('eigenvalues above'));
  for (const { low, high, measured } of ranks) {
    for (const other of [measured - 1, measured + 1])
      expect(between('other', other, low, high, 'test').pass).toBe(false);
  }
});
