import type { Dataset } from '../data/dataset.ts';
import { DatasetError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { normal, permutation, randomKey } from '../tensor/random.ts';
import { castFloat, reshape, sizeOf, tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Numbers that stand for a sample; samples that lie far apart mostly differ in them. */
const DIRECTIONS = 16;
/** Samples that choose the directions. */
const LOOKED_AT = 256;

/**
 * Orthonormal directions [K, D] along which samples spread: about the leading principal components of a few of them. Any orthonormal
 * rows would do, since projections shorten distances; these shorten them least.
 * @throws DatasetError for samples that are not finite
 */
export async function spreadDirections(dataset: Dataset): Promise<Tensor<'float64'>> {
  const D = sizeOf(dataset.sampleShape);
  const places = permutation(randomKey(0, 'duplicates'), dataset.count).slice(0, LOOKED_AT).sort();
  const n = places.length;
  const x = castFloat(reshape(await dataset.read(places), [n, D]), 'float64');
  const bad = x.data.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    throw new DatasetError(dataset.name, `expected finite samples, got ${x.data[bad]} in sample ${places[Math.floor(bad / D)]}. Remove it.`); // prettier-ignore
  }
  const mean = new Float64Array(D);
  for (let i = 0; i < x.data.length; i++) mean[i % D] = (mean[i % D] as number) + (x.data[i] as number) / n;
  for (let i = 0; i < x.data.length; i++) x.data[i] = (x.data[i] as number) - (mean[i % D] as number);
  let basis = orthonormalRows(matmul(normal(randomKey(1, 'duplicates'), [DIRECTIONS, n]), x)).q;
  for (let i = 0; i < 3 && basis.data.length > 0; i++) {
    basis = orthonormalRows(matmul(matmul(basis, x, { transposeB: true }), x)).q;
  }
  // Samples that all agree leave nothing to choose by: then one direction is as good as another.
  const any = normal(randomKey(2, 'duplicates'), [1, D]);
  const rows = zeros('float64', [basis.data.length / D + 1, D]);
  rows.data.set(basis.data);
  rows.data.set(any.data, basis.data.length);
  const { q } = orthonormalRows(rows);
  return tensor('float64', [Math.min(DIRECTIONS, q.data.length / D), D], q.data.slice(0, DIRECTIONS * D));
}

/** Pairs found, at most this many at a time. */
const PORTION = 2 ** 14;
/** Points after which the sweep pauses even where it finds nothing. */
const PAUSE = 1024;

/** Open pairs of points whose distance is at most `limit`, by a sweep along the first coordinate, in portions. */
export function* closePairs(
  points: Float64Array,
  K: number,
  limit: number,
  isOpen: (a: number, b: number) => boolean,
): Generator<{ readonly done: number; readonly pairs: readonly [number, number][] }> {
  const n = points.length / K;
  const order = Int32Array.from({ length: n }, (_, i) => i);
  order.sort((a, b) => (points[a * K] as number) - (points[b * K] as number));
  const sorted = new Float64Array(points.length);
  order.forEach((from, to) => sorted.set(points.subarray(from * K, (from + 1) * K), to * K));
  let pairs: [number, number][] = [];
  for (let i = 0; i < n; i++) {
    const reach = (sorted[i * K] as number) + limit;
    for (let j = i + 1; j < n && (sorted[j * K] as number) <= reach; j++) {
      if (!liesWithin(sorted, i * K, j * K, K, limit * limit)) continue;
      const [a, b] = [order[i] as number, order[j] as number];
      if (isOpen(a, b)) pairs.push([a, b]);
      if (pairs.length < PORTION) continue;
      yield { done: i, pairs };
      pairs = [];
    }
    if ((i + 1) % PAUSE !== 0) continue;
    yield { done: i + 1, pairs };
    pairs = [];
  }
  yield { done: n, pairs };
}

function liesWithin(x: Float64Array, a: number, b: number, K: number, square: number): boolean {
  let sum = 0;
  for (let c = 0; c < K && sum <= square; c++) sum += ((x[b + c] as number) - (x[a + c] as number)) ** 2;
  return sum <= square;
}
