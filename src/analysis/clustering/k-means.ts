import { DomainError } from '../../errors/errors.ts';
import { matmul } from '../../linalg/matmul.ts';
import { randomKey, uniform } from '../../tensor/random.ts';
import { assertFinite, assertShape, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { turn } from './watch.ts';
import type { Watch } from './watch.ts';

/** Options of `kMeans`. */
export interface KMeansOptions extends Watch {
  /** K, 1 <= K <= N. */
  readonly clusters: number;
  /** Starts, of which the one of least cost is kept; default 20. */
  readonly restarts?: number;
  readonly seed?: number;
  /** Steps of one start at most, default 300. */
  readonly maxSteps?: number;
}

/** Clusters about centres. */
export interface KMeans {
  /** [N], 0 to K - 1; every cluster has a member where there are K different points. */
  readonly labels: Int32Array;
  /** [K, d] */
  readonly centers: Tensor<'float64'>;
  /** Sum of squared distances to the centre of the own cluster. */
  readonly cost: number;
  readonly status: 'converged' | 'maxIterations';
}

/**
 * Least sum of squared distances to K centres, by Lloyd's steps from several k-means++ starts.
 * @param points  [N, d]; not consumed
 * @returns the start of least cost, the first of equals; a local optimum: no start promises the least cost of all
 * @throws ShapeError, NumericalError on bad points; DomainError on bad options; CancelledError
 * @source Arthur and Vassilvitskii 2007 (k-means++), with 2 + ln K candidates a centre, the best kept, as scikit-learn does
 */
export async function kMeans(points: Tensor<'float64'>, options: KMeansOptions): Promise<KMeans> {
  const { clusters: K, restarts = 20, seed = 0, maxSteps = 300 } = options;
  assertShape('kMeans', points, 'N d');
  assertFinite('kMeans', points, 'Remove these points.');
  const N = points.shape[0] as number;
  if (!Number.isInteger(K) || K < 1 || K > N) {
    throw new DomainError('kMeans', `expected whole clusters from 1 to the ${N} points, got ${K}.`);
  }
  if (!Number.isInteger(restarts) || restarts < 1 || !Number.isInteger(maxSteps) || maxSteps < 1) {
    throw new DomainError('kMeans', `expected whole restarts and maxSteps >= 1, got ${restarts} and ${maxSteps}.`);
  }
  const squares = squaredLengths(points);
  let best: KMeans | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    await turn('kMeans', options, restart, restarts);
    const found = lloyd(points, squares, startingCenters(points, squares, K, seed, restart), maxSteps);
    if (best === undefined || found.cost < best.cost) best = found;
  }
  options.onProgress?.(restarts, restarts);
  return best as KMeans;
}

function lloyd(points: Tensor<'float64'>, squares: Float64Array, start: Tensor<'float64'>, maxSteps: number): KMeans {
  let centers = start;
  let nearest = nearestCenters(points, squares, centers);
  for (let step = 1; ; step++) {
    const next = means(points, nearest, centers.shape[0] as number);
    const moved = nearestCenters(points, squares, next);
    const settled = moved.labels.every((label, i) => label === nearest.labels[i]);
    [centers, nearest] = [next, moved];
    if (!settled && step < maxSteps) continue;
    const cost = nearest.distances.reduce((sum, d) => sum + d, 0);
    return { labels: nearest.labels, centers, cost, status: settled ? 'converged' : 'maxIterations' };
  }
}

interface Nearest {
  readonly labels: Int32Array;
  /** Squared. */
  readonly distances: Float64Array;
}

function nearestCenters(points: Tensor<'float64'>, squares: Float64Array, centers: Tensor<'float64'>): Nearest {
  const K = centers.shape[0] as number;
  const products = matmul(points, centers, { transposeB: true }).data;
  const lengths = squaredLengths(centers);
  const labels = new Int32Array(squares.length);
  const distances = new Float64Array(squares.length);
  for (let i = 0; i < labels.length; i++) {
    let [label, least] = [0, Infinity];
    for (let k = 0; k < K; k++) {
      const d = (lengths[k] as number) - 2 * (products[i * K + k] as number);
      if (d < least) [label, least] = [k, d];
    }
    labels[i] = label;
    distances[i] = Math.max(0, least + (squares[i] as number));
  }
  return { labels, distances };
}

/** Means of the clusters; an empty one takes the point that lies farthest from its own centre. */
function means(points: Tensor<'float64'>, { labels, distances }: Nearest, K: number): Tensor<'float64'> {
  const d = points.shape[1] as number;
  const sums = new Float64Array(K * d);
  const sizes = new Int32Array(K);
  labels.forEach((k, i) => {
    sizes[k] = (sizes[k] as number) + 1;
    for (let j = 0; j < d; j++) sums[k * d + j] = (sums[k * d + j] as number) + (points.data[i * d + j] as number);
  });
  const far = distances.slice();
  for (let k = 0; k < K; k++) {
    const size = sizes[k] as number;
    if (size > 0) {
      for (let j = 0; j < d; j++) sums[k * d + j] = (sums[k * d + j] as number) / size;
      continue;
    }
    const farthest = far.reduce((best, value, i) => (value > (far[best] as number) ? i : best), 0);
    sums.set(points.data.subarray(farthest * d, (farthest + 1) * d), k * d);
    far[farthest] = 0;
  }
  return tensor('float64', [K, d], sums);
}

function startingCenters(
  points: Tensor<'float64'>,
  squares: Float64Array,
  K: number,
  seed: number,
  restart: number,
): Tensor<'float64'> {
  const [N, d] = points.shape as [number, number];
  const candidates = 2 + Math.floor(Math.log(K));
  const draws = uniform(randomKey(seed, 'kMeans', restart), [K, candidates]).data;
  const centers = new Float64Array(K * d);
  const pointAt = (i: number): Float64Array => points.data.subarray(i * d, (i + 1) * d);
  let distances = new Float64Array(N).fill(Infinity);
  for (let k = 0; k < K; k++) {
    const picks = Array.from({ length: k === 0 ? 1 : candidates }, (_, c) => {
      const draw = draws[k * candidates + c] as number;
      return k === 0 ? Math.floor(draw * N) : drawByWeight(distances, draw);
    });
    const trials = picks.map((pick) => closer(points, squares, distances, pick));
    const costs = trials.map((trial) => trial.reduce((sum, v) => sum + v, 0));
    const best = costs.indexOf(Math.min(...costs));
    distances = trials[best] as Float64Array<ArrayBuffer>;
    centers.set(pointAt(picks[best] as number), k * d);
  }
  return tensor('float64', [K, d], centers);
}

/** Squared distances to the nearest centre once point `pick` is a centre too. */
function closer(points: Tensor<'float64'>, squares: Float64Array, distances: Float64Array, pick: number): Float64Array {
  const d = points.shape[1] as number;
  return distances.map((old, i) => {
    let product = 0;
    for (let j = 0; j < d; j++) product += (points.data[i * d + j] as number) * (points.data[pick * d + j] as number);
    return Math.min(old, Math.max(0, (squares[i] as number) + (squares[pick] as number) - 2 * product));
  });
}

/** An index drawn with probability in proportion to its weight; evenly where all weights are zero. */
function drawByWeight(weights: Float64Array, draw: number): number {
  const total = weights.reduce((sum, w) => sum + w, 0);
  if (!(total > 0)) return Math.floor(draw * weights.length);
  let rest = draw * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if ((weights[i] as number) <= 0) continue;
    last = i;
    rest -= weights[i] as number;
    if (rest < 0) break;
  }
  return last;
}

function squaredLengths({ shape, data }: Tensor<'float64'>): Float64Array {
  const [N, d] = shape as [number, number];
  return Float64Array.from({ length: N }, (_, i) =>
    data.subarray(i * d, (i + 1) * d).reduce((sum, v) => sum + v * v, 0),
  );
}
