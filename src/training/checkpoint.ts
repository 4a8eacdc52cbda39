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
  /** Of the averaged weights on training images, where the run measures it. */
  readonly train?: number;
  /** The same on held-out images, with the same noise. */
  readonly heldout?: number;
}

/** Weights that were kept because what came after them fits the training images too well. */
export interface KeptWeights {
  readonly step: number;
  readonly average: readonly Float32Array[];
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
  /** Measurements in a row whose gap was too large; `patience` of them end the run. */
  beyond: number;
  /** The average at the last measurement within the gap. */
  kept?: KeptWeights | undefined;
}

/** The state before the first step. @param given  weights in the order of the network's parameters, which are copied; default random ones */
export function initialState(network: Network, seed: number, given?: readonly Float32Array[]): TrainingState {
  const weights = given?.map((w) => w.slice()) ?? Object.values(initialWeights(network, seed)).map((w) => w.data);
  return {
    step: 0,
    weights,
    average: weights.map((w) => w.slice()),
    moments: weights.map((w) => ({ first: new Float32Array(w.length), second: new Float32Array(w.length) })),
    losses: [],
    pending: [],
    beyond: 0,
  };
}

/** The averaged weights by name, or those that were kept in their stead: the trained model. */
export function averagedWeights(network: Network, state: TrainingState): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(
    network.parameters.map(({ name, shape }, i) => {
      const { average } = state.beyond > 0 && state.kept !== undefined ? state.kept : state;
      return [name, tensor('float32', shape, average[i] as Float32Array)];
    }),
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
    const kept = state.kept?.average[i];
    if (kept !== undefined) tensors.set(`kept/${name}`, tensor('float32', shape, kept));
  });
  const metadata = {
    step: `${state.step}`,
    losses: JSON.stringify(state.losses),
    pending: JSON.stringify(state.pending),
    beyond: `${state.beyond}`,
    ...(state.kept && { kept: `${state.kept.step}` }),
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
    beyond: Number(metadata.beyond ?? 0),
    ...(metadata.kept !== undefined && {
      kept: { step: Number(metadata.kept), average: network.parameters.map((p) => read('kept', p)) },
    }),
  };
}
