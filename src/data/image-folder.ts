import { DatasetError, DomainError, throwIfAborted } from '../errors/errors.ts';
import { datasetFrom } from './dataset.ts';
import type { Dataset, LeftOut } from './dataset.ts';
import { decodeImage, isImageName } from './images.ts';
import type { Pixels } from './images.ts';
import { cropAndResize } from './resize.ts';

/** One file that can be read when needed: on a disk, or a `File` in a browser. */
export interface FileHandle {
  /** Relative path with `/` between the parts. */
  readonly path: string;
  read(): Promise<Uint8Array>;
}

/** How images become samples. */
export interface ImageFolderOptions {
  /** Crop to these proportions and average down to this size; without it all images must have one size. */
  readonly resize?: { readonly width: number; readonly height: number } | undefined;
  /** 1 grey (Rec. 601 luma), 3 RGB (grey repeated); without it all images must be as the first. */
  readonly channels?: 1 | 3 | undefined;
  /**
   * What to do about images that are corrupt or of another size than most: `refuse` (default) fails when one is read; `skip` reads all
   * of them once at opening, leaves those out and says so in `note` and `leftOut`.
   */
  readonly unusable?: 'refuse' | 'skip' | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * PNG and JPEG files as a data set of samples [C, H, W] in [-1, 1], decoded as they are asked for.
 * The order is natural (`2.png` before `10.png`); where every image lies in a subfolder, the first folder of the path is its class.
 * @throws DatasetError if there is no image or the first is corrupt; while reading, naming the file, if one is corrupt or of another size
 */
export async function imageFolder(
  name: string,
  files: Iterable<FileHandle>,
  options: ImageFolderOptions = {},
): Promise<Dataset> {
  const { resize, channels } = options;
  if (
    resize &&
    !(Number.isInteger(resize.width) && Number.isInteger(resize.height) && resize.width * resize.height > 0)
  ) {
    throw new DomainError(name, `expected a size of whole pixels, got ${resize.width} x ${resize.height}.`);
  }
  const { compare } = new Intl.Collator('en', { numeric: true });
  const found = [...files]
    .filter((file) => isImageName(file.path))
    .sort((a, b) => compare(a.path, b.path) || (a.path < b.path ? -1 : 1));
  if (found.length === 0) {
    throw new DatasetError(
      name,
      'expected PNG or JPEG images in this folder, got none. Name a folder that holds some.',
    );
  }
  const prepare = async (file: FileHandle): Promise<Pixels> => {
    const pixels = decodeImage(file.path, await file.read());
    const coloured = channels === undefined ? pixels : toChannels(pixels, channels);
    return resize === undefined ? coloured : cropAndResize(coloured, resize.width, resize.height);
  };
  const { usable: images, leftOut } =
    options.unusable === 'skip' ? await sortOut(name, found, prepare, options.signal) : { usable: found, leftOut: [] };
  const first = images[0] as FileHandle;
  const model = await prepare(first);
  const size = model.channels * model.height * model.width;
  return datasetFrom({
    name,
    count: images.length,
    sampleShape: [model.channels, model.height, model.width],
    range: { low: -1, high: 1 },
    ...classesOf(images.map((file) => file.path)),
    ...(leftOut.length > 0 && { leftOut, note: noteOf(found.length, leftOut) }),
    load: async (indices) => {
      const out = new Float32Array(indices.length * size);
      for (const [b, i] of indices.entries()) {
        const file = images[i] as FileHandle;
        const pixels = await prepare(file);
        assertAlike(file.path, pixels, first.path, model);
        toPlanes(pixels, out.subarray(b * size, (b + 1) * size));
      }
      return out;
    },
  });
}

/** Reads every image once and keeps those of the most common size (the earliest of equals). */
async function sortOut(
  name: string,
  files: readonly FileHandle[],
  prepare: (file: FileHandle) => Promise<Pixels>,
  signal: AbortSignal | undefined,
): Promise<{ usable: FileHandle[]; leftOut: LeftOut[] }> {
  const sizes = new Map<string, FileHandle[]>();
  const leftOut: LeftOut[] = [];
  for (const file of files) {
    throwIfAborted(name, signal);
    try {
      const { width, height, channels } = await prepare(file);
      const size = `${width} x ${height}, ${channels === 1 ? 'grey' : 'colour'}`;
      const alike = sizes.get(size);
      if (alike === undefined) sizes.set(size, [file]);
      else alike.push(file);
    } catch (cause) {
      if (!(cause instanceof DatasetError)) throw cause;
      leftOut.push({ path: file.path, reason: cause.message });
    }
  }
  const [most, ...others] = [...sizes].sort(([, a], [, b]) => b.length - a.length);
  if (most === undefined) {
    throw new DatasetError(
      name,
      `expected images that can be read, got ${files.length} that cannot: ${leftOut[0]?.reason}`,
    );
  }
  for (const [size, group] of others) {
    leftOut.push(...group.map(({ path }) => ({ path, reason: `is ${size}; most are ${most[0]}` })));
  }
  return { usable: most[1], leftOut };
}

function noteOf(count: number, leftOut: readonly LeftOut[]): string {
  const [first] = leftOut;
  return `${leftOut.length} of ${count} images are left out, such as ${first?.path}: ${first?.reason.replace(/\.$/, '')}.`;
}

function classesOf(paths: readonly string[]): { labels?: Int32Array; classNames?: string[] } {
  const folders = paths.map((path) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined));
  if (folders.some((folder) => folder === undefined)) return {};
  const classNames = [...new Set(folders as string[])]; // paths are sorted, and so are these
  const numbers = new Map(classNames.map((folder, i) => [folder, i]));
  return { labels: Int32Array.from(folders as string[], (folder) => numbers.get(folder) as number), classNames };
}

function assertAlike(path: string, pixels: Pixels, firstPath: string, model: Pixels): void {
  if (pixels.width !== model.width || pixels.height !== model.height) {
    throw new DatasetError(
      path,
      `expected ${model.width} x ${model.height} pixels as in ${firstPath}, got ${pixels.width} x ${pixels.height}. Give a size to resize to.`,
    );
  }
  if (pixels.channels !== model.channels) {
    throw new DatasetError(
      path,
      `expected ${model.channels} channel(s) as in ${firstPath}, got ${pixels.channels}. State channels: 1 or 3.`,
    );
  }
}

function toChannels(pixels: Pixels, channels: 1 | 3): Pixels {
  if (pixels.channels === channels) return pixels;
  const { data, width, height } = pixels;
  const out = new Float32Array(width * height * channels);
  for (let p = 0; p < width * height; p++) {
    if (channels === 3) out.fill(data[p] as number, p * 3, p * 3 + 3);
    else
      out[p] =
        0.299 * (data[p * 3] as number) + 0.587 * (data[p * 3 + 1] as number) + 0.114 * (data[p * 3 + 2] as number);
  }
  return { ...pixels, channels, data: out };
}

/** Channels last, 0 to max, into channels first, -1 to 1. */
function toPlanes(pixels: Pixels, out: Float32Array): void {
  const { width, height, channels, max, data } = pixels;
  const plane = width * height;
  for (let p = 0; p < plane; p++) {
    for (let c = 0; c < channels; c++) out[c * plane + p] = ((data[p * channels + c] as number) / max) * 2 - 1;
  }
}
