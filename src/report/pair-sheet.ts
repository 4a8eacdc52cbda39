import { sizeOf } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { encodePng, gridPicture, imagePicture } from './png.ts';
import type { Picture } from './png.ts';

/** Layout of a sheet of pairs. */
export interface PairSheetOptions {
  /** Most pairs shown, from the first on. */
  readonly pairs: number;
  readonly columns: number;
}

/**
 * A contact sheet: each picture above its partner, pair beside pair, as a PNG.
 * @param above  [N, ...sampleShape] images, and `below` the same; at least one
 * @param range  values of black and white
 */
export function pairSheetPng(
  above: FloatTensor,
  below: FloatTensor,
  range: readonly [number, number],
  { pairs, columns }: PairSheetOptions,
): Uint8Array {
  const sampleShape = above.shape.slice(1);
  const size = sizeOf(sampleShape);
  const at = (x: FloatTensor, n: number): Picture =>
    imagePicture(x.data.subarray(n * size, (n + 1) * size), sampleShape, range);
  const count = Math.min(pairs, above.shape[0] ?? 0);
  const stacked = Array.from({ length: count }, (_, n) => stack(at(above, n), at(below, n)));
  const scale = Math.max(1, Math.round(48 / (sampleShape.at(-1) as number)));
  return encodePng(gridPicture(stacked, { columns, padding: 6, scale }));
}

/** Two pictures of one size, one over the other with no gap: what is equal looks equal. */
function stack(above: Picture, below: Picture): Picture {
  const data = new Uint8Array(above.data.length + below.data.length);
  data.set(above.data);
  data.set(below.data, above.data.length);
  return { width: above.width, height: above.height + below.height, data };
}
