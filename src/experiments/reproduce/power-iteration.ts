import type { OperatorSetting } from '../../theory/linear-trials.ts';
import { gainRatios, projectionGains, runningGains } from '../../theory/power-iteration.ts';
import type { CurveFigure } from '../plain-figure.ts';
import { meanOperator, operatorRatio, operatorTrials } from '../theory/operator-product.ts';
import type { OperatorTrials } from '../theory/operator-product.ts';
import { intervals } from '../theory/overlap.ts';
import { between, near } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const DERIVED = 'derived: mean operator of learned projections, checked by simulation';
const SPECTRUM = [10, 5, 2];
const STEPS = 20;

/** The product of learned projections is power iteration: the ratios of the gains fall as predicted. */
export const powerIteration: Reproduction = {
  name: 'power-iteration',
  title: 'The linear reverse process as power iteration',
  source: 'arXiv 2410.14730, theorem 4.3 (convergence in mean to the leading eigenvector)',
  async run(size, context): Promise<ReproductionResult> {
    const trials = size === 'full' ? 40 : 4;
    const sigmas = new Array<number>(STEPS).fill(1);
    const setting: OperatorSetting = {
      spectrum: SPECTRUM,
      dimension: 200,
      samples: 400,
      draws: 1,
      sigmas,
      data: 'fresh',
    };
    const fresh = await operatorTrials(setting, trials, context);
    const fixed = size === 'full' ? await operatorTrials({ ...setting, data: 'fixed' }, trials, context) : undefined;
    const gains = projectionGains(SPECTRUM, 1, 0.5);
    const predicted = runningGains(sigmas.map(() => gains));
    const one = meanOperator(fresh, 1);
    const last = meanOperator(fresh, STEPS);
    const second = operatorRatio(fresh, STEPS, 1);
    const third = operatorRatio(fresh, STEPS, 2);
    // With few trials the claim is that the printed value lies within what they can tell: four standard errors more.
    const slack = (error: number): number => (size === 'full' ? 0 : 4 * error);
    return {
      claims: [
        ...[0, 1, 2].map((i) =>
          near(
            `mean gain of one step along direction ${i + 1}`,
            one[i * 4] as number,
            gains[i] as number,
            size === 'full' ? 0.01 : 0.04,
            DERIVED,
          ),
        ),
        between('largest mean coupling of one step between directions', offDiagonal(one), 0, 0.03, DERIVED),
        near('ratio of gains 2 : 1 after 20 steps', second.mean, 0.29, 0.02 + slack(second.standardError), DERIVED),
        near('ratio of gains 3 : 1 after 20 steps', third.mean, 0.0023, 0.001 + slack(third.standardError), DERIVED),
        between('share of direction 1 in the trace after 20 steps', (last[0] as number) / trace(last), 0.7, 1, DERIVED),
        ...(fixed ? fixedClaims(fixed) : []),
      ],
      figures: { ratios: ratioFigure(predicted, fresh, fixed) },
      values: {
        trials,
        gains: [...gains],
        ratios: [...gainRatios(predicted[STEPS - 1] as Float64Array)],
        oneStep: [...one],
        twentySteps: [...last],
        measuredRatios: [second, third],
        ...(fixed && { fixedData: [...meanOperator(fixed, STEPS)] }),
      },
      notes: [
        'The sizes and the schedule of the paper are unknown: p 200, n 400, variances 10, 5 and 2, noise variance 1 at all 20 steps, one noise draw.',
        'Fresh data and noise at every step; with one training set the gains are its own and its rotated covariance couples the directions.',
      ],
    };
  },
};

/** One training set differs from the next: the ranges hold what ten of them gave, and the values of theory.md. */
function fixedClaims(fixed: OperatorTrials): ClaimResult[] {
  const last = meanOperator(fixed, STEPS);
  const what = 'after 20 steps, one training set';
  return [
    near(`gain along direction 1 ${what}`, last[0] as number, 0.366, 0.06, DERIVED),
    near(`gain along direction 2 ${what}`, last[4] as number, 0.125, 0.08, DERIVED),
    between(`gain along direction 3 ${what}`, last[8] as number, 0, 0.006, DERIVED),
    between(`largest coupling of directions ${what}`, offDiagonal(last), 0.002, 0.06, DERIVED),
  ];
}

function trace(block: Float64Array): number {
  return (block[0] as number) + (block[4] as number) + (block[8] as number);
}

function offDiagonal(block: Float64Array): number {
  return block.reduce((most, x, i) => (i % 4 === 0 ? most : Math.max(most, Math.abs(x))), 0);
}

function ratioFigure(
  predicted: readonly Float64Array[],
  fresh: OperatorTrials,
  fixed: OperatorTrials | undefined,
): CurveFigure {
  const x = predicted.map((_, k) => k + 1);
  const points = (name: string, measured: OperatorTrials, i: number): CurveFigure['curves'][number] => ({
    name: `direction ${i + 1}${name}`,
    x,
    // A log axis ends above 0: the lower end of an interval of few trials may not.
    ...positive(intervals(x.map((k) => operatorRatio(measured, k, i)))),
    style: 'points',
  });
  return {
    kind: 'curves',
    title: 'Gain relative to direction 1: product of learned projections',
    xLabel: 'steps k',
    yLabel: 'gain relative to direction 1',
    yScale: 'log',
    curves: [1, 2].flatMap((i) => [
      {
        name: `direction ${i + 1}, predicted`,
        x,
        y: predicted.map((gains) => gainRatios(gains)[i] as number),
        style: 'line' as const,
      },
      points(', fresh data', fresh, i),
      ...(fixed ? [points(' of one training set', fixed, i)] : []),
    ]),
  };
}

function positive(ends: ReturnType<typeof intervals>): ReturnType<typeof intervals> {
  return { ...ends, low: ends.low.map((low, i) => Math.max(low, (ends.y[i] as number) / 10)) };
}
