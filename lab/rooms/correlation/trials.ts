import {
  emergenceLevels,
  geometricSpectrum,
  trialAlignments,
  trialOperators,
} from '../../../src/theory/linear-trials.ts';
import { repeatTrials, trialMean, trialRatio } from '../../../src/theory/trials.ts';
import type { TrialMean } from '../../../src/theory/trials.ts';
import type { Operation, OperationContext } from '../../compute/protocol.ts';
import { criticalNoises, measureOf } from './closed-forms.ts';
import type { DataInput, DirectionPoint, StepInput } from './closed-forms.ts';
import type { CorrelationState, Measure } from './room.ts';

type TrialInput = Pick<CorrelationState, 'trials' | 'seed'>;

/** What the trials of alignment depend on. */
export type AlignmentInput = DataInput & TrialInput;

/** What the trials of power iteration depend on. */
export type GainInput = StepInput & TrialInput;

/** A mean over trials with its interval of 95 %. */
export interface MeasuredPoint extends DirectionPoint {
  readonly low: number;
  readonly high: number;
}

/** The same trials in either measure, so that another look at them needs no other trials. */
export type MeasuredAlignment = Readonly<Record<Measure, readonly MeasuredPoint[]>>;

/** Noise levels that are measured: those of `eigenlens theory critical-noise`. */
const LEVELS = 10;
/** Means more often than this are nobody's to see. */
const EMIT_MS = 80;

/**
 * Alignment of learned with true directions over noise; every trial draws data, and noise at every level.
 * The random numbers are those of `eigenlens theory critical-noise` at the same seed.
 */
export const measureAlignment: Operation<AlignmentInput, MeasuredAlignment, MeasuredAlignment> = async (
  input,
  context,
) => {
  const { dimension, samples, draws, seed, trials } = input;
  const spectrum = geometricSpectrum(input);
  const setting = { spectrum, dimension, samples, draws };
  const sigmas = emergenceLevels(criticalNoises(input), LEVELS);
  // [level][trial] of one squared cosine a direction
  const found = sigmas.map((): Float64Array[] => []);
  const run = (unit: number): void => {
    const [trial, level] = [Math.floor(unit / LEVELS), unit % LEVELS];
    found[level]?.push(trialAlignments(setting, sigmas[level] as number, { seed, trial, level }));
  };
  const points = (measure: Measure): MeasuredPoint[] =>
    sigmas.flatMap((x, level) =>
      spectrum.map((_, i) =>
        pointOf(i, x, trialMean((found[level] as Float64Array[]).map((c2) => measureOf(c2[i] as number, measure)))),
      ),
    );
  return repeat(
    'measureAlignment',
    { trials, parts: LEVELS },
    run,
    () => ({ cosine: points('cosine'), sine: points('sine') }),
    context,
  );
};

/**
 * Gains of the product of learned projections relative to the first direction; fresh data and noise at every step of every trial.
 * The random numbers are those of `eigenlens theory linear-reverse` at the same seed.
 */
export const measureGains: Operation<GainInput, readonly MeasuredPoint[], readonly MeasuredPoint[]> = async (
  input,
  context,
) => {
  const { dimension, samples, draws, sigma, steps, seed, trials } = input;
  const spectrum = geometricSpectrum(input);
  const sigmas = new Array<number>(steps).fill(sigma);
  const setting = { spectrum, dimension, samples, draws, sigmas, data: 'fresh' } as const;
  const blocks: Float64Array[][] = [];
  const run = (trial: number): void => void blocks.push(trialOperators(setting, { seed, trial }));
  const along = (k: number, i: number): number[] =>
    blocks.map((steps) => steps[k]?.[i * (spectrum.length + 1)] as number);
  const points = (): MeasuredPoint[] =>
    sigmas.flatMap((_, k) =>
      spectrum.slice(1).map((_, i) => pointOf(i + 1, k + 1, trialRatio(along(k, i + 1), along(k, 0)))),
    );
  return repeat('measureGains', { trials, parts: 1 }, run, points, context);
};

/** Runs the parts of trials in turn, and says now and then what all trials so far say together. */
async function repeat<T>(
  where: string,
  { trials, parts }: { readonly trials: number; readonly parts: number },
  run: (part: number) => void,
  meanwhile: () => T,
  { signal, progress, emit }: OperationContext<T>,
): Promise<T> {
  let saidAt = -Infinity;
  const onTrial = (done: number): void => {
    progress(done, trials * parts);
    // One trial says nothing of its spread; the last are in the result.
    if (done % parts !== 0 || done === parts || done === trials * parts || performance.now() - saidAt < EMIT_MS) return;
    emit(meanwhile());
    saidAt = performance.now();
  };
  await repeatTrials(where, trials * parts, run, { signal, onTrial });
  return meanwhile();
}

function pointOf(direction: number, x: number, { mean, low, high }: TrialMean): MeasuredPoint {
  return { direction, x, y: mean, low, high };
}
