import { emergenceLevels, geometricSpectrum } from '../../../src/theory/linear-trials.ts';
import {
  gainRatios,
  powerIterationRatios,
  projectionGains,
  runningGains,
} from '../../../src/theory/power-iteration.ts';
import { aspectRatio, criticalNoise, overlapSquared } from '../../../src/theory/spiked-covariance.ts';
import type { CorrelationState, Measure } from './room.ts';

/** The data and how they are sampled: what every closed form depends on. */
export type DataInput = Pick<CorrelationState, 'top' | 'decay' | 'count' | 'dimension' | 'samples' | 'draws'>;

/** The power iteration of those data. */
export type StepInput = DataInput & Pick<CorrelationState, 'sigma' | 'steps'>;

/** One direction over noise or over steps; direction counts from 0. */
export interface DirectionPoint {
  readonly direction: number;
  readonly x: number;
  readonly y: number;
}

/** A squared cosine in the measure that is looked at. */
export function measureOf(cosineSquared: number, measure: Measure): number {
  return measure === 'cosine' ? cosineSquared : Math.sqrt(Math.max(0, 1 - cosineSquared));
}

/** Noise level at which each direction is lost. */
export function criticalNoises(data: DataInput): number[] {
  const gamma = aspectRatio(data.dimension, data.samples, data.draws);
  return geometricSpectrum(data).map((variance) => criticalNoise(variance, gamma));
}

/** Alignment of every direction over noise. */
export function alignmentCurves(data: DataInput, measure: Measure): DirectionPoint[] {
  const gamma = aspectRatio(data.dimension, data.samples, data.draws);
  const critical = criticalNoises(data);
  // The thresholds too: there the curves have a corner.
  const sigmas = [...emergenceLevels(critical, 121), ...critical].sort((a, b) => a - b);
  return geometricSpectrum(data).flatMap((variance, direction) =>
    sigmas.map((x) => ({ direction, x, y: measureOf(overlapSquared(variance / x ** 2, gamma), measure) })),
  );
}

/** Gains relative to the first direction after 1, 2, ... steps: of the mean learned operator, and of the covariance itself. */
export function gainCurves(input: StepInput): { learned: DirectionPoint[]; power: DirectionPoint[] } {
  const { dimension, samples, draws, sigma, steps } = input;
  const spectrum = geometricSpectrum(input);
  const gains = projectionGains(spectrum, sigma ** 2, aspectRatio(dimension, samples, draws));
  const running = runningGains(Array.from({ length: steps }, () => gains));
  const points = (ratios: (steps: number) => ArrayLike<number>): DirectionPoint[] =>
    running.flatMap((_, k) => {
      const at = ratios(k + 1);
      return spectrum.slice(1).map((_, i) => ({ direction: i + 1, x: k + 1, y: at[i + 1] as number }));
    });
  return {
    learned: points((k) => gainRatios(running[k - 1] as Float64Array)),
    power: points((k) => powerIterationRatios(spectrum, k)),
  };
}

/**
 * What the deterministic reverse process x <- D(x) + (sigma' / sigma) (x - D(x)) has made of the state along every direction when it
 * comes to each noise level, with the mean learned projection D: above its critical noise a direction falls with the noise, below it stays.
 * @param variances  of the data along the directions, >= 0
 * @param gamma      dimensions per noise draw
 * @param sigmas     noise levels, descending; every step of the process is one of these
 * @returns factors since the first level, one a direction for each level
 * @source Karras et al. 2022, arXiv 2206.00364, eq. 1 and 3 by Euler steps; gains: theory.md A.2
 */
export function reverseFactors(variances: ArrayLike<number>, gamma: number, sigmas: readonly number[]): Float64Array[] {
  const steps = sigmas.map((to, k) => {
    const from = sigmas[k - 1] ?? to;
    return projectionGains(variances, from ** 2, gamma).map((gain) => gain + (to / from) * (1 - gain));
  });
  return runningGains(steps);
}
