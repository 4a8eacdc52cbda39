import { DatasetError } from '../errors/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { arrayDataset } from './arrays.ts';
import type { ArrayOptions } from './arrays.ts';
import { subset } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import {
  assetPath,
  basename,
  dirname,
  environment,
  join,
  kindOf,
  listFiles,
  packageFile,
  readBytes,
  readRange,
  sizeOfFile,
} from './files.ts';
import { facesDataset, FACES_TRAIN, isFacesSpec, parseFacesSpec } from './faces/faces.ts';
import type { FacesSpec } from './faces/faces.ts';
import { idxDataset, readIdx } from './idx.ts';
import { imageFolder } from './image-folder.ts';
import type { ImageFolderOptions } from './image-folder.ts';
import { nearest } from './nearest.ts';
import { parseNpy } from './npy.ts';
import { streamedNpy } from './npy-stream.ts';
import type { ReadRange } from './npy-stream.ts';
import { chooseArrays, parseNpz } from './npz.ts';
import { parsePart, takePart } from './part.ts';
import { openYaleB } from './yale-b.ts';

/** What a path alone does not say; each applies to the kinds of data that have it. */
export interface OpenOptions extends Pick<ArrayOptions, 'range' | 'layout'>, ImageFolderOptions {
  /** Name of the array in an NPZ file; without it the only one, or `x`, `images`, `data`, `arr_0`. */
  readonly key?: string | undefined;
}

const FASHION_CLASSES = [
  'T-shirt/top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
];
/** By definition the first 9,000 of the shipped images train and the rest is held out. */
const FASHION_TRAIN = 9_000;
/** Bytes from which an NPY file is read sample by sample. */
const STREAMED = 2 ** 28;
const FASHION_VARIABLE = 'EIGENLENS_FASHION_MNIST';
const FASHION_DEBIAN = '/usr/share/datasets/fashion-mnist';

const named: Readonly<Record<string, () => Promise<Dataset>>> = {
  fashion: openFashion,
  'fashion-train': async () => subset(await openFashion(), { end: FASHION_TRAIN }, 'fashion-train'),
  'fashion-heldout': async () => subset(await openFashion(), { start: FASHION_TRAIN }, 'fashion-heldout'),
  fashion60k: openFashion60k,
  faces: () => openFaces('faces', {}),
  'faces-train': async () => subset(await openFaces('faces', {}), { end: FACES_TRAIN }, 'faces-train'),
  'faces-heldout': async () => subset(await openFaces('faces', {}), { start: FACES_TRAIN }, 'faces-heldout'),
  'yale-b': () => openYaleB('yale-b'),
  'yale-b-48x42': () => openYaleB('yale-b-48x42'),
};

/** Names that `openDataset` knows besides paths. */
export const datasetNames: readonly string[] = Object.keys(named);

/**
 * Opens a data set by name (`fashion`, `fashion-train`, `fashion-heldout`, `fashion60k`, `faces`, `faces-train`, `faces-heldout`, `yale-b`, `yale-b-48x42`), as drawn faces (`faces:seed=7,count=500`) or by path
 * (IDX and IDX.gz, NPY, NPZ, or a folder of PNG and JPEG images). `DATA:N` and `DATA:A-B` are parts of its shuffled order.
 * @throws DatasetError in one line that says what to do: unknown name (with the nearest one), missing or unreadable file, wrong content
 */
export async function openDataset(spec: string, options: OpenOptions = {}): Promise<Dataset> {
  const open = Object.hasOwn(named, spec) ? named[spec] : undefined;
  if (open !== undefined) return open();
  if (isFacesSpec(spec)) return openFaces(spec, parseFacesSpec(spec));
  const kind = await kindOf(spec);
  if (kind === 'folder') {
    const paths = await listFiles(spec);
    const files = paths.map((path) => ({ path, read: () => readBytes(join(spec, path)) }));
    return imageFolder(nameOf(spec), files, options);
  }
  const part = kind === 'nothing' ? parsePart(spec) : undefined;
  if (part !== undefined) return takePart(await openDataset(part.whole, options), part, spec);
  if (kind === 'nothing' && !/[/\\.]/.test(spec)) {
    const near = nearest(spec, datasetNames);
    const remedy = near === undefined ? `Use ${datasetNames.join(', ')} or a path.` : `Did you mean '${near}'?`;
    throw new DatasetError(`data set '${spec}'`, `expected a known name or a path, got neither. ${remedy}`);
  }
  if (/\.npy$/i.test(spec) && (await kindOf(spec)) === 'file') {
    const length = await sizeOfFile(spec);
    const read: ReadRange = (offset, size) => readRange(spec, offset, size);
    const streamed = length < STREAMED ? undefined : await streamedNpy(nameOf(spec), length, read, options);
    if (streamed !== undefined) return streamed;
  }
  return openFile(spec, await readBytes(spec), options);
}

function openFile(path: string, bytes: Uint8Array, options: OpenOptions): Dataset | Promise<Dataset> {
  if (/\.npy$/i.test(path)) return arrayDataset(nameOf(path), parseNpy(path, bytes), options);
  if (/\.npz$/i.test(path)) {
    const { x, labels } = chooseArrays(path, parseNpz(path, bytes), options.key);
    return arrayDataset(nameOf(path), x, { ...options, labels });
  }
  if (/([.-]idx\d?|-ubyte|\.gz)$/i.test(path)) return openIdx(path, bytes);
  throw new DatasetError(
    path,
    'expected .npy, .npz, .idx, idx3-ubyte, .gz or a folder of images. Convert the data to one.',
  );
}

async function openIdx(path: string, bytes: Uint8Array): Promise<Dataset> {
  const images = await readIdx(path, bytes);
  const labelPath = join(dirname(path), basename(path).replace(/images([.-])idx3/, 'labels$1idx1'));
  const labelled = labelPath !== join(path) && (await kindOf(labelPath)) === 'file';
  const labels = labelled ? await readIdx(labelPath, await readBytes(labelPath)) : undefined;
  return idxDataset(nameOf(path), images, { labels });
}

async function openFashion(): Promise<Dataset> {
  return fashionFrom('fashion', assetPath('fashion-mnist'), 't10k');
}

async function openFaces(name: string, spec: Partial<FacesSpec>): Promise<Dataset> {
  return Promise.resolve(
    facesDataset(name, { ...spec, readWasm: () => readBytes(packageFile('@resvg/resvg-wasm/index_bg.wasm')) }),
  );
}

async function openFashion60k(): Promise<Dataset> {
  const folder = environment(FASHION_VARIABLE) ?? FASHION_DEBIAN;
  if ((await kindOf(join(folder, 'train-images-idx3-ubyte.gz'))) !== 'file') {
    throw new DatasetError(
      'fashion60k',
      `expected train-images-idx3-ubyte.gz in ${folder}, got nothing. Install Debian's package dataset-fashion-mnist or set ${FASHION_VARIABLE} to a folder that holds it.`,
    );
  }
  return fashionFrom('fashion60k', folder, 'train');
}

async function fashionFrom(name: string, folder: string, part: 't10k' | 'train'): Promise<Dataset> {
  const read = async (file: string): Promise<Tensor<'uint8'>> => {
    const path = join(folder, `${part}-${file}-ubyte.gz`);
    return readIdx(path, await readBytes(path));
  };
  const [images, labels] = await Promise.all([read('images-idx3'), read('labels-idx1')]);
  return idxDataset(name, images, { labels, classNames: FASHION_CLASSES });
}

function nameOf(path: string): string {
  return basename(path).replace(/\.(npy|npz|gz|idx)$/i, '');
}
