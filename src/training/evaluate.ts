import type { Dataset } from '../data/dataset.ts';
import type { Network } from '../denoisers/network/network.ts';
import { SpecError } from '../errors/errors.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { noisyBatch } from './batch.ts';
import type { TrainingBatch } from './batch.ts';
import type { TrainingState } from './checkpoint.ts';
import type { GradientStep } from './gradient.ts';
import type { TrainingSpec } from './spec.ts';

/** EDM losses of the averaged weights on equally many training and held-out images, with the same noise. */
export interface Evaluation {
  readonly train: number;
  readonly heldout: number;
}

/** Batches of each set: 256 images at the usual batch size, in noise that never changes. */
const BATCHES = 8;

/**
 * What measures the losses of a run, or undefined where its spec asks for no measurement.
 * @throws SpecError where nothing is held out
 */
export async function evaluator(
  run: {
    readonly network: Network;
    readonly data: Dataset;
    readonly heldout?: Dataset;
    readonly sigmaData: number;
    readonly spec: TrainingSpec;
  },
  gradient: GradientStep,
): Promise<((state: TrainingState) => Promise<Evaluation>) | undefined> {
  const { network, data, heldout, spec } = run;
  if (spec.evaluateEvery === 0) return undefined;
  if (heldout === undefined) throw new SpecError('train', 'needs held-out images to measure the gap. Give some.');
  const noise = { pMean: spec.noiseMean, pStd: spec.noiseDeviation };
  const batches = async (from: Dataset): Promise<TrainingBatch[]> => {
    const order = permutation(randomKey(spec.seed, 'evaluate'), from.count);
    const drawn: TrainingBatch[] = [];
    for (let b = 0; b < BATCHES; b++) {
      // A set smaller than the batches is gone through again, in other noise.
      const places = Int32Array.from({ length: spec.batchSize }, (_, i) => order[(b * spec.batchSize + i) % from.count] as number); // prettier-ignore
      const key = randomKey(spec.seed, 'evaluate-noise', b);
      drawn.push(noisyBatch(await from.read(places), key, run.sigmaData, network.featureCount, noise));
    }
    return drawn;
  };
  const [known, fresh] = [await batches(data), await batches(heldout)];
  const lossOn = async (state: TrainingState, set: readonly TrainingBatch[]): Promise<number> => {
    let sum = 0;
    for (const batch of set) sum += (await gradient.run(named(network, state.average), batch)).loss;
    return sum / set.length;
  };
  return async (state) => ({ train: await lossOn(state, known), heldout: await lossOn(state, fresh) });
}

/** Keeps the averaged weights where the gap is within the limit, and counts the measurements where it is not. */
export function judgeGap(state: TrainingState, { train, heldout }: Evaluation, spec: TrainingSpec): void {
  if (spec.stopGap === undefined) return;
  if ((heldout - train) / train > spec.stopGap) {
    state.beyond += 1;
    return;
  }
  state.beyond = 0;
  state.kept = { step: state.step, average: state.average.map((w) => w.slice()) };
}

/** Arrays in the order of a network's parameters as tensors. */
export function named(network: Network, arrays: readonly Float32Array[]): Tensor<'float32'>[] {
  return network.parameters.map(({ shape }, i) => tensor('float32', shape, arrays[i] as Float32Array));
}
