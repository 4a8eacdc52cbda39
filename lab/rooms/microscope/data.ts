import { subset } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { FACES_TRAIN } from '../../../src/data/faces/faces.ts';
import { imageFolder } from '../../../src/data/image-folder.ts';
import { isImageName } from '../../../src/data/images.ts';
import { shuffledOrder, takePart } from '../../../src/data/part.ts';
import { DatasetError } from '../../../src/errors/errors.ts';
import { normal, permutation, randomKey } from '../../../src/tensor/random.ts';
import type { FloatTensor } from '../../../src/tensor/tensor.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import { openFaces } from '../../shipped/faces.ts';
import { FASHION_TRAIN, openFashion } from '../../shipped/fashion.ts';
import { FACES_PART, MEMORIZED_PART, nameOfFiles, shippedDataOf } from './data-name.ts';
import type { DataChoice, ShippedName } from './data-name.ts';

/** What a model is taken to be made from, and what is held out. */
export interface Split {
  readonly train: Dataset;
  readonly heldout: Dataset;
}

/** A clean picture with a draw of unit noise. */
export interface CleanPicture {
  /** [C, H, W] */
  readonly shape: readonly number[];
  readonly clean: Float32Array;
  readonly noise: Float64Array;
}

const opened = new Map<string, Promise<Split>>();

/**
 * The pictures of a model, opened once.
 * @throws DatasetError where a file is no picture, or none that ships fits a dropped network
 */
export function openSplit(choice: DataChoice): Promise<Split> {
  const { model, pictures, sampleShape } = choice;
  const key = `${model} ${sampleShape.join('x')} ${nameOfFiles(pictures)}`;
  const known = opened.get(key) ?? split(choice);
  opened.set(key, known);
  known.catch(() => opened.delete(key));
  return known;
}

async function split({ model, pictures, sampleShape }: DataChoice): Promise<Split> {
  if (pictures.length === 0) return shippedSplit(model, sampleShape);
  const dropped = await droppedSplit(pictures, sampleShape);
  // A shipped model keeps its own training set: what is dropped is only looked at.
  return model === undefined ? dropped : { ...(await shippedSplit(model, sampleShape)), heldout: dropped.heldout };
}

async function shippedSplit(model: ShippedName | undefined, sampleShape: readonly number[]): Promise<Split> {
  const name = model ?? shippedDataOf(sampleShape);
  if (name === undefined) {
    throw new DatasetError(
      'pictures',
      `expected some of the kind that this network was trained on, got none: it takes ${sampleShape.join('x')}, which no shipped data set has. Drop a folder of PNG or JPEG files on the page.`,
    );
  }
  if (name === 'faces') {
    const all = openFaces();
    const train = subset(all, { end: FACES_TRAIN }, 'faces-train');
    const part = takePart(train, { whole: train.name, start: 0, end: FACES_PART }, `faces-train:${FACES_PART}`);
    return { train: part, heldout: subset(all, { start: FACES_TRAIN }, 'faces-heldout') };
  }
  const all = await openFashion();
  const train = subset(all, { end: FASHION_TRAIN }, 'fashion-train');
  const heldout = subset(all, { start: FASHION_TRAIN }, 'fashion-heldout');
  if (name === 'fashion') return { train, heldout };
  return {
    train: takePart(train, { whole: train.name, start: 0, end: MEMORIZED_PART }, `fashion-train:${MEMORIZED_PART}`),
    heldout,
  };
}

/** Dropped pictures, cut and averaged to the shape that the model takes; a tenth of them is held out, a single one is both. */
async function droppedSplit(
  pictures: readonly DroppedFile[],
  [channels, height, width]: readonly number[],
): Promise<Split> {
  const images = pictures.filter(({ path }) => isImageName(path));
  if (images.length === 0) {
    throw new DatasetError(
      pictures[0]?.path ?? 'pictures',
      'expected PNG or JPEG pictures, got another kind of file. Convert it, or drop another.',
    );
  }
  const files = images.map(({ path, file }) => ({ path, read: async () => new Uint8Array(await file.arrayBuffer()) }));
  const resize = { height: height as number, width: width as number };
  const all = await imageFolder('pictures', files, { resize, channels: channels === 3 ? 3 : 1 });
  if (all.count === 1) return { train: all, heldout: all };
  const order = shuffledOrder(all.count);
  const cut = all.count - Math.max(1, Math.floor(all.count / 10));
  return {
    train: subset(all, { indices: order.slice(0, cut).sort() }, 'pictures-train'),
    heldout: subset(all, { indices: order.slice(cut).sort() }, 'pictures-heldout'),
  };
}

/** The held-out picture of a seed with its unit noise: those of `eigenlens inspect` at this seed. */
export async function pictureOf(heldout: Dataset, seed: number): Promise<CleanPicture> {
  const index = permutation(randomKey(seed, 'heldout'), heldout.count)[0] as number;
  const { data } = await heldout.read([index]);
  const noise = normal(randomKey(seed, 'heldout-noise', index), heldout.sampleShape).data;
  return { shape: heldout.sampleShape, clean: data, noise };
}

/** A few held-out pictures [N, C, H, W] on which readings of a network are tried. */
export async function picturesForCheck({ heldout, train }: Split): Promise<FloatTensor> {
  const from = heldout.count < 4 ? train : heldout;
  const order = permutation(randomKey(0, 'self-check-images'), from.count);
  return from.read(order.slice(0, Math.min(8, from.count)));
}
