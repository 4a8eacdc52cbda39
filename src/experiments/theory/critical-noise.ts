import { DomainError } from '../../errors/errors.ts';
import { emergenceLevels, geometricSpectrum, trialAlignments } from '../../theory/linear-trials.ts';
import type { LinearSetting } from '../../theory/linear-trials.ts';
import { aspectRatio, criticalNoise, overlapSquared } from '../../theory/spiked-covariance.ts';
import { repeatTrials, trialMean } from '../../theory/trials.ts';
import type { Curve } from '../plain-figure.ts';
import { checkedTrials, intervals } from './overlap.ts';
import type { TheoryTopic, TopicContext, TopicParameter, TopicResult } from './topic.ts';

/** Curves in a figure; more cannot be told apart. */
const MOST_CURVES = 6;
const POINTS = 10;

/** Flags of a geometric spectrum of variances. */
export const spectrumParameters: Readonly<Record<'top' | 'decay' | 'count', TopicParameter>> = {
  top: { meaning: 'largest variance of the clean data', fallback: 10 },
  decay: { meaning: 'factor from one variance to the next, above 0 and at most 1', fallback: 0.5 },
  count: { meaning: 'number of directions with variance', fallback: 3 },
};

/** The spectrum of those flags. @throws DomainError outside their meaning, or for more directions with variance than dimensions */
export function checkedSpectrum(parameters: Readonly<Record<string, number>>, dimension: number): number[] {
  const { top = 10, decay = 0.5, count = 3 } = parameters;
  const spectrum = geometricSpectrum({ top, decay, count });
  if (spectrum.length <= dimension) return spectrum;
  throw new DomainError(
    'spectrum',
    `expected a count of at most the dimension p = ${dimension}, got ${spectrum.length}.`,
  );
}

/** `eigenlens theory critical-noise`: the noise level at which each direction of a spectrum is found. */
export const criticalNoiseTopic: TheoryTopic = {
  name: 'critical-noise',
  summary: 'noise level below which each direction of a spectrum can be learned',
  source:
    'spiked covariance threshold; sine of angle against noise as in arXiv 2410.14730, figure 3 (its sizes are unknown)',
  parameters: {
    ...spectrumParameters,
    p: { meaning: 'dimension of the data', fallback: 200 },
    n: { meaning: 'number of samples', fallback: 400 },
    draws: { meaning: 'noise draws per sample', fallback: 1 },
    trials: { meaning: 'Monte Carlo trials beside the formula, 0 for none', fallback: 0 },
  },
  async compute(parameters, context): Promise<TopicResult> {
    const { p = 200, n = 400, draws = 1 } = parameters;
    const trials = checkedTrials(parameters['trials'] ?? 0);
    const spectrum = checkedSpectrum(parameters, p);
    const gamma = aspectRatio(p, n, draws);
    const critical = spectrum.map((variance) => criticalNoise(variance, gamma));
    if (gamma === 0) {
      throw new DomainError(
        'critical-noise',
        'expected finitely many draws: with Infinity no noise hides a direction.',
      );
    }
    const shown = shownDirections(spectrum.length);
    const setting = { spectrum, dimension: p, samples: n, draws };
    const found = trials > 0 ? await measured(setting, critical, shown, trials, context) : [];
    const curves = [...closedForms(spectrum, critical, gamma, shown), ...found.map(({ curve }) => curve)];
    return {
      values: {
        ...{ p, n, draws, gamma, spectrum, criticalSigma: critical },
        ...(trials > 0 && {
          monteCarlo: found.map(({ direction, curve: { x, y, low, high } }) => ({
            ...{ direction, sigmas: x, sine: { mean: y, low, high } },
          })),
        }),
      },
      table: trials > 0 ? sineTable(found, spectrum, gamma) : criticalTable(spectrum, critical),
      figures: {
        emergence: {
          kind: 'curves',
          title: `Angle between learned and true directions, p = ${p}, n = ${n}, m = ${draws}`,
          xLabel: 'noise level σ',
          yLabel: 'sin θ',
          xScale: 'log',
          curves,
        },
      },
    };
  },
};

/** Sines of the trials along one direction, over noise. */
interface Measured {
  /** From 1. */
  readonly direction: number;
  readonly curve: Curve & { readonly low: readonly number[]; readonly high: readonly number[] };
}

function criticalTable(spectrum: readonly number[], critical: readonly number[]): NonNullable<TopicResult['table']> {
  return {
    columns: ['direction', 'variance', 'critical sigma'],
    rows: spectrum.map((variance, i) => [i + 1, variance, critical[i] as number]),
  };
}

function sineTable(
  found: readonly Measured[],
  spectrum: readonly number[],
  gamma: number,
): NonNullable<TopicResult['table']> {
  return {
    columns: ['direction', 'critical sigma', 'sigma', 'sine', 'measured', 'low', 'high'],
    rows: found.flatMap(({ direction, curve: { x, y, low, high } }) => {
      const variance = spectrum[direction - 1] as number;
      return x.map((sigma, s) => [
        ...[direction, criticalNoise(variance, gamma), sigma, sine(variance, sigma, gamma)],
        ...[y[s] as number, low[s] as number, high[s] as number],
      ]);
    }),
  };
}

/** Sine of the angle between learned and true direction. */
function sine(variance: number, sigma: number, gamma: number): number {
  return Math.sqrt(1 - overlapSquared(variance / sigma ** 2, gamma));
}

function shownDirections(count: number): number[] {
  const number = Math.min(count, MOST_CURVES);
  return Array.from({ length: number }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, number - 1)));
}

function closedForms(
  spectrum: readonly number[],
  critical: readonly number[],
  gamma: number,
  shown: readonly number[],
): Curve[] {
  const x = emergenceLevels(critical, 161);
  return shown.map((i) => ({
    name: `direction ${i + 1}`,
    x,
    y: x.map((sigma) => sine(spectrum[i] as number, sigma, gamma)),
    style: 'line' as const,
  }));
}

async function measured(
  setting: LinearSetting,
  critical: readonly number[],
  shown: readonly number[],
  trials: number,
  { seed, signal, onProgress }: TopicContext,
): Promise<Measured[]> {
  const x = emergenceLevels(critical, POINTS);
  const sines = x.map(() => shown.map(() => new Float64Array(trials)));
  for (const [s, sigma] of x.entries()) {
    const run = (trial: number): void => {
      const found = trialAlignments(setting, sigma, { seed, trial, level: s });
      shown.forEach((i, c) => ((sines[s]?.[c] as Float64Array)[trial] = Math.sqrt(Math.max(0, 1 - (found[i] as number))))); // prettier-ignore
    };
    await repeatTrials('critical-noise', trials, run, { signal });
    onProgress?.(s + 1, x.length);
  }
  return shown.map((i, c) => {
    const ends = intervals(sines.map((at) => trialMean(at[c] as Float64Array)));
    return {
      direction: i + 1,
      curve: { name: `direction ${i + 1}, ${trials} trials`, x, ...ends, style: 'points' as const },
    };
  });
}
