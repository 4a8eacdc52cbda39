import {
  gainRatios,
  powerIterationRatios,
  projectionGains,
  runningGains,
} from '../../../src/theory/power-iteration.ts';
import { aspectRatio, criticalNoise, overlapSquared } from '../../../src/theory/spiked-covariance.ts';
import type { CorrelationState } from './room.ts';

/** One direction over noise or over steps; direction counts from 0. */
export interface DirectionPoint {
  readonly direction: number;
  readonly x: number;
  readonly y: number;
}

/** The variances of the spectrum, descending. */
export function spectrumOf({ top, decay, count }: Pick<CorrelationState, 'top' | 'decay' | 'count'>): number[] {
  return Array.from({ length: count }, (_, i) => top * decay ** i);
}

/** Noise level at which each direction is lost. */
export function criticalNoises(state: CorrelationState): number[] {
  const gamma = aspectRatio(state.dimension, state.samples, state.draws);
  return spectrumOf(state).map((variance) => criticalNoise(variance, gamma));
}

/**
 * Noise levels from a quarter of the last critical one to twice the first, in equal ratios.
 * With 10 of them those that `eigenlens theory critical-noise` measures at.
 */
export function sigmaGrid(state: CorrelationState, count: number): number[] {
  const critical = criticalNoises(state);
  const [low, high] = [(critical.at(-1) as number) / 4, 2 * (critical[0] as number)];
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)));
}

/** Alignment of every direction over noise, in the measure of the state. */
export function alignmentCurves(state: CorrelationState): DirectionPoint[] {
  const gamma = aspectRatio(state.dimension, state.samples, state.draws);
  // The thresholds too: there the curves have a corner.
  const sigmas = [...sigmaGrid(state, 161), ...criticalNoises(state)].sort((a, b) => a - b);
  return spectrumOf(state).flatMap((variance, direction) =>
    sigmas.map((x) => {
      const overlap = overlapSquared(variance / x ** 2, gamma);
      return { direction, x, y: state.measure === 'cosine' ? overlap : Math.sqrt(1 - overlap) };
    }),
  );
}

/** Gains relative to the first direction after 1, 2, ... steps: of the mean learned operator, and of the covariance itself. */
export function gainCurves(state: CorrelationState): { learned: DirectionPoint[]; power: DirectionPoint[] } {
  const spectrum = spectrumOf(state);
  const gamma = aspectRatio(state.dimension, state.samples, state.draws);
  const gains = projectionGains(spectrum, state.sigma ** 2, gamma);
  const running = runningGains(Array.from({ length: state.steps }, () => gains));
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
