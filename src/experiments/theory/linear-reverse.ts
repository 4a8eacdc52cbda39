import { DomainError } from '../../errors/errors.ts';
import { flowVariance, telescopedVariance } from '../../theory/linear-gains.ts';
import { outputCovariance } from '../../theory/linear-reverse.ts';
import { trialProjections } from '../../theory/linear-trials.ts';
import type { OperatorSetting } from '../../theory/linear-trials.ts';
import { gainRatios, powerIterationRatios, projectionGains, runningGains } from '../../theory/power-iteration.ts';
import { aspectRatio } from '../../theory/spiked-covariance.ts';
import type { Curve, CurveFigure } from '../plain-figure.ts';
import { checkedSpectrum, spectrumParameters } from './critical-noise.ts';
import { operatorRatio, operatorTrials } from './operator-product.ts';
import type { OperatorTrials } from './operator-product.ts';
import { checkedTrials, intervals } from './overlap.ts';
import type { TheoryTopic, TopicContext, TopicResult } from './topic.ts';

/** Curves in a figure beside the first direction, which is 1 by definition. */
const MOST_CURVES = 5;

/** `eigenlens theory linear-reverse`: the linear reverse process as power iteration, beside samplers that do not collapse. */
export const linearReverseTopic: TheoryTopic = {
  name: 'linear-reverse',
  summary: 'the product of learned linear denoisers against power iteration and against the ordinary sampler',
  source: 'arXiv 2410.14730 (sizes and schedule unknown: those of the flags); flow: arXiv 2410.24060',
  parameters: {
    ...spectrumParameters,
    p: { meaning: 'dimension of the data', fallback: 200 },
    n: { meaning: 'number of samples', fallback: 400 },
    draws: { meaning: 'noise draws per sample', fallback: 1 },
    steps: { meaning: 'steps of the reverse process', fallback: 20 },
    sigmaMin: { meaning: 'lowest noise level', fallback: 1 },
    sigmaMax: { meaning: 'highest noise level; equal to the lowest for equal steps', fallback: 1 },
    trials: { meaning: 'Monte Carlo trials beside the formula, 0 for none', fallback: 0 },
  },
  async compute(parameters, context): Promise<TopicResult> {
    const { p = 200, n = 400, draws = 1 } = parameters;
    const trials = checkedTrials(parameters['trials'] ?? 0);
    const spectrum = checkedSpectrum(parameters, p);
    const sigmas = levels(parameters);
    const gamma = aspectRatio(p, n, draws);
    const running = runningGains(sigmas.map((sigma) => projectionGains(spectrum, sigma * sigma, gamma)));
    const last = running[running.length - 1] as Float64Array;
    const top = sigmas[sigmas.length - 1] as number;
    const setting: OperatorSetting = { spectrum, dimension: p, samples: n, draws, sigmas, data: 'fresh' };
    const measured = trials > 0 ? await operatorTrials(setting, trials, context) : undefined;
    const found = measured && spectrum.map((_, i) => operatorRatio(measured, sigmas.length, i));
    const ratios = [...gainRatios(last)];
    const power = [...powerIterationRatios(spectrum, sigmas.length)];
    const contrast = {
      telescopedVariance: spectrum.map((variance) => telescopedVariance(variance, top)),
      flowVariance: spectrum.map((variance) => flowVariance(variance, top)),
    };
    const outputs = measured && outputVariances(setting, context);
    return {
      values: {
        ...{ p, n, draws, gamma, spectrum, sigmas },
        gains: [...last],
        // JSON has no NaN: a first direction that is lost itself leaves no ratio.
        ratios: ratios.map((ratio) => (Number.isNaN(ratio) ? null : ratio)),
        powerIterationRatios: power,
        ...contrast,
        ...(found && { monteCarloRatios: found }),
        ...(outputs && { outputVariance: outputs }),
      },
      table: {
        columns: [
          'direction',
          'variance',
          'gain',
          'ratio',
          'lam^k ratio',
          'flow variance',
          ...(found ? ['measured', 'low', 'high'] : []),
        ],
        rows: spectrum.map((variance, i) => [
          ...[i + 1, variance, last[i] as number, ratios[i] as number, power[i] as number],
          contrast.flowVariance[i] as number,
          ...(found ? [found[i]?.mean as number, found[i]?.low as number, found[i]?.high as number] : []),
        ]),
      },
      figures: {
        ratios: ratioFigure(running, measured, setting),
        ...(outputs && { output: outputFigure(spectrum, contrast, outputs) }),
      },
    };
  },
};

function levels({ steps = 20, sigmaMin = 1, sigmaMax = 1 }: Readonly<Record<string, number>>): number[] {
  if (!(Number.isInteger(steps) && steps >= 1 && sigmaMin > 0 && sigmaMin <= sigmaMax && sigmaMax < Infinity)) {
    throw new DomainError(
      'linear-reverse',
      `expected whole steps >= 1 and 0 < sigma-min <= sigma-max, got ${steps}, ${sigmaMin} and ${sigmaMax}.`,
    );
  }
  return Array.from({ length: steps }, (_, k) => sigmaMin * (sigmaMax / sigmaMin) ** (steps > 1 ? k / (steps - 1) : 1));
}

/** Variance along the true directions of what the recursion returns, of one trial, with and without noise put back. */
export interface OutputVariances {
  readonly start: readonly number[];
  /** Every step denoises, then noise of variance sigma_k^2 brings the state back to the level of step k. */
  readonly reinjected: readonly number[];
}

function outputVariances(setting: OperatorSetting, { seed }: TopicContext): OutputVariances {
  const { sigmas, spectrum, dimension } = setting;
  const steps = trialProjections(setting, { seed, trial: 0 });
  const square = sigmas.map((sigma) => sigma * sigma);
  const top = square[square.length - 1] as number;
  const along = (variances: readonly number[]): number[] => {
    const { covariance } = outputCovariance(steps, variances);
    return spectrum.map((_, i) => covariance.data[i * (dimension + 1)] as number);
  };
  return {
    start: along(square.map((_, k) => (k === square.length - 1 ? top : 0))),
    reinjected: along(square),
  };
}

function ratioFigure(
  running: readonly Float64Array[],
  measured: OperatorTrials | undefined,
  { spectrum, sigmas }: OperatorSetting,
): CurveFigure {
  const x = sigmas.map((_, k) => k + 1);
  const directions = spectrum.map((_, i) => i).slice(1, 1 + MOST_CURVES);
  const curves = directions.flatMap((i): Curve[] => {
    const line = {
      name: `direction ${i + 1}, mean operator`,
      x,
      y: running.map((gains) => gainRatios(gains)[i] as number),
    };
    const power = x.map((k) => powerIterationRatios(spectrum, k)[i] as number);
    const points = measured && x.map((k) => operatorRatio(measured, k, i));
    return [
      { ...line, style: 'line' },
      { name: `direction ${i + 1}, power iteration on the covariance`, x, y: power, style: 'dashed' },
      ...(points ? [{ name: `direction ${i + 1}, learned`, x, ...intervals(points), style: 'points' as const }] : []),
    ];
  });
  return {
    kind: 'curves',
    title: 'What the product of learned projections keeps beside the first direction',
    xLabel: 'steps k',
    yLabel: 'gain relative to direction 1',
    yScale: 'log',
    curves: curves.map(positiveOnly),
  };
}

/** A log axis has no place for the 0 of a direction below its threshold. */
function positiveOnly({ name, style, ...curve }: Curve): Curve {
  const kept = curve.y.flatMap((y, i) => (y > 0 && (curve.low?.[i] ?? y) > 0 ? [i] : []));
  const only = (values: readonly number[] | undefined): number[] => kept.map((i) => values?.[i] as number);
  const ends = curve.low && curve.high ? { low: only(curve.low), high: only(curve.high) } : {};
  return { name, style, x: only(curve.x), y: only(curve.y), ...ends };
}

function outputFigure(
  spectrum: readonly number[],
  contrast: { readonly telescopedVariance: readonly number[]; readonly flowVariance: readonly number[] },
  outputs: OutputVariances,
): CurveFigure {
  const x = spectrum.map((_, i) => i + 1);
  const relative = (values: readonly number[]): number[] => values.map((value) => value / (values[0] as number));
  const curve = (name: string, values: readonly number[], style: Curve['style']): Curve =>
    positiveOnly({ name, x, y: relative(values), style });
  return {
    kind: 'curves',
    title: 'Variance of what comes out, relative to direction 1',
    xLabel: 'direction',
    yLabel: 'variance / variance of direction 1',
    yScale: 'log',
    curves: [
      curve('data', spectrum, 'dashed'),
      curve('probability flow of the Wiener filter', contrast.flowVariance, 'line'),
      curve('exact linear steps (one Wiener filter)', contrast.telescopedVariance, 'line'),
      curve('learned projections', outputs.start, 'points'),
      curve('projections with noise put back', outputs.reinjected, 'points'),
    ],
  };
}
