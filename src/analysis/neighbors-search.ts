import type { FloatTensor } from '../tensor/tensor.ts';
import { inverseNorm, scoreError } from './neighbors-rows.ts';
import type { NeighborMetric } from './neighbors-rows.ts';

/** Rows of a chunk that share one largest score: a row of scores is looked at only where that passes. */
export const SCORE_GROUP = 32;

/** Scores of a chunk of the bank against all queries, and what is known of their error. */
export interface ChunkScores {
  /** [rows, M] float32; rows past the chunk are padding. */
  readonly scores: Float32Array;
  /** [rows / SCORE_GROUP, M], the largest of each group. */
  readonly largest: Float32Array;
  /** [M], |y_q|. */
  readonly queryNorms: Float64Array;
  /** Largest |y_b| of the chunk, small enough that no score overflows. */
  readonly bankNorm: number;
  /** Of the Euclidean metric; see `RowMap`. */
  readonly scale: number;
}

/** Samples of the bank [rows, D] with their places in it, ascending. */
export interface BankChunk {
  readonly x: Float32Array;
  readonly indices: Int32Array;
}

/**
 * The k nearest rows of the bank so far of every query, by (squared distance, index), both exact in float64.
 * Offers must come in ascending order of the bank's indices, chunk by chunk.
 */
export class NearestLists {
  readonly #queries: FloatTensor;
  readonly #D: number;
  readonly #k: number;
  readonly #metric: NeighborMetric;
  readonly #exclude: ((query: number, index: number) => boolean) | undefined;
  /** [M, k] ascending: |q - b|^2, or |q / |q| - b / |b||^2 in the cosine metric. */
  readonly squares: Float64Array;
  /** [M, k] */
  readonly indices: Int32Array;
  /** [M], 1 / |q| in the cosine metric. */
  readonly #factors: Float64Array;
  /** Rows of a chunk that may be neighbours of one query, and their scores. */
  #rows = new Int32Array(64);
  #found = new Float64Array(64);

  constructor(
    queries: FloatTensor,
    k: number,
    metric: NeighborMetric,
    exclude: ((query: number, index: number) => boolean) | undefined,
  ) {
    const M = queries.shape[0] as number;
    this.#queries = queries;
    this.#D = queries.data.length / M;
    this.#k = k;
    this.#metric = metric;
    this.#exclude = exclude;
    this.squares = new Float64Array(M * k).fill(Infinity);
    this.indices = new Int32Array(M * k).fill(-1);
    this.#factors = Float64Array.from({ length: M }, (_, m) =>
      metric === 'cosine' ? inverseNorm(queries.data, m * this.#D, this.#D) : 1,
    );
  }

  /** Compares every query with every row of the chunk. */
  offerAll(chunk: BankChunk): void {
    const factors = this.#bankFactors(chunk);
    for (let m = 0; m < this.#factors.length; m++) {
      for (let j = 0; j < chunk.indices.length; j++) {
        if (this.#exclude?.(m, chunk.indices[j] as number) !== true) this.#consider(m, j, chunk, factors);
      }
    }
  }

  /** Compares every query with those rows of the chunk that the scores do not rule out. */
  offerScored(chunk: BankChunk, scored: ChunkScores): void {
    const factors = this.#bankFactors(chunk);
    for (let m = 0; m < this.#factors.length; m++) {
      const n = this.#select(m, chunk.indices, scored);
      if (n === 0) continue;
      // The best first: what they rule out needs no comparison.
      const order = Array.from({ length: n }, (_, i) => i);
      if (n > 1) order.sort((a, b) => (this.#found[b] as number) - (this.#found[a] as number));
      for (const i of order) {
        if ((this.#found[i] as number) < this.#threshold(m, scored)) break;
        this.#consider(m, this.#rows[i] as number, chunk, factors);
      }
    }
  }

  /** The least score that a neighbour of query m can still have, error included; -Infinity while its list is not full. */
  #threshold(m: number, { queryNorms, bankNorm, scale }: ChunkScores): number {
    const norm = queryNorms[m] as number;
    const worst = (this.squares[(m + 1) * this.#k - 1] as number) * scale * scale;
    return (norm * norm - worst) / 2 - scoreError(this.#D, norm, bankNorm);
  }

  /** Fills the lists of rows and scores of query m that may be neighbours. @returns how many they are */
  #select(m: number, indices: Int32Array, scored: ChunkScores): number {
    const { scores, largest, queryNorms, bankNorm } = scored;
    const M = queryNorms.length;
    const slack = 2 * scoreError(this.#D, queryNorms[m] as number, bankNorm);
    let least = this.#threshold(m, scored);
    let [n, room] = [0, 4 * this.#k + 32];
    for (let start = 0, at = m; start < indices.length; start += SCORE_GROUP, at += M) {
      if ((largest[at] as number) < least) continue;
      const end = Math.min(start + SCORE_GROUP, indices.length);
      for (let j = start; j < end; j++) {
        const score = scores[j * M + m] as number;
        if (score < least || this.#exclude?.(m, indices[j] as number) === true) continue;
        n = this.#note(n, j, score);
      }
      if (n < room) continue;
      least = Math.max(least, this.#kthBest(n) - slack);
      n = this.#drop(n, least);
      room = Math.max(room, 2 * n);
    }
    return n;
  }

  #note(n: number, j: number, score: number): number {
    if (n === this.#rows.length) {
      const [rows, found] = [this.#rows, this.#found];
      this.#rows = new Int32Array(2 * n);
      this.#found = new Float64Array(2 * n);
      this.#rows.set(rows);
      this.#found.set(found);
    }
    this.#rows[n] = j;
    this.#found[n] = score;
    return n + 1;
  }

  /** The k-th largest of the first n scores found. */
  #kthBest(n: number): number {
    return this.#found.slice(0, n).sort()[n - this.#k] as number;
  }

  #drop(n: number, least: number): number {
    let kept = 0;
    for (let i = 0; i < n; i++) {
      if ((this.#found[i] as number) < least) continue;
      this.#found[kept] = this.#found[i] as number;
      this.#rows[kept++] = this.#rows[i] as number;
    }
    return kept;
  }

  #bankFactors({ x, indices }: BankChunk): Float64Array | undefined {
    if (this.#metric === 'euclidean') return undefined;
    return Float64Array.from(indices, (_, j) => inverseNorm(x, j * this.#D, this.#D));
  }

  /** Measures the distance of query m and row j exactly, and enters it if it is among the k nearest. */
  #consider(m: number, j: number, { x, indices }: BankChunk, bankFactors: Float64Array | undefined): void {
    const [k, D] = [this.#k, this.#D];
    const last = (m + 1) * k - 1;
    const bound = this.squares[last] as number;
    const index = indices[j] as number;
    const { data } = this.#queries;
    const squares =
      bankFactors === undefined
        ? distanceSquared(data, m * D, x, j * D, D, bound)
        : angleSquared(data, m * D, this.#factors[m] as number, x, j * D, bankFactors[j] as number, D);
    if (squares > bound || (squares === bound && index > (this.indices[last] as number))) return;
    let place = last;
    while (
      place > m * k &&
      isBefore(squares, index, this.squares[place - 1] as number, this.indices[place - 1] as number)
    ) {
      this.squares[place] = this.squares[place - 1] as number;
      this.indices[place] = this.indices[place - 1] as number;
      place--;
    }
    this.squares[place] = squares;
    this.indices[place] = index;
  }
}

/** Empty places of a list have index -1 and lie at infinity: everything comes before them. */
function isBefore(squares: number, index: number, otherSquares: number, otherIndex: number): boolean {
  return squares < otherSquares || (squares === otherSquares && (otherIndex < 0 || index < otherIndex));
}

/** |q - b|^2, or some number above `bound` as soon as the sum exceeds it. */
function distanceSquared(
  q: Float32Array | Float64Array,
  at: number,
  b: Float32Array,
  bAt: number,
  D: number,
  bound: number,
): number {
  let sum = 0;
  for (let start = 0; start < D && sum <= bound; start += 64) {
    const end = Math.min(start + 64, D);
    for (let i = start; i < end; i++) {
      const difference = (q[at + i] as number) - (b[bAt + i] as number);
      sum += difference * difference;
    }
  }
  return sum;
}

/** |q / |q| - b / |b||^2 = 2 - 2 cos, exactly 0 for copies; 2 where either is a row of zeros, whose similarity counts as 0. */
function angleSquared(
  q: Float32Array | Float64Array,
  at: number,
  qFactor: number,
  b: Float32Array,
  bAt: number,
  bFactor: number,
  D: number,
): number {
  if (qFactor === 0 || bFactor === 0) return 2;
  let sum = 0;
  for (let i = 0; i < D; i++) {
    const difference = (q[at + i] as number) * qFactor - (b[bAt + i] as number) * bFactor;
    sum += difference * difference;
  }
  return sum;
}
