import { DatasetError } from '../errors/errors.ts';
import { sizeOf } from '../tensor/tensor.ts';
import { channelsFirst, samplesOf } from './arrays.ts';
import type { ImageLayout } from './arrays.ts';
import { byteLevels, datasetFrom } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { parseNpyHeader } from './npy-header.ts';

/** Part of a file, read when asked for; at the end of the file fewer bytes come. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

/** As much as a header takes: NumPy writes 128 bytes for a plain array. */
const HEAD = 65_536;

/**
 * An NPY file of bytes as a data set that is read sample by sample and never held: 1,000,000 images of 32 x 32 x 3 are 3 GB.
 * @param length  bytes of the whole file
 * @returns undefined where the file must be read whole: other dtypes, Fortran order
 * @throws DatasetError as `parseNpyHeader`, or while reading, if the file was cut meanwhile
 */
export async function streamedNpy(
  name: string,
  length: number,
  read: ReadRange,
  options: { readonly layout?: ImageLayout | undefined } = {},
): Promise<Dataset | undefined> {
  const header = parseNpyHeader(name, await read(0, HEAD), length);
  if (header.type !== 'u1' || header.fortranOrder) return undefined;
  const { shape, moved, notes } = samplesOf(name, { shape: header.shape, dtype: 'uint8' }, options.layout);
  const [count = 0, ...sampleShape] = shape;
  const size = sizeOf(sampleShape);
  const fill = async (first: number, samples: number, out: Float32Array): Promise<void> => {
    const bytes = await read(header.start + first * size, samples * size);
    if (bytes.length !== samples * size) {
      throw new DatasetError(name, `expected ${samples} samples from ${first} on, got ${bytes.length} bytes of them. Write the file again.`); // prettier-ignore
    }
    const ordered = moved ? channelsFirst(bytes, [samples, ...sampleShape], new Uint8Array(bytes.length)) : bytes;
    for (let i = 0; i < ordered.length; i++) out[i] = byteLevels[ordered[i] as number] as number;
  };
  return datasetFrom({
    name,
    count,
    sampleShape,
    range: { low: -1, high: 1 },
    note: notes.join(' ') || undefined,
    load: async (indices) => {
      const out = new Float32Array(indices.length * size);
      for (let at = 0; at < indices.length;) {
        const run = runLength(indices, at);
        await fill(indices[at] as number, run, out.subarray(at * size, (at + run) * size));
        at += run;
      }
      return out;
    },
  });
}

/** How many indices from `at` on count up by one. */
function runLength(indices: Int32Array, at: number): number {
  let run = 1;
  while (indices[at + run] === (indices[at] as number) + run) run++;
  return run;
}
