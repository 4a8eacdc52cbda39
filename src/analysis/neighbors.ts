import type { Batch, Dataset } from '../data/dataset.ts';
import { lowerInnerProducts, openLanes, runInTurn } from '../engine/products.ts';
import { DatasetError, DomainError, ShapeError, throwIfAborted } from '../errors/errors.ts';
import { assertFinite, sameShape, showShape, sizeOf, tensor, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';
import { prepareRows, rowMap } from './neighbors-rows.ts';
import type { NeighborMetric, RowMap } from './neighbors-rows.ts';
import { NearestLists, SCORE_GROUP } from './neighbors-search.ts';

/** The nearest samples of a bank, a row a query. */
export interface Neighbors {
  /** [M, k], places in the bank by ascending distance, equals by ascending place; -1 where exclusion leaves fewer than k. */
  readonly indices: Int32Array;
  /** [M, k] ascending; Infinity where the place is -1. */
  readonly distances: Tensor<'float64'>;
}

/** Options of `nearestNeighbors`. */
export interface NeighborOptions extends WatchOptions {
  /** Neighbours of each query, default 1. */
  readonly k?: number | undefined;
  /** Default Euclidean, |q - b| in data units. Cosine is 1 - cos of the angle; a sample of zeros is at distance 1 from every other. */
  readonly metric?: NeighborMetric | undefined;
  /** Pairs that do not count: a test, or `self` where the queries are the bank itself, in its order. */
  readonly exclude?: 'self' | ((query: number, index: number) => boolean) | undefined;
  /**
   * `products` rules out most pairs by a matrix product in float32 and its rounding bound; `direct` compares all pairs. The results are
   * equal to the last bit. Default: by the size.
   */
  readonly method?: 'products' | 'direct' | undefined;
}

/** Multiplications below which workers take longer to start than the search itself. */
const DIRECT_LIMIT = 2 ** 28;
/** The runtime reads the queries as part of a model, whose format ends at 2 GiB. */
const MOST_NUMBERS = 2 ** 28;
/** Numbers in one block of scores, and in one chunk of the bank. */
const SCORES = 2 ** 22;
const CHUNK = 2 ** 21;
/** The queries are scaled to about 1 a number: beyond this norm of a sample, scores could leave the range of float32. */
const LARGEST_NORM = 2 ** 40;

/**
 * Exact nearest neighbours of M samples in a data set, in one pass over it, on all cores.
 * Memory: about four times the queries a core, 17 MB of scores and 8 MB of samples for each of the chunks in work (two a core), and
 * nothing that grows with the bank.
 * @param queries  [M, ...sampleShape]; not consumed
 * @param bank  N samples; float32 as every data set
 * @throws ShapeError if queries and bank differ in shape; DomainError for a bad k or too many queries; NumericalError for queries,
 * DatasetError for samples that are not finite; CancelledError
 * @precision distances are summed in float64 over the differences, so a copy is at distance exactly 0, and the order is that of these
 * sums. A pair is left out only where the product in float32 rules it out beyond its rounding bound
 */
export async function nearestNeighbors(
  queries: FloatTensor,
  bank: Dataset,
  options: NeighborOptions = {},
): Promise<Neighbors> {
  const { k = 1, metric = 'euclidean', exclude, signal } = options;
  const [M = 0, ...sampleShape] = queries.shape;
  if (!sameShape(sampleShape, bank.sampleShape)) {
    const [wanted, got] = [`[M, ${bank.sampleShape.join(', ')}]`, showShape(queries.shape)];
    throw new ShapeError('nearestNeighbors', `expected queries ${wanted}, got ${got}.`);
  }
  if (!Number.isInteger(k) || k < 1 || k > bank.count) {
    const range = `from 1 to the bank's ${bank.count} samples`;
    throw new DomainError('nearestNeighbors', `expected a whole k ${range}, got ${k}.`);
  }
  if (queries.data.length > MOST_NUMBERS) {
    const got = `${M} of ${sizeOf(sampleShape)} each`;
    throw new DomainError('nearestNeighbors', `expected at most 2^28 numbers in all queries, got ${got}. Split them.`);
  }
  assertFinite('nearestNeighbors', queries, 'Leave out the broken samples.');
  throwIfAborted('nearestNeighbors', signal);
  const excluded = exclude === 'self' ? (query: number, index: number): boolean => query === index : exclude;
  const lists = new NearestLists(queries, k, metric, excluded);
  const { method = queries.data.length * bank.count < DIRECT_LIMIT ? 'direct' : 'products' } = options;
  if (M > 0 && method === 'direct') await searchDirectly(bank, lists, options);
  if (M > 0 && method === 'products') await searchByProducts(queries, bank, lists, options);
  const distances = metric === 'cosine' ? lists.squares.map((s) => s / 2) : lists.squares.map(Math.sqrt);
  return { indices: lists.indices, distances: tensor('float64', [M, k], distances) };
}

async function searchDirectly(bank: Dataset, lists: NearestLists, { signal, onProgress }: WatchOptions): Promise<void> {
  let done = 0;
  for await (const batch of bank.batches({ size: 256, ...(signal && { signal }) })) {
    if (!batch.x.data.every(Number.isFinite)) throw brokenSample(bank, batch);
    lists.offerAll({ x: batch.x.data, indices: batch.indices });
    onProgress?.((done += batch.indices.length), bank.count);
  }
}

async function searchByProducts(
  queries: FloatTensor,
  bank: Dataset,
  lists: NearestLists,
  { metric = 'euclidean', signal, onProgress }: NeighborOptions,
): Promise<void> {
  const M = queries.shape[0] as number;
  const D = sizeOf(bank.sampleShape);
  const groups = Math.min(1024, SCORES / M, CHUNK / D) / SCORE_GROUP;
  const size = SCORE_GROUP * Math.max(1, Math.floor(groups));
  const map = rowMap(metric, queries, (await bank.read(placesOver(bank.count, size))).data, D);
  const fixed = new Float32Array(M * (D + 1));
  const queryNorms = prepareRows(map, queries.data, 'queries', fixed);
  await using lanes = await openLanes(lowerInnerProducts(transpose(fixed, M, D + 1), size, SCORE_GROUP));
  const chunks = preparedChunks(bank, map, size, signal);
  let done = 0;
  for await (const [[scores, largest], { batch, bankNorm }] of runInTurn(lanes, chunks)) {
    throwIfAborted('nearestNeighbors', signal);
    const chunk = { x: batch.x.data, indices: batch.indices };
    const products = { scores: scores?.data as Float32Array, largest: largest?.data as Float32Array };
    if (bankNorm > LARGEST_NORM) lists.offerAll(chunk);
    else lists.offerScored(chunk, { ...products, queryNorms, bankNorm, scale: map.scale });
    onProgress?.((done += batch.indices.length), bank.count);
  }
}

/** The bank in chunks as the product takes them, with the largest norm of each. */
async function* preparedChunks(
  bank: Dataset,
  map: RowMap,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly [Tensor[], { readonly batch: Batch; readonly bankNorm: number }]> {
  const rows = zeros('float32', [size, map.shift.length + 1]);
  for await (const batch of bank.batches({ size, ...(signal && { signal }) })) {
    const bankNorm = prepareRows(map, batch.x.data, 'bank', rows.data).reduce((most, n) => Math.max(most, n), 0);
    if (!Number.isFinite(bankNorm)) throw brokenSample(bank, batch);
    yield [[rows], { batch, bankNorm }];
  }
}

function transpose(x: Float32Array, rows: number, columns: number): Tensor<'float32'> {
  const turned = new Float32Array(x.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) turned[c * rows + r] = x[r * columns + c] as number;
  }
  return tensor('float32', [columns, rows], turned);
}

/** Samples spread over the bank, so that their mean lies among its samples even where it is sorted. */
function placesOver(count: number, size: number): Int32Array {
  const n = Math.min(count, size, 64);
  return Int32Array.from({ length: n }, (_, i) => Math.floor((i * count) / n));
}

function brokenSample(bank: Dataset, { x, indices }: Batch): DatasetError {
  const bad = x.data.findIndex((v) => !Number.isFinite(v));
  const sample = indices[Math.floor((bad * indices.length) / x.data.length)];
  return new DatasetError(bank.name, `expected finite samples, got ${x.data[bad]} in sample ${sample}. Remove it.`);
}
