import { parseSafetensors, writeSafetensors } from '../data/safetensors.ts';
import type { Network } from '../denoisers/network/network.ts';
import { initialWeights } from '../denoisers/network/weights.ts';
import { ModelError } from '../errors/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { sameShape, tensor } from '../tensor/tensor.ts';
import type { AdamState } from './adam.ts';

/** Loss of a step, as it is logged. */
export interface LossRow {
  readonly step: number;
  /** Mean EDM loss since the row before. */
  readonly loss: number;
}

/** All that changes during training. Arrays follow the order of the network's parameters and are updated in place. */
export interface TrainingState {
  /** Steps done. */
  step: number;
  readonly weights: readonly Float32Array[];
  readonly average: readonly Float32Array[];
  readonly moments: readonly AdamState[];
  readonly losses: LossRow[];
  /** Losses of the steps since the last row: a row's mean spans an interruption. */
  readonly pending: number[];
}

/** The state before the first step. */
export function initialState(network: Network, seed: number): TrainingState {
  const weights = Object.values(initialWeights(network, seed)).map((w) => w.data);
  return {
    step: 0,
    weights,
    average: weights.map((w) => w.slice()),
    moments: weights.map((w) => ({ first: new Float32Array(w.length), second: new Float32Array(w.length) })),
    losses: [],
    pending: [],
  };
}

/** The averaged weights by name: the trained model. */
export function averagedWeights(network: Network, state: TrainingState): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(
    network.parameters.map(({ name, shape }, i) => [name, tensor('float32', shape, state.average[i] as Float32Array)]),
  );
}

const parts = ['weights', 'average', 'first', 'second'] as const;

/** The state as one safetensors file, exact to the bit. */
export function writeCheckpoint(network: Network, state: TrainingState, fingerprint: string): Uint8Array<ArrayBuffer> {
  const tensors = new Map<string, Tensor>();
  network.parameters.forEach(({ name, shape }, i) => {
    const moments = state.moments[i] as AdamState;
    const arrays = { weights: state.weights[i], average: state.average[i], ...moments };
    for (const part of parts) tensors.set(`${part}/${name}`, tensor('float32', shape, arrays[part] as Float32Array));
  });
  const metadata = {
    step: `${state.step}`,
    losses: JSON.stringify(state.losses),
    pending: JSON.stringify(state.pending),
    fingerprint,
  };
  return writeSafetensors(tensors, metadata);
}

/**
 * Reads a state back.
 * @param fingerprint  of spec, network and data: a checkpoint of another run is refused
 * @throws DatasetError for a broken file, ModelError for another run's checkpoint
 */
export function readCheckpoint(where: string, bytes: Uint8Array, network: Network, fingerprint: string): TrainingState {
  const { tensors, metadata } = parseSafetensors(where, bytes);
  if (metadata.fingerprint !== fingerprint) {
    throw new ModelError(
      where,
      'belongs to a run with other settings. Give another --out, or the settings it began with.',
    );
  }
  const read = (part: string, { name, shape }: Network['parameters'][number]): Float32Array => {
    const x = tensors.get(`${part}/${name}`);
    if (x === undefined || x.dtype !== 'float32' || !sameShape(x.shape, shape)) {
      throw new ModelError(where, `lacks ${part} of '${name}'. Delete the file to begin anew.`);
    }
    return x.data as Float32Array;
  };
  return {
    step: Number(metadata.step),
    weights: network.parameters.map((p) => read('weights', p)),
    average: network.parameters.map((p) => read('average', p)),
    moments: network.parameters.map((p) => ({ first: read('first', p), second: read('second', p) })),
    losses: JSON.parse(metadata.losses ?? '[]') as LossRow[],
    pending: JSON.parse(metadata.pending ?? '[]') as number[],
  };
}
