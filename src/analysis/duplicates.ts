import type { Dataset } from '../data/dataset.ts';
import { DatasetError, DomainError, throwIfAborted } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { reshape, sizeOf, tensor } from '../tensor/tensor.ts';
import { closePairs, spreadDirections } from './duplicates-projection.ts';
import type { WatchOptions } from './jacobian.ts';

/** Samples that belong together, and how many of them are there beside the first. */
export interface CopyGroups {
  /** Samples with an earlier one in their group. */
  readonly copies: number;
  /** Places, ascending; the largest group first, equals by their first place. */
  readonly groups: readonly (readonly number[])[];
}

/** Samples that a data set holds more than once. */
export interface Duplicates {
  /** Root mean square difference per number, data units. */
  readonly threshold: number;
  /** Equal in every number. */
  readonly exact: CopyGroups;
  /** Joined by steps of at most the threshold, the exact ones among them. */
  readonly near: CopyGroups;
}

/** Options of `findDuplicates`. */
export interface DuplicateOptions extends WatchOptions {
  /** Largest |a - b| / sqrt(D) of near-duplicates, in data units, default 0.02; 0 finds the exact ones alone. */
  readonly threshold?: number | undefined;
}

/** Pairs that are read and compared at a time. */
const PAIRS = 256;

/**
 * Exact and near-duplicates inside a data set.
 * One pass hashes every sample and projects it on 16 directions; what has equal hashes, or projections within the threshold, is read
 * again and compared in full, so that none is wrong, and none is missed. Memory: about 330 bytes a sample. Cost: the pass, and the pairs
 * within the threshold along the first direction, a few nanoseconds each: a few per cent of all pairs at the default, all of them where
 * the threshold reaches the spread of the data.
 * @param dataset  N samples of D numbers
 * @returns groups by single linkage: a chain of small steps is one group
 * @throws DomainError for a negative threshold; DatasetError for samples that are not finite; CancelledError
 * @precision differences are summed in float64
 */
export async function findDuplicates(dataset: Dataset, options: DuplicateOptions = {}): Promise<Duplicates> {
  const { threshold = 0.02, signal, onProgress } = options;
  if (!(threshold >= 0 && threshold < Infinity)) {
    throw new DomainError('findDuplicates', `expected a finite threshold >= 0, got ${threshold}.`);
  }
  const N = dataset.count;
  const D = sizeOf(dataset.sampleShape);
  const { points, K, error, sameHash } = await describeSamples(dataset, options);
  const groups = { exact: new Groups(N), near: new Groups(N) };
  const compare = async (pairs: readonly [number, number][]): Promise<void> => {
    for (let at = 0; at < pairs.length; at += PAIRS) {
      throwIfAborted('findDuplicates', signal);
      await comparePairs(dataset, pairs.slice(at, at + PAIRS), D * threshold * threshold, groups);
    }
  };
  await compare(sameHash);
  const single = Int32Array.from({ length: N }, (_, i) => i).filter((i) => groups.exact.first(i) === i);
  single.forEach((from, to) => points.copyWithin(to * K, from * K, (from + 1) * K));
  const kept = points.subarray(0, single.length * K);
  const place = (i: number): number => single[i] as number;
  const isOpen = (a: number, b: number): boolean => groups.near.first(place(a)) !== groups.near.first(place(b));
  for (const { done, pairs } of closePairs(kept, K, threshold * Math.sqrt(D) + error, isOpen)) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // or no interrupt would be heard
    throwIfAborted('findDuplicates', signal);
    await compare(pairs.map(([a, b]): [number, number] => [place(a), place(b)]));
    onProgress?.(N + Math.floor((done * N) / single.length), 2 * N);
  }
  return { threshold, exact: groups.exact.list(), near: groups.near.list() };
}

/** Projections [N, K] with twice their rounding error, and each sample beside the first one of the same hash. */
async function describeSamples(
  dataset: Dataset,
  { signal, onProgress }: WatchOptions,
): Promise<{ points: Float64Array; K: number; error: number; sameHash: [number, number][] }> {
  const D = sizeOf(dataset.sampleShape);
  const directions = await spreadDirections(dataset);
  const K = directions.shape[0] as number;
  const points = new Float64Array(dataset.count * K);
  const firsts = new Map<number, number>();
  const sameHash: [number, number][] = [];
  let [done, largest] = [0, 0];
  for await (const { x, indices } of dataset.batches({ size: 256, ...(signal && { signal }) })) {
    const rows = tensor('float64', [indices.length, D], new Float64Array(x.data));
    points.set(matmul(rows, directions, { transposeB: true }).data, done * K);
    indices.forEach((index, r) => {
      const sample = x.data.subarray(r * D, (r + 1) * D);
      const norm = Math.sqrt(sample.reduce((sum, v) => sum + v * v, 0));
      if (!Number.isFinite(norm)) {
        throw new DatasetError(dataset.name, `expected finite samples, got NaN or infinity in sample ${index}. Remove it.`); // prettier-ignore
      }
      largest = Math.max(largest, norm);
      const hash = hashOf(sample);
      const first = firsts.get(hash);
      if (first === undefined) firsts.set(hash, index);
      else sameHash.push([first, index]);
    });
    done += indices.length;
    onProgress?.(done, 2 * dataset.count);
  }
  return { points, K, error: 4 * (D + K) * Number.EPSILON * largest, sameHash };
}

/** 53 bits of two FNV-1a hashes over words of 32 bits. */
function hashOf(sample: Float32Array): number {
  const words = new Int32Array(sample.buffer, sample.byteOffset, sample.length);
  let [a, b] = [0x811c9dc5, 0x1234567];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    a = Math.imul(a ^ word, 0x01000193);
    // The high bits come down, where the multiplication alone would never bring them.
    b = Math.imul(b ^ (word >>> 15) ^ word, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 2 ** 21 + (b & 0x1fffff);
}

async function comparePairs(
  dataset: Dataset,
  pairs: readonly [number, number][],
  limit: number,
  { exact, near }: { readonly exact: Groups; readonly near: Groups },
): Promise<void> {
  const open = pairs.filter(([a, b]) => near.first(a) !== near.first(b));
  const places = [...new Set(open.flat())].sort((a, b) => a - b);
  if (places.length === 0) return;
  const { data, shape } = await dataset.read(places);
  const x = reshape(tensor('float32', shape, data), [places.length, data.length / places.length]);
  const rowOf = new Map(places.map((place, r) => [place, r]));
  for (const [a, b] of open) {
    const squares = distanceSquared(x.data, rowOf.get(a) as number, rowOf.get(b) as number, x.shape[1] as number);
    if (squares === 0) exact.join(a, b);
    if (squares <= limit) near.join(a, b);
  }
}

function distanceSquared(x: Float32Array, a: number, b: number, D: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += ((x[a * D + d] as number) - (x[b * D + d] as number)) ** 2;
  return sum;
}

/** Disjoint sets of places, each known by its first. */
class Groups {
  readonly #parent: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, i) => i);
  }

  first(i: number): number {
    let at = i;
    while (this.#parent[at] !== at) {
      this.#parent[at] = this.#parent[this.#parent[at] as number] as number;
      at = this.#parent[at] as number;
    }
    return at;
  }

  join(a: number, b: number): void {
    const [p, q] = [this.first(a), this.first(b)];
    this.#parent[Math.max(p, q)] = Math.min(p, q);
  }

  list(): CopyGroups {
    const members = new Map<number, number[]>();
    this.#parent.forEach((_, i) => {
      const first = this.first(i);
      if (first === i) return;
      const group = members.get(first) ?? [first];
      group.push(i);
      members.set(first, group);
    });
    const groups = [...members.values()].sort((a, b) => b.length - a.length || (a[0] as number) - (b[0] as number));
    return { copies: groups.reduce((sum, group) => sum + group.length - 1, 0), groups };
  }
}
