import { DomainError } from '../../errors/errors.ts';
import { alignments, leadingDirections } from '../../theory/learned-linear.ts';
import {
  aspectRatio,
  bulkEdges,
  overlapSquared,
  recoveryThreshold,
  sampleEigenvalue,
} from '../../theory/spiked-covariance.ts';
import { drawTrainingSet } from '../../theory/training-set.ts';
import { repeatTrials, trialMean } from '../../theory/trials.ts';
import type { TrialMean } from '../../theory/trials.ts';
import type { Curve, CurveFigure } from '../plain-figure.ts';
import type { TheoryTopic, TopicContext, TopicResult } from './topic.ts';

/** One cell of the overlap table: dimension p, samples n, noise draws m per sample, signal over noise variance. */
export interface OverlapCell {
  readonly dimension: number;
  readonly samples: number;
  readonly draws: number;
  readonly snr: number;
}

/** What the trials of a cell measured, one number a trial. */
export interface OverlapTrials {
  /** Squared cosine of the leading sample direction with the true one. */
  readonly overlaps: Float64Array;
  /** Leading eigenvalue of the noisy sample covariance, noise variance 1. */
  readonly eigenvalues: Float64Array;
}

/**
 * Monte Carlo of one cell: fresh data and fresh noise of variance 1 every trial.
 * @throws DomainError outside the domain of the cell; CancelledError
 */
export async function overlapTrials(
  { dimension, samples, draws, snr }: OverlapCell,
  trials: number,
  { seed, signal }: TopicContext,
): Promise<OverlapTrials> {
  const overlaps = new Float64Array(trials);
  const eigenvalues = new Float64Array(trials);
  const run = (t: number): void => {
    const stream = (name: string): { seed: number; path: (number | string)[] } => ({
      seed,
      path: ['overlap', dimension, samples, draws === Infinity ? 0 : draws, snr, t, name],
    });
    const set = drawTrainingSet(stream('data'), { spectrum: [snr], dimension, count: samples });
    const lead = leadingDirections(set, { sigma: 1, draws, stream: stream('noise') }, 1);
    overlaps[t] = alignments(lead.vectors)[0] as number;
    eigenvalues[t] = lead.values[0] as number;
  };
  await repeatTrials('overlap', trials, run, { signal });
  return { overlaps, eigenvalues };
}

/** A number of trials as a user gives it: 0 for none, else at least 2. @throws DomainError */
export function checkedTrials(trials: number): number {
  if (trials === 0 || (Number.isInteger(trials) && trials >= 2)) return trials;
  throw new DomainError('trials', `expected 0 or a whole number >= 2, got ${trials}.`);
}

/** `eigenlens theory overlap`: how well one noisy principal component knows its direction. */
export const overlapTopic: TheoryTopic = {
  name: 'overlap',
  summary: 'squared cosine between a true direction and its estimate from noisy samples',
  source: 'Paul 2007; Benaych-Georges and Nadakuditi 2011; as used for arXiv 2410.14730',
  parameters: {
    p: { meaning: 'dimension of the data' },
    n: { meaning: 'number of samples' },
    snr: { meaning: 'variance along the direction over the noise variance' },
    draws: { meaning: 'noise draws per sample; Infinity averages the noise away', fallback: 1 },
    trials: { meaning: 'Monte Carlo trials beside the formula, 0 for none', fallback: 0 },
  },
  async compute(parameters, context): Promise<TopicResult> {
    const { p = 0, n = 0, snr = 0, draws = 1 } = parameters;
    const trials = checkedTrials(parameters['trials'] ?? 0);
    const gamma = aspectRatio(p, n, draws);
    const overlap = overlapSquared(snr, gamma);
    const cell = { dimension: p, samples: n, draws, snr };
    const measured = trials > 0 ? await overlapTrials(cell, trials, context) : undefined;
    const found = measured && {
      overlapSquared: trialMean(measured.overlaps),
      sampleEigenvalue: trialMean(measured.eigenvalues),
    };
    const eigenvalue = sampleEigenvalue(snr, gamma);
    return {
      values: {
        p,
        n,
        snr,
        draws: draws === Infinity ? 'Infinity' : draws,
        gamma,
        threshold: recoveryThreshold(gamma),
        overlapSquared: overlap,
        sine: Math.sqrt(1 - overlap),
        sampleEigenvalue: eigenvalue,
        bulkEdge: bulkEdges(gamma).upper,
        ...(found && { monteCarlo: found }),
      },
      table: overlapRows(overlap, eigenvalue, gamma, found),
      figures: { overlap: await overlapFigure(cell, trials, context) },
    };
  },
};

function overlapRows(
  overlap: number,
  eigenvalue: number,
  gamma: number,
  found: { overlapSquared: TrialMean; sampleEigenvalue: TrialMean } | undefined,
): { columns: string[]; rows: (string | number)[][] } {
  const interval = (mean: TrialMean | undefined): (string | number)[] =>
    mean === undefined ? [] : [mean.mean, mean.low, mean.high];
  return {
    columns: ['quantity', 'formula', ...(found ? ['mean', 'low', 'high'] : [])],
    rows: [
      ['overlap squared', overlap, ...interval(found?.overlapSquared)],
      ['sample eigenvalue', eigenvalue, ...interval(found?.sampleEigenvalue)],
      ['threshold', recoveryThreshold(gamma), ...(found ? ['', '', ''] : [])],
      ['bulk edge', bulkEdges(gamma).upper, ...(found ? ['', '', ''] : [])],
    ],
  };
}

const POINTS = 9;

async function overlapFigure(cell: OverlapCell, trials: number, context: TopicContext): Promise<CurveFigure> {
  const gamma = aspectRatio(cell.dimension, cell.samples, cell.draws);
  const threshold = recoveryThreshold(gamma);
  // With infinitely many draws there is no threshold to centre the axis on.
  const centre = threshold > 0 ? threshold : 1;
  const grid = (count: number): number[] =>
    Array.from({ length: count }, (_, i) => centre * 10 ** (-1 + (2.5 * i) / (count - 1)));
  const line = grid(201);
  const curves: Curve[] = [
    { name: 'closed form', x: line, y: line.map((snr) => overlapSquared(snr, gamma)), style: 'line' },
  ];
  if (threshold > 0) curves.push({ name: 'threshold √γ', x: [threshold, threshold], y: [0, 1], style: 'dashed' });
  if (trials > 0) {
    const means: TrialMean[] = [];
    const x = grid(POINTS);
    for (const snr of x) {
      means.push(trialMean((await overlapTrials({ ...cell, snr }, trials, context)).overlaps));
      context.onProgress?.(means.length, POINTS);
    }
    curves.push({ name: `Monte Carlo, ${trials} trials`, x, ...intervals(means), style: 'points' });
  }
  const { dimension, samples, draws } = cell;
  return {
    kind: 'curves',
    title: `Overlap of a noisy principal component, p = ${dimension}, n = ${samples}, m = ${draws}`,
    xLabel: 'signal variance / noise variance',
    yLabel: 'cos² θ',
    xScale: 'log',
    curves,
  };
}

/** Means and their intervals as the ordinates of a curve. */
export function intervals(means: readonly TrialMean[]): { y: number[]; low: number[]; high: number[] } {
  return { y: means.map((m) => m.mean), low: means.map((m) => m.low), high: means.map((m) => m.high) };
}
