import { DomainError, throwIfAborted } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { assertFinite, assertShape, slice, tensor } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import type { WatchOptions } from '../jacobian.ts';

/** The nearest neighbours of some samples among all of them. */
export interface Neighbours {
  readonly k: number;
  /** [M], places of the samples whose neighbours were sought. */
  readonly queries: Int32Array;
  /** [M, k], Euclidean, ascending in each row. */
  readonly distances: Float64Array;
  /** [M, k], places of the neighbours. */
  readonly indices: Int32Array;
}

/** Options of `nearestNeighbours`. */
export interface NeighbourOptions extends WatchOptions {
  /** Places of the samples whose neighbours are sought; default all. */
  readonly queries?: Int32Array | undefined;
}

/** Candidates kept beyond k, so that rounding in the fast distances cannot drop a neighbour unless many tie. */
const SPARE = 8;
const QUERIES = 256;
const REFERENCES = 2048;

/**
 * The k nearest other samples of each query, by full search.
 * Squared distances come as |a|^2 + |b|^2 - 2ab from matrix products of centred blocks; the k + 8 nearest are then measured as |a - b|.
 * @param x  [N, D], N > k; not consumed
 * @throws DomainError unless 1 <= k < N; NumericalError for samples that are not finite; CancelledError
 * @precision distances relative to a few eps, a copy has distance 0. Of candidates whose squared distances agree within about 1e-14 of the
 * squared spread of the data, any may be taken
 */
export async function nearestNeighbours(
  x: FloatTensor,
  k: number,
  { queries, signal, onProgress }: NeighbourOptions = {},
): Promise<Neighbours> {
  const { N = 0 } = assertShape('nearestNeighbours', x, 'N D');
  if (!Number.isInteger(k) || k < 1 || k >= N) {
    const remedy = N > 1 ? `Take k from 1 to ${N - 1}, or more samples.` : 'Give more samples.';
    throw new DomainError('nearestNeighbours', `expected more than k = ${k} samples, got ${N}. ${remedy}`);
  }
  assertFinite('nearestNeighbours', x, 'Remove that sample.');
  const centre = meanOf(x);
  const wanted = queries ?? Int32Array.from({ length: N }, (_, i) => i);
  const distances = new Float64Array(wanted.length * k);
  const indices = new Int32Array(wanted.length * k);
  const kept = Math.min(k + SPARE, N - 1);
  for (let start = 0; start < wanted.length; start += QUERIES) {
    const part = wanted.subarray(start, start + QUERIES);
    const block = gather(x, part, centre);
    const lists = Array.from(part, () => new NearestList(kept));
    for (let first = 0; first < N; first += REFERENCES) {
      // The loop never waits by itself: hand the event loop a turn, or an interrupt would not be heard.
      await new Promise((resolve) => setTimeout(resolve, 0));
      throwIfAborted('nearestNeighbours', signal);
      const places = Int32Array.from({ length: Math.min(REFERENCES, N - first) }, (_, i) => first + i);
      offer(lists, part, block, gather(x, places, centre), first);
    }
    part.forEach((query, q) => measure(x, query, (lists[q] as NearestList).indices, k, start + q, distances, indices));
    onProgress?.(start + part.length, wanted.length);
  }
  return { k, queries: wanted, distances, indices };
}

/**
 * Places of the first of each group of equal samples, ascending: duplicates have distance 0, of which no estimator can take the logarithm.
 * @param x  [N, D]
 */
export function distinctSamples(x: FloatTensor): Int32Array {
  const { N = 0, D = 0 } = assertShape('distinctSamples', x, 'N D');
  const buckets = new Map<number, number[]>();
  const bits = new Uint32Array(x.data.BYTES_PER_ELEMENT / 4);
  const cell = x.dtype === 'float32' ? new Float32Array(bits.buffer) : new Float64Array(bits.buffer);
  const firsts: number[] = [];
  for (let i = 0; i < N; i++) {
    let hash = 0x811c9dc5; // FNV-1a over 32-bit words
    for (let d = 0; d < D; d++) {
      cell[0] = (x.data[i * D + d] as number) + 0; // -0 equals 0
      for (const word of bits) hash = Math.imul(hash ^ word, 0x01000193) ^ (hash >>> 15);
    }
    const bucket = buckets.get(hash);
    if (bucket?.some((j) => isEqual(x, i, j, D))) continue;
    if (bucket === undefined) buckets.set(hash, [i]);
    else bucket.push(i);
    firsts.push(i);
  }
  return Int32Array.from(firsts);
}

/** The `size` least numbers offered and where they stood, ascending. */
class NearestList {
  readonly values: Float64Array;
  readonly indices: Int32Array;

  constructor(size: number) {
    this.values = new Float64Array(size).fill(Infinity);
    this.indices = new Int32Array(size).fill(-1);
  }

  get worst(): number {
    return this.values.at(-1) as number;
  }

  insert(value: number, index: number): void {
    const { values, indices } = this;
    let at = values.length - 1;
    for (; at > 0 && (values[at - 1] as number) > value; at--) {
      values[at] = values[at - 1] as number;
      indices[at] = indices[at - 1] as number;
    }
    values[at] = value;
    indices[at] = index;
  }
}

/** Offers |a|^2 + |b|^2 - 2ab of every query a and reference b; a sample is no neighbour of itself. */
function offer(
  lists: readonly NearestList[],
  queries: Int32Array,
  a: Tensor<'float64'>,
  b: Tensor<'float64'>,
  first: number,
): void {
  const products = matmul(a, b, { transposeB: true }).data;
  const [squaresA, squaresB] = [rowSquares(a), rowSquares(b)];
  lists.forEach((list, q) => {
    const own = (queries[q] as number) - first;
    const base = squaresA[q] as number;
    let worst = list.worst;
    for (let j = 0, at = q * squaresB.length; j < squaresB.length; j++, at++) {
      const square = base + (squaresB[j] as number) - 2 * (products[at] as number);
      if (square >= worst || j === own) continue;
      list.insert(square, first + j);
      worst = list.worst;
    }
  });
}

/** Distances of the candidates from differences, and the k least of them in order. */
function measure(
  x: FloatTensor,
  query: number,
  candidates: Int32Array,
  k: number,
  at: number,
  distances: Float64Array,
  indices: Int32Array,
): void {
  const D = x.shape[1] as number;
  const measured = Array.from(candidates, (index) => {
    let squares = 0;
    for (let d = 0; d < D; d++) {
      squares += ((x.data[query * D + d] as number) - (x.data[index * D + d] as number)) ** 2;
    }
    return { index, distance: Math.sqrt(squares) };
  }).sort((p, q) => p.distance - q.distance || p.index - q.index);
  for (let j = 0; j < k; j++) {
    distances[at * k + j] = (measured[j] as { distance: number }).distance;
    indices[at * k + j] = (measured[j] as { index: number }).index;
  }
}

function gather(x: FloatTensor, places: Int32Array, centre: Float64Array): Tensor<'float64'> {
  const D = centre.length;
  const data = new Float64Array(places.length * D);
  places.forEach((place, i) => {
    for (let d = 0; d < D; d++) data[i * D + d] = (x.data[place * D + d] as number) - (centre[d] as number);
  });
  return tensor('float64', [places.length, D], data);
}

function meanOf(x: FloatTensor): Float64Array {
  const [N = 0, D = 0] = x.shape;
  const mean = new Float64Array(D);
  for (let i = 0, at = 0; i < N; i++) {
    for (let d = 0; d < D; d++, at++) mean[d] = (mean[d] as number) + (x.data[at] as number) / N;
  }
  return mean;
}

function rowSquares(x: Tensor<'float64'>): Float64Array {
  return Float64Array.from({ length: x.shape[0] as number }, (_, i) =>
    slice(x, i, i + 1).data.reduce((sum, value) => sum + value * value, 0),
  );
}

function isEqual(x: FloatTensor, i: number, j: number, D: number): boolean {
  for (let d = 0; d < D; d++) if (x.data[i * D + d] !== x.data[j * D + d]) return false;
  return true;
}
