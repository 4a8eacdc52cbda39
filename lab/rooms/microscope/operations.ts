import { numericalRank, rankBounds } from '../../../src/analysis/rank.ts';
import { computeJacobian } from '../../../src/analysis/jacobian.ts';
import type { ReadingError } from '../../../src/analysis/self-check.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import type { Alternative } from '../../../src/diffusion/alternatives.ts';
import { wienerGain } from '../../../src/denoisers/gaussian.ts';
import { DatasetError, throwIfAborted } from '../../../src/errors/errors.ts';
import type { LinearOperator } from '../../../src/linalg/operator.ts';
import { singularValues } from '../../../src/linalg/svd.ts';
import { leadingTriplets } from '../../../src/linalg/triplets.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { networkOperations } from '../../compute/network/operations.ts';
import type { Point } from '../../compute/network/operations.ts';
import type { Operation } from '../../compute/protocol.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import { openSplit, picturesForCheck, pictureOf } from './data.ts';
import type { CleanPicture } from './data.ts';
import { nameOfFiles } from './data-name.ts';
import type { DataChoice } from './data-name.ts';
import { judgeReadings, loadNetwork } from './foreign.ts';
import { referenceKinds } from './reference-kinds.ts';
import type { ReferenceKind } from './reference-kinds.ts';
import { makeReference } from './references.ts';
import type { Reference } from './references.ts';
import { deviceFor, subjectOpener } from './subject.ts';
import type { LabDevice, Subject } from './subject.ts';

/** A dropped network to be judged on pictures. */
export interface JudgeInput {
  readonly files: readonly DroppedFile[];
  readonly pictures: readonly DroppedFile[];
  readonly device: LabDevice;
}

/** What pictures say of the readings of a dropped network. */
export interface JudgedNetwork {
  /** Of the dropped files. */
  readonly id: string;
  readonly name: string;
  readonly sampleShape: readonly number[];
  readonly readings: readonly Alternative[];
  /** Of the readings that were tried, best first; empty where no pictures fit. */
  readonly scores: readonly ReadingError[];
  /** The reading to begin with, by label. */
  readonly chosen: string;
  /** One sentence: how far that reading can be trusted. */
  readonly says: string;
}

/** The singular values of a whole Jacobian. */
export interface WholeSpectrum {
  /** Descending. */
  readonly values: Float64Array;
  /** Smallest number of them that holds 0.9801 of the energy. */
  readonly rank: number;
  /** Ranks that the precision of the products leaves open. */
  readonly low: number;
  readonly high: number;
}

/** What a closed form makes of the same noisy picture. */
export interface ReferencePoint {
  readonly kind: ReferenceKind;
  readonly label: string;
  readonly denoised: Float32Array;
  /** Singular values, descending: the leading ones, or all of a Gaussian; missing while they are being found. */
  readonly values?: Float64Array;
  /** Of the whole spectrum, where it is known. */
  readonly rank?: number;
}

/** Where closed forms are asked. */
export interface ReferenceInput {
  readonly data: DataChoice;
  readonly x: Float32Array;
  readonly sigma: number;
  readonly rank: number;
  readonly seed: number;
}

/** The papers' rule: the leading values hold more than 0.99^2 of the energy. */
const RULE = 'sqrt-energy-0.99';

const open = subjectOpener();

const judge: Operation<JudgeInput, JudgedNetwork> = async ({ files, pictures, device }, { signal, progress }) => {
  const dropped = await loadNetwork(files, (await deviceFor(device)).device);
  await using resources = new AsyncDisposableStack();
  resources.use(dropped.network);
  const { name, sampleShape, readings, isStated } = dropped;
  const first = readings[0]?.label ?? '';
  const common = { id: nameOfFiles(files), name, sampleShape, readings };
  const choice = { model: undefined, pictures, sampleShape };
  const split = await openSplit(choice).catch((error: unknown) => {
    if (error instanceof DatasetError && pictures.length === 0) return error;
    throw error;
  });
  if (split instanceof DatasetError) return { ...common, scores: [], chosen: first, says: split.message };
  const images = await picturesForCheck(split);
  const check = await judgeReadings(dropped, images, { signal, onProgress: progress });
  const { verdict, best } = check;
  const count = images.shape[0] ?? 0;
  const chosen = verdict === 'unclear' || (isStated && verdict === 'right') ? first : best.label;
  const others = check.readings.length - 1;
  const says = {
    right: `Read as '${chosen}': of ${others + 1} readings tried on ${count} pictures none denoises better.`,
    wrong: `Read as '${chosen}', which denoises ${count} pictures best of ${others + 1} readings${isStated ? `; its side-car says '${first}'` : ''}.`,
    unclear: `Under no reading does it denoise these ${count} pictures: drop pictures of the kind it was trained on, or choose a reading yourself.`,
  }[verdict];
  return { ...common, scores: check.readings, chosen, says };
};

const picture: Operation<{ data: DataChoice; seed: number }, CleanPicture> = async ({ data, seed }) =>
  pictureOf((await openSplit(data)).heldout, seed);

const wholeSpectrum: Operation<Point<Subject>, WholeSpectrum> = async ({ model, x, sigma }, { signal, progress }) => {
  const denoiser = await open(model);
  const op = denoiser.linearize(tensor('float32', denoiser.sampleShape, x), sigma);
  const jacobian = await computeJacobian(op, { signal, onProgress: progress });
  const values = singularValues(jacobian);
  // As in src/analysis/spectrum.ts: every column is exact to epsilon (Weyl).
  const { low, high } = rankBounds(values, op.epsilon * Math.hypot(...values), RULE);
  return { values, rank: numericalRank(values, RULE), low, high };
};

const made = new Map<string, Promise<Reference>>();

/** Closed forms of the data of a model at one point: first what they make of the picture, then their singular values. */
const references: Operation<ReferenceInput, readonly ReferencePoint[], readonly ReferencePoint[]> = async (
  { data, x, sigma, rank, seed },
  { signal, emit, progress },
) => {
  const points: ReferencePoint[] = [];
  const { train } = await openSplit(data);
  const steps = 2 * referenceKinds.length;
  for (const kind of referenceKinds) {
    progress(points.length, steps);
    const { denoiser, label, variances } = await referenceOf(kind, data, train);
    await turn();
    throwIfAborted('references', signal);
    const denoised = (await denoiser.denoise(tensor('float32', [1, ...denoiser.sampleShape], x), sigma)).data;
    const gains = variances?.map((l) => wienerGain(Math.max(0, l), sigma));
    const whole = gains && { values: gains, rank: numericalRank(gains, RULE) };
    points.push({ kind, label, denoised: Float32Array.from(denoised), ...whole });
    emit([...points]);
  }
  for (const [i, { kind, values }] of points.entries()) {
    progress(referenceKinds.length + i, steps);
    if (values !== undefined) continue;
    const { denoiser } = await referenceOf(kind, data, train);
    const op = unhurried(denoiser.linearize(tensor('float32', denoiser.sampleShape, x), sigma));
    const triplets = await leadingTriplets(op, { rank, seed, signal });
    points[i] = { ...(points[i] as ReferencePoint), values: triplets.values };
    emit([...points]);
  }
  return points;
};

/** A closed form of training data, made once, whatever becomes of the request that asked first. */
function referenceOf(kind: ReferenceKind, { model, pictures }: DataChoice, train: Dataset): Promise<Reference> {
  const key = `${kind} ${train.name} ${nameOfFiles(model === undefined ? pictures : [])}`;
  const reference = made.get(key) ?? makeReference(kind, train);
  made.set(key, reference);
  reference.catch(() => made.delete(key));
  return reference;
}

/** Closed forms compute without ever waiting: with a turn before each product a cancel is heard. */
function unhurried(op: LinearOperator): LinearOperator {
  return {
    ...op,
    apply: async (v) => {
      await turn();
      return op.apply(v);
    },
    applyTranspose: async (u) => {
      await turn();
      return op.applyTranspose(u);
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** What this room's workers do. */
export const operations = {
  ...networkOperations<Subject>(open),
  judge,
  picture,
  wholeSpectrum,
  references,
  /** A sentence where a device that was asked for is not there. */
  deviceNote: (async (device) => (await deviceFor(device)).note) satisfies Operation<LabDevice, string | undefined>,
};
