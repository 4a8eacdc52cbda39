import type { Dataset } from '../data/dataset.ts';
import type { Network } from '../denoisers/network/network.ts';
import { CancelledError, NumericalError, ShapeError } from '../errors/errors.ts';
import { sameShape, showShape } from '../tensor/tensor.ts';
import type { AdamState } from './adam.ts';
import { adamStep, averageStep } from './adam.ts';
import { trainingBatch } from './batch.ts';
import type { TrainingState } from './checkpoint.ts';
import { initialState } from './checkpoint.ts';
import { evaluator, judgeGap, named } from './evaluate.ts';
import type { Evaluation } from './evaluate.ts';
import { createGradientStep } from './gradient.ts';
import type { TrainingSpec } from './spec.ts';
import { checkTrainingSpec, emaDecayAt, learningRateAt } from './spec.ts';

/** What the observer of a run is told after every step. */
export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  /** Loss of this step. */
  readonly loss: number;
  /** Since this call began. */
  readonly imagesPerSecond: number;
}

/** How to run a training; what determines its result is in the spec. */
export interface TrainingOptions {
  readonly network: Network;
  readonly data: Dataset;
  /** Measured beside the training images where the spec says so. */
  readonly heldout?: Dataset;
  readonly sigmaData: number;
  readonly spec: TrainingSpec;
  /** A state to go on from; it is updated in place. */
  readonly state?: TrainingState;
  readonly signal?: AbortSignal;
  /** Steps between rows of `state.losses`. Default 50. */
  readonly logEvery?: number;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Called every `checkpointEvery` steps, at the end, and when the run is aborted. */
  readonly onCheckpoint?: (state: TrainingState) => Promise<void>;
  /** Default 200. */
  readonly checkpointEvery?: number;
}

/**
 * Trains a denoiser by the EDM loss with Adam and an average of the weights. Every random choice is a function of (seed, step), so that a
 * run which stops and goes on from a checkpoint gives the same bits as one that never stopped (on one kind of machine).
 * @returns the final state, earlier than the last step where the gap between training and held-out loss ended the run
 * @throws NumericalError when the loss is not finite, CancelledError after a last checkpoint when aborted
 * @source Karras et al. 2022, arXiv 2206.00364, section 5 and Table 1
 */
export async function train(options: TrainingOptions): Promise<TrainingState> {
  const { network, data, spec, signal, onProgress, onCheckpoint } = options;
  checkTrainingSpec(spec);
  if (!sameShape(data.sampleShape, network.sampleShape)) {
    const [wanted, got] = [showShape(network.sampleShape), showShape(data.sampleShape)];
    throw new ShapeError('train', `expected samples of shape ${wanted}, got ${got} from ${data.name}.`);
  }
  const { checkpointEvery = 200, logEvery = 50 } = options;
  const state = options.state ?? initialState(network, spec.seed);
  await using gradient = await createGradientStep(network, spec.batchSize, spec.shards);
  const batchOf = (step: number): ReturnType<typeof trainingBatch> => {
    const { batchSize, seed, noiseMean: pMean, noiseDeviation: pStd } = spec;
    const batch = trainingBatch(data, batchSize, step, seed, options.sigmaData, network.featureCount, { pMean, pStd });
    // Drawn ahead, it may fail before it is awaited, or never be awaited: the failure is met at the await.
    batch.catch(() => undefined);
    return batch;
  };
  const begun = performance.now();
  const firstStep = state.step;
  let next = batchOf(state.step + 1);
  const evaluate = await evaluator(options, gradient);
  while (state.step < spec.steps && state.beyond < spec.patience) {
    if (signal?.aborted) {
      await onCheckpoint?.(state);
      const remedy = onCheckpoint ? ' Run the same command again to go on from there.' : '';
      throw new CancelledError('train', `was interrupted after step ${state.step}.${remedy}`, {
        details: { kept: onCheckpoint !== undefined },
      });
    }
    const step = state.step + 1;
    const batch = await next;
    const running = gradient.run(named(network, state.weights), batch);
    // The next batch is drawn while the runtime's thread works.
    if (step < spec.steps) next = batchOf(step + 1);
    const { loss, weights: gradients } = await running;
    if (!Number.isFinite(loss)) {
      throw new NumericalError('train', `the loss became ${loss} at step ${step}. Lower the learning rate.`);
    }
    update(state, gradients, spec, step);
    state.pending.push(loss);
    const measured = evaluate && step % spec.evaluateEvery === 0 ? await evaluate(state) : undefined;
    if (measured) judgeGap(state, measured, spec);
    if (measured !== undefined || step % logEvery === 0 || step === spec.steps) logLoss(state, measured);
    const seconds = (performance.now() - begun) / 1000;
    const imagesPerSecond = ((step - firstStep) * spec.batchSize) / seconds;
    onProgress?.({ step, steps: spec.steps, loss, imagesPerSecond });
    const last = step === spec.steps || state.beyond >= spec.patience;
    if (step % checkpointEvery === 0 || last) await onCheckpoint?.(state);
  }
  return state;
}

function update(state: TrainingState, gradients: readonly Float32Array[], spec: TrainingSpec, step: number): void {
  const rate = learningRateAt(spec, step);
  const decay = emaDecayAt(spec, step);
  state.weights.forEach((weights, i) => {
    adamStep(weights, gradients[i] as Float32Array, state.moments[i] as AdamState, step, rate);
    averageStep(state.average[i] as Float32Array, weights, decay);
  });
  state.step = step;
}

function logLoss({ step, losses, pending }: TrainingState, measured: Evaluation | undefined): void {
  losses.push({ step, loss: pending.reduce((a, b) => a + b, 0) / pending.length, ...measured });
  pending.length = 0;
}
