import type { Dataset } from '../data/dataset.ts';
import { basename, readBytes } from '../data/files.ts';
import { isImageName } from '../data/images.ts';
import { openDataset } from '../data/open.ts';
import { imageFolder } from '../data/image-folder.ts';
import { SpecError } from '../errors/errors.ts';
import { showShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { fitDataset } from './fit-dataset.ts';

/** The images of an edit, the one to edit first. */
export interface EditSource {
  /** [1 + M, ...sampleShape] in data units. */
  readonly images: FloatTensor;
  readonly names: readonly string[];
  /** What was done to the image to make it fit. */
  readonly notes: readonly string[];
}

/**
 * The image that a text names, and `others` held-out images that are not it.
 * @param text  a place among the held-out images, or the path of a PNG, JPEG or NPY file
 * @throws SpecError for a place beyond the held-out images; DatasetError for a file that does not fit the model, saying how
 */
export async function openEditSource(
  text: string,
  heldout: Dataset,
  { others, sampleShape }: { readonly others: number; readonly sampleShape: readonly number[] },
): Promise<EditSource> {
  const isPlace = /^\d+$/.test(text);
  const place = isPlace ? Number(text) : -1;
  if (place >= heldout.count) {
    throw new SpecError('edit', `expected image 0 to ${heldout.count - 1} of ${heldout.name}, got ${text}. Give such a number, or the path of an image.`); // prettier-ignore
  }
  const places = Array.from({ length: heldout.count }, (_, i) => i).filter((i) => i !== place).slice(0, others); // prettier-ignore
  const rest = places.length > 0 ? (await heldout.read(places)).data : new Float32Array();
  const file = isPlace ? undefined : await readFile(text, heldout, sampleShape);
  const first = file?.data ?? (await heldout.read([place])).data;
  const data = new Float32Array(first.length + rest.length);
  data.set(first);
  data.set(rest, first.length);
  return {
    images: tensor('float32', [1 + places.length, ...sampleShape], data),
    names: [file?.name ?? `${heldout.name} ${place}`, ...places.map((i) => `${heldout.name} ${i}`)],
    notes: file?.note === undefined ? [] : [file.note],
  };
}

/** @throws DatasetError, SpecError as `openEditSource` */
async function readFile(
  path: string,
  heldout: Dataset,
  sampleShape: readonly number[],
): Promise<{ name: string; data: Float32Array; note?: string | undefined }> {
  const name = basename(path);
  const opened = isImageName(path)
    ? await imageFolder(name, [{ path: name, read: () => readBytes(path) }])
    : await openDataset(path);
  const size = sizeOf(sampleShape);
  // An array may be one sample without a batch axis.
  const single = opened.count * sizeOf(opened.sampleShape) === size && opened.count !== 1;
  if (!single && opened.count !== 1) {
    throw new SpecError('edit', `expected one image in ${path}, got ${opened.count}. Give ${showShape(sampleShape)}.`);
  }
  const small = opened.sampleShape.length === 3 && (opened.sampleShape[1] ?? 0) * (opened.sampleShape[2] ?? 0) < size / (sampleShape[0] ?? 1); // prettier-ignore
  if (small) {
    throw new SpecError('edit', `expected an image of ${showShape(sampleShape)} or larger, got ${showShape(opened.sampleShape)} in ${path}. Give a larger one.`); // prettier-ignore
  }
  const fitted = single ? opened : fitDataset(opened, sampleShape);
  const { data } = await fitted.read(Array.from({ length: fitted.count }, (_, i) => i));
  const { low, high } = heldout.range;
  const [least, most] = data.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)] as [number, number], [Infinity, -Infinity]); // prettier-ignore
  const slack = 1e-3 * (high - low);
  if (!(least >= low - slack && most <= high + slack)) {
    throw new SpecError('edit', `expected values from ${low} to ${high}, as the model's images have, got ${least} to ${most} in ${path}. Rescale them.`); // prettier-ignore
  }
  return { name, data, note: fitted.note };
}
