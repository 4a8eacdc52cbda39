import { unzipSync, zipSync } from 'fflate';
import type { UnzipFileInfo, Zippable } from 'fflate';
import { DatasetError } from '../errors/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { parseNpy, writeNpy } from './npy.ts';

const MAX_ENTRIES = 65_535;
const MAX_RATIO = 1032; // of DEFLATE: 258 bytes by a code of two bits
const STORED = 0;
const DEFLATED = 8;

/**
 * Reads an NPZ file, stored or deflated, as `numpy.savez` and `numpy.savez_compressed` write them.
 * @param where  what the bytes are, for messages
 * @returns the arrays by name (without `.npy`), in file order
 * @throws DatasetError if the ZIP file is truncated or hostile, or an entry is not an NPY file
 */
export function parseNpz(where: string, bytes: Uint8Array): Map<string, Tensor> {
  let entries = 0;
  let unpacked = 0;
  const filter = ({ name, size, originalSize, compression }: UnzipFileInfo): boolean => {
    entries += 1;
    unpacked += originalSize;
    // Sizes come from the directory, which may lie: refuse what the file's own bytes cannot hold, before allocating it.
    const most = compression === STORED ? size : size * MAX_RATIO;
    const possible = size <= bytes.length && originalSize <= most && unpacked <= bytes.length * MAX_RATIO;
    if (entries > MAX_ENTRIES || name === '' || !possible || (compression !== STORED && compression !== DEFLATED)) {
      throw new DatasetError(
        where,
        'expected an NPZ file, got an impossible ZIP directory. Write it with numpy.savez.',
      );
    }
    return name.endsWith('.npy');
  };
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter });
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    throw new DatasetError(
      where,
      'expected a whole NPZ (ZIP) file, got one that is truncated or corrupt. Write it again.',
      {
        cause,
      },
    );
  }
  const arrays = Object.entries(files).map(([file, content]): [string, Tensor] => {
    const name = file.slice(0, -'.npy'.length);
    return [name, parseNpy(`${where}[${name}]`, content)];
  });
  return new Map(arrays);
}

/**
 * The samples among the arrays of an NPZ file, and their labels where it has some.
 * @param key  name of the samples; without it the only array, or `x`, `images`, `data`, or `arr_0`, as `numpy.savez` calls the first
 * @throws DatasetError where there is none of that name, naming those that there are
 */
export function chooseArrays(path: string, arrays: Map<string, Tensor>, key?: string): { x: Tensor; labels?: Tensor } {
  const first = (names: string[]): string | undefined => names.find((candidate) => arrays.has(candidate));
  const only = arrays.size === 1 ? [...arrays.keys()] : [];
  const x = arrays.get(key ?? first([...only, 'x', 'images', 'data', 'arr_0']) ?? '');
  const names = [...arrays.keys()].join(', ') || 'none';
  if (x === undefined) {
    const wanted = key === undefined ? 'one array, or one named x, images, data or arr_0' : `an array named ${key}`;
    throw new DatasetError(path, `expected ${wanted}, got ${names}. State the key of the samples, or save them as x.`);
  }
  const labels = arrays.get(first(['y', 'labels']) ?? '');
  return labels === undefined || labels === x ? { x } : { x, labels };
}

/**
 * An NPZ file that `numpy.load` opens; equal arrays give equal bytes (no time of day is stored).
 * @param arrays  by name, written in this order
 * @param options.compress  default true: deflated like `numpy.savez_compressed`; else stored
 */
export function writeNpz(arrays: ReadonlyMap<string, Tensor>, options: { compress?: boolean } = {}): Uint8Array {
  const { compress = true } = options;
  const files: Zippable = {};
  for (const [name, x] of arrays) files[`${name}.npy`] = writeNpy(x);
  return zipSync(files, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}
