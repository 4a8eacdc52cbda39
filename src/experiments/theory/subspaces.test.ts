import { describe, expect, it } from 'vitest';
import { CancelledError, DomainError } from '../../errors/errors.ts';
import type { CurveFigure } from '../plain-figure.ts';
import { belowBoundaryTopic } from './below-boundary.ts';
import { boundaryTopic } from './boundary.ts';
import { posteriorTopic } from './posterior.ts';
import type { PosteriorLevel } from './posterior.ts';

describe('boundaryTopic', () => {
  it('compute() has the boundary alone without trials', async () => {
    const { values, figures } = await boundaryTopic.compute({ n: 48, d: 4 }, { seed: 0 });
    expect(values).toMatchObject({ n: 48, d: 4, K: 1, noise: 0, threshold: 0.5, boundary: 4 });
    expect(values).not.toHaveProperty('success');
    expect(Object.keys(figures ?? {})).toEqual(['error']);
    expect((await boundaryTopic.compute({ n: 48, d: 4, K: 2 }, { seed: 0 })).values['boundary']).toBe(5);
  });

  it('compute() with trials has success by N: 0 below the boundary and 1 from it on', async () => {
    const { values, table, figures } = await boundaryTopic.compute({ n: 48, d: 3, trials: 5 }, { seed: 0 });
    expect(values['success']).toEqual({ 1: 0, 2: 0, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1 });
    expect(table?.rows.every((row) => row.length === table.columns.length)).toBe(true);
    const [predicted, measured] = (figures?.['success'] as CurveFigure).curves;
    expect(predicted?.x).toEqual([3, 3]);
    expect(measured?.low?.every((low, i) => low <= (measured.y[i] as number))).toBe(true);
  });

  it('compute() with noise draws the bounds of the theorems, the upper above what is measured', async () => {
    const result = await boundaryTopic.compute({ n: 20, d: 2, noise: 0.01, trials: 10 }, { seed: 0 });
    const { curves } = result.figures?.['error'] as CurveFigure;
    const upper = curves.find(({ name }) => name.startsWith('upper'));
    const measured = curves.find(({ name }) => name.startsWith('mean'));
    // N = d is left out: there the error has heavy tails and the bound holds with probability only.
    upper?.x.slice(1).forEach((N, i) => {
      expect(upper.y[i + 1]).toBeGreaterThan(measured?.y[N - 1] as number);
    });
  });

  it.each([
    [{ n: 0, d: 1 }, 'expected n to be a whole number >= 1, got 0'],
    [{ n: 4, d: 5 }, 'expected a rank of at most the dimension 4, got 5'],
    [{ n: 8, d: 3, K: 3 }, 'expected K d of at most the dimension 8, got 9'],
    [{ n: 8, d: 3, K: 0 }, 'components'],
    [{ n: 8, d: 3, noise: -1 }, 'noise >= 0'],
    [{ n: 8, d: 3, trials: 1.5 }, 'a whole number, got 1.5'],
    [{ n: 8, d: 3, trials: 1, K: 2, restarts: 0 }, 'restarts'],
  ])('compute(%o) throws DomainError that says why', async (parameters, why) => {
    await expect(boundaryTopic.compute(parameters, { seed: 0 })).rejects.toThrow(DomainError);
    await expect(boundaryTopic.compute(parameters, { seed: 0 })).rejects.toThrow(why);
  });
});

describe('belowBoundaryTopic', () => {
  it('compute() has the expected and worst squared errors, and the measured ones between 0 and the worst', async () => {
    const { values, table } = await belowBoundaryTopic.compute({ n: 48, d: 8, trials: 10 }, { seed: 0 });
    const rows = values['byCount'] as { N: number; expected: number; worst: number; measured: number }[];
    expect(rows.map(({ expected }) => Number(expected.toFixed(2)))).toEqual([
      11.91, 10.43, 8.89, 7.27, 5.58, 3.81, 1.95, 0,
    ]);
    rows.slice(0, 7).forEach(({ expected, worst, measured }) => {
      expect(measured).toBeLessThanOrEqual(worst);
      expect(Math.abs(measured - expected)).toBeLessThan(0.5);
    });
    expect(table?.columns).toEqual(['N', 'expected', 'worst', 'measured']);
    await expect(belowBoundaryTopic.compute({ n: 3, d: 4 }, { seed: 0 })).rejects.toThrow(DomainError);
  });
});

describe('posteriorTopic', () => {
  it('compute() has rank plateaus d / n and K d / n, and weights from 1 to 1 / K', async () => {
    const { values, figures } = await posteriorTopic.compute({ n: 12, K: 3, d: 2, points: 4 }, { seed: 0 });
    expect(values['plateaus']).toEqual({ low: 2 / 12, high: 6 / 12 });
    const levels = values['levels'] as PosteriorLevel[];
    const [first, last] = [levels[0] as PosteriorLevel, levels.at(-1) as PosteriorLevel];
    expect([first.rankRatio, last.rankRatio]).toEqual([2 / 12, 6 / 12]);
    expect(first.ownWeight).toBeCloseTo(1, 12);
    expect(last.ownWeight).toBeCloseTo(1 / 3, 2);
    // At sigma = 0.002 what is left wrong is the noise inside the subspace: sigma sqrt(d / n), give or take 4 points' spread.
    expect(first.error / (0.002 * Math.sqrt(2 / 12))).toBeGreaterThan(0.4);
    expect(first.error / (0.002 * Math.sqrt(2 / 12))).toBeLessThan(1.8);
    expect(Object.keys(figures ?? {})).toEqual(['rank', 'weight']);
  });

  it('compute() refuses mixtures that are none and stops on its signal', async () => {
    const run = (parameters: Record<string, number>) => posteriorTopic.compute(parameters, { seed: 0 });
    await expect(run({ variance: 0 })).rejects.toThrow('positive variances');
    await expect(run({ n: 8, K: 2, d: 5 })).rejects.toThrow('sum of at most 8');
    await expect(run({ points: 0 })).rejects.toThrow('expected points to be whole and >= 1, got 0');
    const stopped = posteriorTopic.compute({}, { seed: 0, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow(CancelledError);
  });
});
