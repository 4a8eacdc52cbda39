import { describe, expect, it } from 'vitest';

import { criticalNoiseTopic } from '../../../src/experiments/theory/critical-noise.ts';
import { linearReverseTopic } from '../../../src/experiments/theory/linear-reverse.ts';
import type { OperationContext } from '../../compute/protocol.ts';
import { alignmentCurves, criticalNoises, gainCurves } from './closed-forms.ts';
import { operations } from './operations.ts';
import { codec } from './room.ts';
import type { CorrelationState } from './room.ts';

const state: CorrelationState = {
  ...codec.start,
  dimension: 30,
  samples: 60,
  trials: 3,
  steps: 4,
  seed: 5,
  sigma: 0.8,
};
const { top, decay, count, dimension: p, samples: n, draws, trials, steps, sigma, seed } = state;
const flags = { top, decay, count, p, n, draws, trials };
const context: OperationContext<unknown> = {
  signal: new AbortController().signal,
  progress: () => undefined,
  emit: () => undefined,
};

interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

describe('measureAlignment()', () => {
  it('has the numbers of eigenlens theory critical-noise at the same seed', async () => {
    const { values } = await criticalNoiseTopic.compute(flags, { seed });
    const wanted = values['monteCarlo'] as { sigmas: number[]; sine: { mean: number[]; low: number[] } }[];
    const { cosine, sine } = await operations.measureAlignment(state, context);
    for (const { direction, x, y, low } of sine) {
      const s = wanted[direction]?.sigmas.findIndex((level) => Math.abs(level - x) < 1e-12) as number;
      expect(y).toBeCloseTo(wanted[direction]?.sine.mean[s] as number, 12);
      expect(low).toBeCloseTo(wanted[direction]?.sine.low[s] as number, 12);
    }
    expect(sine.length).toBe(10 * count);
    expect(cosine.map(({ direction, x }) => [direction, x])).toEqual(sine.map(({ direction, x }) => [direction, x]));
    expect(criticalNoises(state)).toEqual(values['criticalSigma']);
  });

  it('lies on the closed form where the sizes are large', async () => {
    const large = { ...state, dimension: 200, samples: 1000, trials: 4 };
    const { cosine } = await operations.measureAlignment(large, context);
    const curves = alignmentCurves(large, 'cosine');
    // theory.md A.2: 2 / sqrt(n) a trial, more near the threshold, which is left out.
    const clear = cosine.filter(({ direction, x }) => x < 0.7 * (criticalNoises(large)[direction] as number));
    expect(clear.length).toBeGreaterThan(10);
    for (const { direction, x, y } of clear) {
      const near = curves.filter((c) => c.direction === direction);
      const at = near.reduce((a, b) => (Math.abs(a.x - x) < Math.abs(b.x - x) ? a : b));
      expect(Math.abs(at.y - y)).toBeLessThan(2 / Math.sqrt(1000));
    }
  });
});

describe('measureGains()', () => {
  it('has the numbers of eigenlens theory linear-reverse at the same seed', async () => {
    const { values } = await linearReverseTopic.compute(
      { ...flags, steps, sigmaMin: sigma, sigmaMax: sigma },
      { seed },
    );
    const points = await operations.measureGains(state, context);
    const last = points.filter(({ x }) => x === steps);
    const wanted = (values['monteCarloRatios'] as Interval[]).slice(1);
    last.forEach(({ y, low, high }, i) => {
      expect(y).toBeCloseTo(wanted[i]?.mean as number, 12);
      expect([low, high].map((v) => v.toFixed(9))).toEqual([wanted[i]?.low, wanted[i]?.high].map((v) => v?.toFixed(9)));
    });
    const { learned, power } = gainCurves(state);
    const end = (curve: typeof learned): number[] => curve.filter(({ x }) => x === steps).map(({ y }) => y);
    expect(end(learned)).toEqual((values['ratios'] as number[]).slice(1));
    expect(end(power)).toEqual((values['powerIterationRatios'] as number[]).slice(1));
  });

  it('stops when told to', async () => {
    const stopped = operations.measureGains(state, { ...context, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
