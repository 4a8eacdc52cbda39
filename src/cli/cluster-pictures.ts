import type { SparseRows } from '../analysis/clustering/sparse-rows.ts';
import { viridis } from '../report/colors.ts';
import { encodePng } from '../report/png.ts';
import type { Picture } from '../report/png.ts';
import { sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';

/** Largest side of the affinity picture, pixels. */
const SIDE = 608;

/** Places of the samples, cluster after cluster, in their own order inside each. */
export function byCluster(labels: Int32Array): Int32Array {
  return Int32Array.from(labels.keys()).sort((a, b) => (labels[a] as number) - (labels[b] as number) || a - b);
}

/** The affinity as a picture, samples in the order of their clusters: bright blocks on the diagonal where clusters stand apart. */
export function affinityPng(affinity: SparseRows, labels: Int32Array): Uint8Array {
  return encodePng(affinityPicture(affinity, labels));
}

/** A pixel is the largest affinity of its pairs, on a square-root scale from none to what one pixel in twenty of those lit exceeds. */
export function affinityPicture({ size, starts, columns, values }: SparseRows, labels: Int32Array): Picture {
  const side = Math.min(SIDE, size);
  const pixelOf = new Int32Array(size);
  byCluster(labels).forEach((i, place) => (pixelOf[i] = Math.floor((place * side) / size)));
  const cells = new Float64Array(side * side);
  for (let i = 0; i < size; i++) {
    for (let e = starts[i] as number; e < (starts[i + 1] as number); e++) {
      const at = (pixelOf[i] as number) * side + (pixelOf[columns[e] as number] as number);
      cells[at] = Math.max(cells[at] as number, values[e] as number);
    }
  }
  const lit = cells.filter((v) => v > 0).sort();
  const peak = lit[Math.floor(0.95 * lit.length)] ?? 1;
  const data = new Uint8Array(side * side * 3);
  cells.forEach((v, at) => data.set(viridis(Math.min(1, Math.sqrt(v / peak))), 3 * at));
  return { width: side, height: side, data };
}

/**
 * Members of every cluster, a row each, spread evenly over its samples; white where it has fewer than `columns`.
 * @param x  [N, C, H, W]
 * @returns [K * columns, C, H, W]
 */
export function contactSheet(
  x: FloatTensor,
  labels: Int32Array,
  clusters: number,
  columns: number,
  white: number,
): FloatTensor {
  const sampleShape = x.shape.slice(1);
  const size = sizeOf(sampleShape);
  const sheet = new Float32Array(clusters * columns * size).fill(white);
  for (let k = 0; k < clusters; k++) {
    const members = Array.from(labels.keys()).filter((i) => labels[i] === k);
    const shown = Math.min(columns, members.length);
    for (let c = 0; c < shown; c++) {
      const i = members[Math.floor((c * members.length) / shown)] as number;
      sheet.set(x.data.subarray(i * size, (i + 1) * size), (k * columns + c) * size);
    }
  }
  return tensor('float32', [clusters * columns, ...sampleShape], sheet);
}
