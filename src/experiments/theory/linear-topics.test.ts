import { expect, test } from 'vitest';
import { CancelledError, DomainError } from '../../errors/errors.ts';
import type { CurveFigure } from '../plain-figure.ts';
import { criticalNoiseTopic } from './critical-noise.ts';
import { linearReverseTopic } from './linear-reverse.ts';
import { meanOperator, operatorTrials } from './operator-product.ts';
import { overlapTopic } from './overlap.ts';
import type { TheoryTopic } from './topic.ts';

const context = { seed: 4 };

test('overlap gives 2/3 for p 200, n 1000, snr 1, and trials that agree', async () => {
  const { values } = await overlapTopic.compute({ p: 200, n: 1000, snr: 1, draws: 1, trials: 4 }, context);
  expect(values['overlapSquared']).toBeCloseTo(2 / 3, 12);
  expect(values['threshold']).toBeCloseTo(Math.sqrt(0.2), 15);
  expect(values['sampleEigenvalue']).toBeCloseTo(2.4, 12);
  expect(values['bulkEdge']).toBeCloseTo((1 + Math.sqrt(0.2)) ** 2, 12);
  const found = values['monteCarlo'] as { overlapSquared: { mean: number; low: number; high: number } };
  expect(Math.abs(found.overlapSquared.mean - 2 / 3)).toBeLessThan(0.08);
  expect(found.overlapSquared.low).toBeLessThan(found.overlapSquared.high);
});

test('overlap with infinitely many draws is 1, and its values survive JSON', async () => {
  const { values } = await overlapTopic.compute({ p: 20, n: 10, snr: 0.01, draws: Infinity, trials: 2 }, context);
  expect(JSON.parse(JSON.stringify(values))).toMatchObject({ draws: 'Infinity', overlapSquared: 1, threshold: 0 });
  expect((values['monteCarlo'] as { overlapSquared: { mean: number } }).overlapSquared.mean).toBeCloseTo(1, 12);
});

test('critical-noise of variances 10 and 5 at n / p = 2 is 3.76 and 2.66, and the curves reach 1 there', async () => {
  const { values, figures } = await criticalNoiseTopic.compute({ count: 2, p: 20, n: 40, trials: 2 }, context);
  const [first, second] = values['criticalSigma'] as [number, number];
  expect(first).toBeCloseTo(3.7606, 4);
  expect(second).toBeCloseTo(2.6591, 4);
  const { curves } = figures?.['emergence'] as CurveFigure;
  expect(curves.map((curve) => curve.style)).toEqual(['line', 'line', 'points', 'points']);
  const line = curves[0] as CurveFigure['curves'][number];
  line.x.forEach((sigma, i) => expect((line.y[i] as number) === 1).toBe(sigma >= first));
});

test('critical-noise with trials has their sines in its values and its table, near those of the closed form', async () => {
  const { values, table } = await criticalNoiseTopic.compute({ count: 1, p: 50, n: 500, trials: 4 }, context);
  const [found] = values['monteCarlo'] as { sigmas: number[]; sine: { mean: number[] } }[];
  expect(table?.rows).toHaveLength(10);
  for (const [s, [, critical, sigma, sine, measured]] of (table?.rows as number[][]).entries()) {
    expect([sigma, measured]).toEqual([found?.sigmas[s], found?.sine.mean[s]]);
    // Near the threshold finite size is seen.
    if ((sigma as number) < 0.7 * (critical as number)) expect(Math.abs((measured as number) - (sine as number))).toBeLessThan(0.06); // prettier-ignore
  }
});

test('linear-reverse gives the mean operator, whose ratios trials meet, and variances that do not collapse', async () => {
  const parameters = { p: 50, n: 400, steps: 6, trials: 6, sigmaMax: 2 };
  const { values, figures } = await linearReverseTopic.compute(parameters, context);
  const ratios = values['ratios'] as number[];
  const measured = values['monteCarloRatios'] as { mean: number; standardError: number }[];
  // Four standard errors and a bias of a few in n for each of the six steps.
  measured.forEach(({ mean, standardError }, i) =>
    expect(Math.abs(mean - (ratios[i] as number))).toBeLessThan(4 * standardError + (6 * 4) / 400),
  );
  const outputs = values['outputVariance'] as { start: number[]; reinjected: number[] };
  const spread = ([a = 0, b = 0, c = 0]: number[]): number => c / (a + b);
  expect(spread(outputs.start)).toBeLessThan(spread(outputs.reinjected));
  expect((values['flowVariance'] as number[])[0]).toBeCloseTo((10 * 4) / 14, 12);
  expect(Object.keys(figures ?? {})).toEqual(['ratios', 'output']);
});

test('linear-reverse beyond the critical noise of every direction leaves no ratio, and says so in JSON', async () => {
  const { values } = await linearReverseTopic.compute({ sigmaMax: 100, steps: 3 }, context);
  expect(values['gains']).toEqual([0, 0, 0]);
  expect(values['ratios']).toEqual([null, null, null]);
});

test('operatorTrials() with one training set learns the same data at every step', async () => {
  const setting = { spectrum: [10, 5], dimension: 20, samples: 15, draws: Infinity, sigmas: [1, 2, 3] };
  // With the noise averaged away every projection is the one of the clean data, and a projection is its own square.
  const fixed = await operatorTrials({ ...setting, data: 'fixed' }, 2, context);
  const [one, three] = [meanOperator(fixed, 1), meanOperator(fixed, 3)];
  one.forEach((x, i) => expect(Math.abs(x - (three[i] as number))).toBeLessThan(1e-13));
});

const bad: [TheoryTopic, Record<string, number>][] = [
  [overlapTopic, { p: 0, n: 10, snr: 1 }],
  [overlapTopic, { p: 10, n: 0, snr: 1 }],
  [overlapTopic, { p: 10, n: 10, snr: -1 }],
  [overlapTopic, { p: 10, n: 10, snr: 1, trials: 1 }],
  [criticalNoiseTopic, { decay: 0 }],
  [criticalNoiseTopic, { top: -1 }],
  [criticalNoiseTopic, { draws: Infinity }],
  [criticalNoiseTopic, { count: 9, p: 4 }],
  [linearReverseTopic, { count: 9, p: 4 }],
  [linearReverseTopic, { steps: 0 }],
  [linearReverseTopic, { sigmaMin: 2, sigmaMax: 1 }],
];
test.each(bad.map(([topic, parameters]) => [topic.name, parameters, topic] as const))(
  '%s refuses %o',
  async (_, parameters, topic) => {
    await expect(topic.compute(parameters, context)).rejects.toThrow(DomainError);
  },
);

test('a topic stops when its signal does', async () => {
  const signal = AbortSignal.abort();
  for (const topic of [overlapTopic, criticalNoiseTopic, linearReverseTopic]) {
    const run = topic.compute({ p: 20, n: 20, snr: 1, trials: 2 }, { seed: 1, signal });
    await expect(run).rejects.toThrow(CancelledError);
  }
});
