import { arrayDataset } from '../../../src/data/arrays.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { imageFolder } from '../../../src/data/image-folder.ts';
import type { ImageFolderOptions } from '../../../src/data/image-folder.ts';
import { isImageName } from '../../../src/data/images.ts';
import { parseNpy } from '../../../src/data/npy.ts';
import { streamedNpy } from '../../../src/data/npy-stream.ts';
import { chooseArrays, parseNpz } from '../../../src/data/npz.ts';
import { DatasetError } from '../../../src/errors/errors.ts';
import { sameShape } from '../../../src/tensor/tensor.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';

/** Images that were dropped, as `eigenlens audit` opens the same folder or file. */
export interface DroppedImages {
  readonly data: Dataset;
  /** The folder or the file, as the command line names it. */
  readonly path: string;
}

/** What is dropped where, and how opening it is watched and stopped. */
export interface DropOptions {
  /** What they are: `samples`. */
  readonly name: string;
  /** Shape that they must have; pictures of another size are made so. */
  readonly shape?: readonly number[];
  readonly signal: AbortSignal;
  /** Called for each picture that is read. */
  readonly onRead: () => void;
}

/**
 * Opens the PNG and JPEG files of a folder, or else the one NPY or NPZ file among what was dropped.
 * @throws DatasetError where there is neither, where there are several arrays, or where what there is holds no images; CancelledError
 */
export async function openImages(files: readonly DroppedFile[], options: DropOptions): Promise<DroppedImages> {
  const { name, shape } = options;
  if (files.some(({ path }) => isImageName(path))) {
    return { data: await openPictures(files, options), path: folderOf(files) };
  }
  const arrays = files.filter(({ path }) => /\.np[yz]$/i.test(path));
  const [array] = arrays;
  if (array === undefined) {
    throw new DatasetError(name, `expected PNG or JPEG images, or one NPY or NPZ file of images, got ${described(files)}. Drop another folder.`); // prettier-ignore
  }
  if (arrays.length > 1) {
    throw new DatasetError(name, `expected one NPY or NPZ file, got ${described(arrays)}. Join them with numpy.concatenate, or drop one.`); // prettier-ignore
  }
  const data = await openArray(name, array);
  const given = data.sampleShape.join(' x ');
  if (data.sampleShape.length !== 3) {
    throw new DatasetError(name, `expected images, [N, H, W] or [N, H, W, C], in ${array.path}, got rows of ${given} numbers. Reshape the array.`); // prettier-ignore
  }
  if (shape !== undefined && !sameShape(data.sampleShape, shape)) {
    throw new DatasetError(name, `expected images of ${shape.join(' x ')}, as the samples are, in ${array.path}, got ${given}. Save both sets in one size.`); // prettier-ignore
  }
  return { data, path: array.path };
}

async function openPictures(
  files: readonly DroppedFile[],
  { name, shape, signal, onRead }: DropOptions,
): Promise<Dataset> {
  const open = (own: readonly DroppedFile[], options: ImageFolderOptions): Promise<Dataset> => {
    const read = async ({ file }: DroppedFile): Promise<Uint8Array> => {
      onRead();
      return new Uint8Array(await file.arrayBuffer());
    };
    return imageFolder(name, own.map((dropped) => ({ path: dropped.path, read: () => read(dropped) })), { ...options, signal }); // prettier-ignore
  };
  const data = await open(files, { unusable: 'skip' });
  if (shape === undefined || sameShape(data.sampleShape, shape)) return data;
  const [channels, height = 0, width = 0] = shape;
  const left = new Set(data.leftOut?.map(({ path }) => path));
  const fitted = await open(
    files.filter(({ path }) => !left.has(path)),
    { resize: { width, height }, channels: channels as 1 | 3 },
  );
  const note = `Images of ${data.sampleShape.join(' x ')} are made ${shape.join(' x ')}, as the samples are.`;
  return { ...fitted, note: [data.note, note].filter((s) => s !== undefined).join(' ') };
}

async function openArray(name: string, { path, file }: DroppedFile): Promise<Dataset> {
  const read = async (start: number, length: number): Promise<Uint8Array> =>
    new Uint8Array(await file.slice(start, start + length).arrayBuffer());
  if (/\.npz$/i.test(path)) return arrayDataset(name, chooseArrays(path, parseNpz(path, await read(0, file.size))).x);
  // Bytes, as most samples are kept, need not be held.
  return (await streamedNpy(name, file.size, read)) ?? arrayDataset(name, parseNpy(path, await read(0, file.size)));
}

/** What was dropped, in words: `notes.txt`, `3 files such as a.npy`. */
function described(files: readonly DroppedFile[]): string {
  const first = files[0]?.path ?? 'nothing';
  return files.length > 1 ? `${files.length} files such as ${first}` : first;
}

/** The folder that was dropped; loose files are taken to lie in the folder that one is in. */
function folderOf(files: readonly DroppedFile[]): string {
  const path = files[0]?.path ?? '';
  return path.includes('/') ? path.slice(0, path.indexOf('/') + 1) : './';
}
