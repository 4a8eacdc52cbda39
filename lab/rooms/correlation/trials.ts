import { throwIfAborted } from '../../../src/errors/errors.ts';
import { matmul } from '../../../src/linalg/matmul.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import { alignments, leadingDirections } from '../../../src/theory/learned-linear.ts';
import { reverseProducts } from '../../../src/theory/linear-reverse.ts';
import { drawTrainingSet } from '../../../src/theory/training-set.ts';
import { trialMean, trialRatio } from '../../../src/theory/trials.ts';
import type { TrialMean } from '../../../src/theory/trials.ts';
import type { Operation, OperationContext } from '../../compute/protocol.ts';
import { sigmaGrid, spectrumOf } from './closed-forms.ts';
import type { DirectionPoint } from './closed-forms.ts';
import type { CorrelationState } from './room.ts';

/** A mean over trials with its interval of 95 %. */
export interface MeasuredPoint extends DirectionPoint {
  readonly low: number;
  readonly high: number;
}

/** What the trials so far say. */
export interface Measured {
  readonly trials: number;
  readonly points: readonly MeasuredPoint[];
}

/** Noise levels that are measured. */
const LEVELS = 10;

/**
 * Alignment of learned with true directions over noise; every trial draws data, and noise at every level.
 * The random numbers are those of `eigenlens theory critical-noise` at the same seed.
 */
export const measureAlignment: Operation<CorrelationState, Measured, Measured> = async (state, context) => {
  const spectrum = spectrumOf(state);
  const { dimension, samples, draws, seed, measure } = state;
  const sigmas = sigmaGrid(state, LEVELS);
  // [level][direction][trial]
  const values = sigmas.map(() => spectrum.map((): number[] => []));
  const trial = (t: number): void => {
    const set = drawTrainingSet({ seed, path: ['critical', t] }, { spectrum, dimension, count: samples });
    sigmas.forEach((sigma, s) => {
      const noise = { sigma, draws, stream: { seed, path: ['critical', t, s] } };
      const overlaps = alignments(leadingDirections(set, noise, spectrum.length).vectors);
      overlaps.forEach((c2, i) => values[s]?.[i]?.push(measure === 'cosine' ? c2 : Math.sqrt(Math.max(0, 1 - c2))));
    });
  };
  const points = (): MeasuredPoint[] =>
    sigmas.flatMap((x, s) =>
      spectrum.map((_, direction) => pointOf(direction, x, trialMean(values[s]?.[direction] as number[]))),
    );
  return repeat('measureAlignment', state.trials, trial, points, context);
};

/**
 * Gains of the product of learned projections relative to the first direction; fresh data and noise at every step of every trial.
 * The random numbers are those of `eigenlens theory linear-reverse` at the same seed.
 */
export const measureGains: Operation<CorrelationState, Measured, Measured> = async (state, context) => {
  const spectrum = spectrumOf(state);
  const { dimension, samples, draws, sigma, steps, seed } = state;
  const rank = spectrum.length;
  const truth = identityRows(rank, dimension);
  // [step][direction][trial]
  const gains = Array.from({ length: steps }, () => spectrum.map((): number[] => []));
  const trial = (t: number): void => {
    const projections = gains.map((_, k) => {
      const stream = { seed, path: ['operator', t, 'data', k] };
      const set = drawTrainingSet(stream, { spectrum, dimension, count: samples });
      const noise = { sigma, draws, stream: { seed, path: ['operator', t, 'noise', k] } };
      const { vectors } = leadingDirections(set, noise, rank);
      return matmul(vectors, vectors, { transposeA: true });
    });
    reverseProducts(projections, truth).forEach((product, k) => {
      spectrum.forEach((_, i) => gains[k]?.[i]?.push(product.data[i * dimension + i] as number));
    });
  };
  const points = (): MeasuredPoint[] =>
    gains.flatMap((at, k) =>
      spectrum.slice(1).map((_, i) => pointOf(i + 1, k + 1, trialRatio(at[i + 1] as number[], at[0] as number[]))),
    );
  return repeat('measureGains', state.trials, trial, points, context);
};

/** Runs trials in turn and says after each what all so far say together. */
async function repeat(
  where: string,
  count: number,
  trial: (t: number) => void,
  points: () => MeasuredPoint[],
  { signal, progress, emit }: OperationContext<Measured>,
): Promise<Measured> {
  for (let t = 0; t < count; t++) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // a cancel must be heard
    throwIfAborted(where, signal);
    trial(t);
    progress(t + 1, count);
    // One trial says nothing of its spread.
    if (t > 0 && t < count - 1) emit({ trials: t + 1, points: points() });
  }
  return { trials: count, points: points() };
}

function pointOf(direction: number, x: number, { mean, low, high }: TrialMean): MeasuredPoint {
  return { direction, x, y: mean, low, high };
}

function identityRows(rank: number, dimension: number): Tensor<'float64'> {
  const rows = new Float64Array(rank * dimension);
  for (let i = 0; i < rank; i++) rows[i * dimension + i] = 1;
  return tensor('float64', [rank, dimension], rows);
}
