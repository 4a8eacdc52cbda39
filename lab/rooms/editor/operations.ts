import { subset } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { FACES_TRAIN } from '../../../src/data/faces/faces.ts';
import { imageFolder } from '../../../src/data/image-folder.ts';
import { checkFits } from '../../../src/editing/compose.ts';
import { directionFiles, readDirections } from '../../../src/editing/direction-file.ts';
import type { DirectionFiles } from '../../../src/editing/direction-file.ts';
import type { DirectionSet } from '../../../src/editing/direction-set.ts';
import type { Mask } from '../../../src/editing/mask.ts';
import { DatasetError, ModelError } from '../../../src/errors/errors.ts';
import type { FloatTensor } from '../../../src/tensor/tensor.ts';
import { version } from '../../../package.json';
import type { Operation } from '../../compute/protocol.ts';
import { openFaces } from '../../shipped/faces.ts';
import { FASHION_TRAIN, openFashion } from '../../shipped/fashion.ts';
import { openShipped } from '../../shipped/models.ts';
import type { ShippedModel } from '../../shipped/models.ts';
import type { EditorState, LoadedDirections, Picture } from './room.ts';
import * as steps from './steps.ts';
import type { FoundDirections, FoundParts, Noised } from './steps.ts';

/** The image that is edited. */
export type SubjectInput = Pick<EditorState, 'model' | 'image' | 'picture'>;

/** It, as it is and on its way. */
export interface Subject extends Noised {
  readonly name: string;
  /** [C, H, W] */
  readonly shape: readonly number[];
  /** [n] */
  readonly clean: Float32Array;
  /** Of the way to the noise level and back, dB. */
  readonly psnr: number;
}

/** Other held-out images, which receive the same step. */
export interface Others extends Noised {
  /** Places among the held-out images. */
  readonly places: readonly number[];
}

/** Where one is: a model, a noisy image or several, a noise level. */
export interface Place {
  readonly model: EditorState['model'];
  readonly noisy: Float64Array;
  readonly sigma: number;
}

const opened = new Map<string, Promise<ShippedModel>>();

function open(name: EditorState['model']): Promise<ShippedModel> {
  const known = opened.get(name) ?? openShipped(name);
  opened.set(name, known);
  // A file that did not come may come the next time.
  known.catch(() => opened.delete(name));
  return known;
}

async function heldoutOf(model: EditorState['model']): Promise<Dataset> {
  return model === 'faces'
    ? subset(openFaces(), { start: FACES_TRAIN }, 'faces-heldout')
    : subset(await openFashion(), { start: FASHION_TRAIN }, 'fashion-heldout');
}

const prepare: Operation<SubjectInput & { readonly sigma: number }, Subject> = async (input, context) => {
  const { denoiser } = await open(input.model);
  const { name, x } = await readSubject(input, denoiser.sampleShape);
  const noised = await steps.noise(denoiser, x, input.sigma, context);
  const clean = Float32Array.from(x.data);
  const mse = clean.reduce((sum, v, i) => sum + (v - (noised.back[i] as number)) ** 2, 0) / clean.length;
  // Values run from -1 to 1: the square of their span is 4.
  return { name, shape: denoiser.sampleShape, clean, ...noised, psnr: 10 * Math.log10(4 / mse) };
};

async function readSubject(
  { model, image, picture }: SubjectInput,
  sampleShape: readonly number[],
): Promise<{ readonly name: string; readonly x: FloatTensor }> {
  if (picture !== undefined) return { name: picture.name, x: await readPicture(picture, sampleShape) };
  const heldout = await heldoutOf(model);
  return { name: `${heldout.name} ${image}`, x: await heldout.read([image]) };
}

/** A picture cut to the model's proportions and averaged down. @throws DatasetError where it cannot be read or is too small */
async function readPicture({ name, bytes }: Picture, sampleShape: readonly number[]): Promise<FloatTensor> {
  const [channels = 1, height = 1, width = 1] = sampleShape;
  const file = { path: name, read: () => Promise.resolve(bytes) };
  const stored = (await imageFolder(name, [file])).sampleShape;
  const [, theirHeight = 0, theirWidth = 0] = stored;
  if (theirHeight * theirWidth < height * width) {
    throw new DatasetError(name, `expected a picture of ${width} x ${height} pixels or more, got ${theirWidth} x ${theirHeight}. Drop a larger one.`); // prettier-ignore
  }
  const fitted = await imageFolder(name, [file], { channels: channels === 3 ? 3 : 1, resize: { width, height } });
  return fitted.read([0]);
}

const findParts: Operation<SubjectInput & { readonly sigma: number }, FoundParts> = async (input, context) => {
  const { denoiser } = await open(input.model);
  const { x } = await readSubject(input, denoiser.sampleShape);
  return steps.parts(denoiser, x, input.sigma, context);
};

/** What directions are sought with. */
export interface SearchInput extends Place {
  readonly mask: Mask;
  readonly rank: number;
  readonly nullRank: number;
}

const search: Operation<SearchInput, FoundDirections> = async ({ model, noisy, sigma, ...wanted }, context) =>
  steps.search((await open(model)).denoiser, noisy, sigma, wanted, context);

const describe: Operation<Place & { readonly set: DirectionSet }, FoundDirections> = async ({ model, noisy, set }) =>
  steps.describe((await open(model)).denoiser, noisy, set);

/** A step from there, [n]. */
export interface StepInput extends Place {
  readonly step: Float64Array;
}

const preview: Operation<StepInput, Float32Array> = async ({ model, noisy, step, sigma }) =>
  steps.preview((await open(model)).denoiser, noisy, step, sigma);

const sample: Operation<StepInput, Float32Array> = async ({ model, noisy, step, sigma }, context) =>
  steps.sample((await open(model)).denoiser, noisy, step, sigma, context);

const prepareOthers: Operation<
  Omit<SubjectInput, 'picture'> & { readonly isDropped: boolean; readonly sigma: number; readonly count: number },
  Others
> = async ({ model, image, isDropped, sigma, count }, context) => {
  const { denoiser } = await open(model);
  const places = Array.from({ length: count + 1 }, (_, i) => i).filter((i) => isDropped || i !== image).slice(0, count); // prettier-ignore
  const x = await (await heldoutOf(model)).read(places);
  return { places, ...(await steps.noise(denoiser, x, sigma, context)) };
};

const save: Operation<
  Omit<SubjectInput, 'picture'> & { readonly set: DirectionSet; readonly source: string },
  DirectionFiles
> = async ({ model, set, source }) => {
  const { hash, denoiser } = await open(model);
  const provenance = {
    model: { name: model, hash: await hash() },
    version,
    search: { seed: 0, image: source, ...(denoiser.runtime !== undefined && { runtime: denoiser.runtime }) },
  };
  return directionFiles(set, provenance, { stem: 'directions-1' });
};

/** Files of saved directions, by name. */
export interface SavedInput {
  readonly model: EditorState['model'];
  readonly files: readonly Picture[];
}

/** @throws ModelError where one of the two files is missing or they belong to another model */
const load: Operation<SavedInput, LoadedDirections> = async ({ model, files }) => {
  const sideCar = files.find(({ name }) => name.endsWith('.json'));
  if (sideCar === undefined) throw new ModelError('directions', 'expected the side-car (.json) beside the arrays, got none. Choose both files.'); // prettier-ignore
  const { set, provenance } = await readDirections(
    sideCar.name,
    new TextDecoder().decode(sideCar.bytes),
    (wanted): Promise<Uint8Array> => {
      const found = files.find(({ name }) => name === wanted);
      return found === undefined
        ? Promise.reject(new ModelError(sideCar.name, `expected ${wanted} beside it, got none. Choose both files.`))
        : Promise.resolve(found.bytes);
    },
  );
  const { denoiser, hash } = await open(model);
  checkFits(set, provenance, { name: model, hash: await hash(), sampleShape: denoiser.sampleShape });
  return { name: sideCar.name, set };
};

/** What the worker of this room does. */
export const operations = { prepare, findParts, search, describe, preview, sample, prepareOthers, save, load };
