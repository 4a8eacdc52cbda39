import { numericalRank, rankBounds } from '../../../src/analysis/rank.ts';
import { computeJacobian } from '../../../src/analysis/jacobian.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import type { Alternative } from '../../../src/diffusion/alternatives.ts';
import { wienerGain } from '../../../src/denoisers/gaussian.ts';
import { DatasetError, throwIfAborted } from '../../../src/errors/errors.ts';
import { singularValues } from '../../../src/linalg/svd.ts';
import { leadingTriplets } from '../../../src/linalg/triplets.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { networkOperations } from '../../compute/network/operations.ts';
import type { Point } from '../../compute/network/operations.ts';
import { BLOCK } from '../../compute/network/sweep-operator.ts';
import type { Operation } from '../../compute/protocol.ts';
import { turn, unhurried } from '../../compute/turn.ts';
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
import type { Trial } from './trial.ts';

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
  /** The reading to begin with, by label. */
  readonly chosen: string;
  /** What pictures say of the readings; undefined where there are none that fit. */
  readonly trial: Trial | undefined;
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
}

/** Singular values of a closed form at the same point. */
export interface ReferenceSpectrum {
  readonly kind: ReferenceKind;
  /** Descending: the leading ones, or all of a Gaussian. */
  readonly values: Float64Array;
  /** Of the whole spectrum, where it is known. */
  readonly rank?: number;
}

/** Where closed forms are asked. */
export interface ReferenceInput {
  readonly data: DataChoice;
  readonly x: Float32Array;
  readonly sigma: number;
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
    if (error instanceof DatasetError && pictures.length === 0) return undefined;
    throw error;
  });
  if (split === undefined) return { ...common, chosen: first, trial: undefined };
  const images = await picturesForCheck(split);
  const check = await judgeReadings(dropped, images, { signal, onProgress: progress });
  const { verdict, best } = check;
  const chosen = verdict === 'unclear' || (isStated && verdict === 'right') ? first : best.label;
  const trial = { check, count: images.shape[0] ?? 0, stated: isStated ? first : undefined };
  return { ...common, chosen, trial };
};

const picture: Operation<{ data: DataChoice; seed: number }, CleanPicture> = async ({ data, seed }) =>
  pictureOf((await openSplit(data)).heldout, seed);

const wholeSpectrum: Operation<Point<Subject>, WholeSpectrum> = async ({ model, x, sigma }, { signal, progress }) => {
  const denoiser = await open(model);
  const op = denoiser.linearize(tensor('float32', denoiser.sampleShape, x), sigma);
  // By the graph of the triplets, one product at a time: the next point waits for no more than that.
  const jacobian = await computeJacobian(op, { blockSize: BLOCK, inFlight: 1, signal, onProgress: progress });
  const values = singularValues(jacobian);
  // As in src/analysis/spectrum.ts: every column is exact to epsilon (Weyl).
  const { low, high } = rankBounds(values, op.epsilon * Math.hypot(...values), RULE);
  return { values, rank: numericalRank(values, RULE), low, high };
};

const made = new Map<string, Promise<Reference>>();

/** What closed forms of the data of a model make of the picture at one point. */
const references: Operation<ReferenceInput, readonly ReferencePoint[], readonly ReferencePoint[]> = async (
  { data, x, sigma },
  { signal, emit, progress },
) => {
  const points: ReferencePoint[] = [];
  const { train } = await openSplit(data);
  for (const kind of referenceKinds) {
    progress(points.length, referenceKinds.length);
    const { denoiser, label } = await referenceOf(kind, data, train);
    await turn();
    throwIfAborted('references', signal);
    const denoised = (await denoiser.denoise(tensor('float32', [1, ...denoiser.sampleShape], x), sigma)).data;
    points.push({ kind, label, denoised: Float32Array.from(denoised) });
    emit([...points]);
  }
  return points;
};

/** Their singular values there. */
const referenceSpectra: Operation<
  ReferenceInput & { readonly rank: number; readonly seed: number },
  readonly ReferenceSpectrum[],
  readonly ReferenceSpectrum[]
> = async ({ data, x, sigma, rank, seed }, { signal, emit }) => {
  const spectra: ReferenceSpectrum[] = [];
  const { train } = await openSplit(data);
  for (const kind of referenceKinds) {
    const { denoiser, variances } = await referenceOf(kind, data, train);
    if (variances === undefined) {
      const op = unhurried(denoiser.linearize(tensor('float32', denoiser.sampleShape, x), sigma));
      const { values } = await leadingTriplets(op, { rank, seed, signal });
      spectra.push({ kind, values });
    } else {
      const values = variances.map((l) => wienerGain(Math.max(0, l), sigma));
      spectra.push({ kind, values, rank: numericalRank(values, RULE) });
    }
    emit([...spectra]);
  }
  return spectra;
};

/** A closed form of training data, made once, whatever becomes of the request that asked first. */
function referenceOf(kind: ReferenceKind, { model, pictures }: DataChoice, train: Dataset): Promise<Reference> {
  const key = `${kind} ${train.name} ${nameOfFiles(model === undefined ? pictures : [])}`;
  const reference = made.get(key) ?? makeReference(kind, train);
  made.set(key, reference);
  reference.catch(() => made.delete(key));
  return reference;
}

/** What this room's workers do. */
export const operations = {
  ...networkOperations<Subject>(open),
  judge,
  picture,
  wholeSpectrum,
  references,
  referenceSpectra,
  /** A sentence where a device that was asked for is not there. */
  deviceNote: (async (device) => (await deviceFor(device)).note) satisfies Operation<LabDevice, string | undefined>,
};
