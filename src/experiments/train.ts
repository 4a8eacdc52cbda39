import { isDeepStrictEqual } from 'node:util';
import type { Dataset } from '../data/dataset.ts';
import type { Architecture } from '../denoisers/network/architecture.ts';
import { buildNetwork } from '../denoisers/network/architecture.ts';
import type { ModelSideCar } from '../denoisers/network/model-file.ts';
import type { Network } from '../denoisers/network/network.ts';
import { countParameters } from '../denoisers/network/network.ts';
import { exportOnnx } from '../denoisers/network/onnx-export.ts';
import { orderedWeights } from '../denoisers/network/weights.ts';
import type { Weights } from '../denoisers/network/weights.ts';
import type { PortableModel } from '../engine/lower/portable.ts';
import { DatasetError, SpecError } from '../errors/errors.ts';
import type { LossRow, TrainingState } from '../training/checkpoint.ts';
import { averagedWeights, initialState, readCheckpoint, writeCheckpoint } from '../training/checkpoint.ts';
import type { TrainingProgress } from '../training/train.ts';
import { train } from '../training/train.ts';
import { fitDataset } from './fit-dataset.ts';
import { findNetwork, readModelFiles } from './network-model.ts';
import { splitDataset } from './split-dataset.ts';
import { architectureOf } from './train-architecture.ts';
import type { TrainSpec } from './train-spec.ts';

/** Where a run keeps its state while it is under way. */
export interface CheckpointStore {
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
}

/** Images to train on, and others to measure on, both of the size of the spec. */
export interface TrainingData {
  readonly train: Dataset;
  readonly heldout: Dataset;
}

/**
 * Opens the data of a spec: the training part of its data set, and what is held out from it.
 * @throws DatasetError as `splitDataset`; SpecError for an image size of data that are no images
 */
export async function openTrainingData(spec: TrainSpec): Promise<TrainingData> {
  const { imageSize } = spec;
  // A folder of images of many sizes can be read only where it is told the one to bring them to.
  const resize = imageSize === undefined ? {} : { resize: { width: imageSize, height: imageSize } };
  const { train, heldout } = await splitDataset(spec.data, resize);
  if (imageSize === undefined) return { train, heldout };
  const [channels] = train.sampleShape;
  if (train.sampleShape.length !== 3 || channels === undefined) {
    throw new SpecError('train', `imageSize: expected images, ${train.name} holds vectors. Leave it out.`);
  }
  const shape = [channels, imageSize, imageSize];
  return { train: fitDataset(train, shape), heldout: fitDataset(heldout, shape) };
}

/** Surroundings of a training job. */
export interface TrainJobOptions {
  readonly data: TrainingData;
  readonly checkpoints?: CheckpointStore | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

/** A trained model and how it came about. */
export interface TrainResult {
  readonly sideCar: ModelSideCar;
  readonly weights: Weights;
  /** The same as a graph for other programs, made when it is asked for. */
  readonly onnx: () => Promise<PortableModel>;
  readonly losses: readonly LossRow[];
  readonly parameters: number;
  /** Steps done in all; fewer than the spec's where the gap ended the run. */
  readonly steps: number;
  /** Steps that a checkpoint had done before this call. */
  readonly resumedAt: number;
  /** Of this call. */
  readonly wallMs: number;
}

/**
 * Runs one training job: builds the network, goes on from a checkpoint of the same job where there is one, trains, gives the model.
 * @throws SpecError where network and data do not fit; ModelError for a checkpoint of another job; as `train`
 */
export async function runTrain(spec: TrainSpec, options: TrainJobOptions): Promise<TrainResult> {
  const begun = performance.now();
  const { checkpoints, signal, onProgress } = options;
  const { train: data, heldout } = options.data;
  const start = spec.from === undefined ? undefined : await readStart(spec.from);
  const sigmaData = start?.sideCar.sigmaData ?? (await pixelDeviation(data));
  const architecture = architectureOf(spec, data, sigmaData);
  const network = buildNetwork(architecture);
  const fresh = start && stateFrom(spec.from ?? '', start, architecture, spec.seed);
  const fingerprint = JSON.stringify({ spec, architecture, data: await data.hash() });
  const state = (await resume(network, fingerprint, checkpoints)) ?? fresh;
  const resumedAt = state?.step ?? 0;
  const final = await train({
    network,
    data,
    heldout,
    sigmaData,
    spec,
    ...(state && { state }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
    ...(checkpoints && { onCheckpoint: (s) => checkpoints.write(writeCheckpoint(network, s, fingerprint)) }),
  });
  const wallMs = performance.now() - begun;
  const weights = averagedWeights(network, final);
  const step = final.beyond > 0 ? (final.kept?.step ?? final.step) : final.step;
  const training = {
    data: { name: spec.data, count: data.count, hash: await data.hash() },
    spec,
    step,
    loss: final.losses.findLast((row) => row.step <= step)?.loss ?? null,
  };
  return {
    sideCar: {
      format: 'eigenlens-model/1',
      name: spec.name,
      architecture,
      parameterization: 'edm',
      sigmaData,
      range: data.range,
      training,
    },
    weights,
    onnx: () => exportOnnx({ name: spec.name, network, weights, sigmaData }),
    losses: final.losses,
    parameters: countParameters(network),
    steps: final.step,
    resumedAt,
    wallMs,
  };
}

async function resume(
  network: Network,
  fingerprint: string,
  checkpoints: CheckpointStore | undefined,
): Promise<TrainingState | undefined> {
  const bytes = await checkpoints?.read();
  return bytes && readCheckpoint('checkpoint', bytes, network, fingerprint);
}

/** What a training takes over from a model: its weights, and the scale that its factors were made for. */
interface Start {
  readonly sideCar: ModelSideCar;
  readonly weights: Weights;
}

async function readStart(from: string): Promise<Start> {
  const folder = await findNetwork(from);
  if (folder !== undefined) return readModelFiles(folder);
  throw new SpecError('train', `from: expected a model trained here, got '${from}'. Name its folder.`);
}

/** @throws SpecError where the two networks differ */
function stateFrom(from: string, { sideCar, weights }: Start, architecture: Architecture, seed: number): TrainingState {
  // The order of keys says nothing.
  if (!isDeepStrictEqual(sideCar.architecture, architecture)) {
    throw new SpecError('train', `from: expected a network like the one to train, got another one in '${from}'. Give the same --arch, --channels and image size.`); // prettier-ignore
  }
  const network = buildNetwork(architecture);
  return initialState(network, seed, orderedWeights(from, network, weights, 'float32').map(({ data }) => data)); // prettier-ignore
}

/**
 * Standard deviation of all values of all samples, to three digits: EDM's sigma_data.
 * @throws DatasetError for values that are not finite or all the same
 */
async function pixelDeviation(data: Dataset): Promise<number> {
  let [count, sum, squares] = [0, 0, 0];
  for await (const { x } of data.batches({ size: 256 })) {
    count += x.data.length;
    for (const v of x.data) {
      sum += v;
      squares += v * v;
    }
  }
  const mean = sum / count;
  const deviation = Number(Math.sqrt(Math.max(0, squares / count - mean * mean)).toPrecision(3));
  if (deviation > 0) return deviation;
  const got = deviation === 0 ? `${mean} everywhere. Give samples that differ` : 'some that are not. Repair them';
  throw new DatasetError(data.name, `expected finite values that differ, got ${got}.`);
}
