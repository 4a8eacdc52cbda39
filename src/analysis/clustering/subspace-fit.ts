import { matmul } from '../../linalg/matmul.ts';
import { qr } from '../../linalg/qr.ts';
import { slice, tensor, zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Share of the sum of squares that rounding leaves of a perfect fit: a few eps for each squared coefficient. */
const NEGLIGIBLE = 64 * Number.EPSILON;

/** Points to be clustered and the subspaces asked for. */
export interface Problem {
  /** [N, n] */
  readonly points: Tensor<'float64'>;
  /** [N] squared norms. */
  readonly energies: Float64Array;
  /** d_k of each cluster. */
  readonly ranks: readonly number[];
  /** Row of the frame at which each cluster's basis begins. */
  readonly offsets: readonly number[];
  readonly affine: boolean;
  /** Cost that rounding alone can leave. */
  readonly negligible: number;
}

/** Bases under each other, and means. */
export interface Frame {
  /** [sum d_k, n]; the rows of one cluster are orthonormal. */
  readonly rows: Tensor<'float64'>;
  /** K of length n; zero unless affine. */
  readonly means: readonly Float64Array[];
}

/** Points assigned to the nearest subspaces of a frame. */
export interface Assignment {
  /** [N] */
  readonly labels: Int32Array;
  /** [N] squared distances. */
  readonly residuals: Float64Array;
  /** [N, sum d_k] coefficients of the points, not centred. */
  readonly coefficients: Tensor<'float64'>;
  /** Sum of the residuals. */
  readonly cost: number;
}

/** The problem of fitting subspaces of these ranks to points [N, n], with what every alternation needs of them. */
export function createProblem(points: Tensor<'float64'>, ranks: readonly number[], affine: boolean): Problem {
  const [N, n] = points.shape as [number, number];
  const energies = new Float64Array(N);
  for (let i = 0; i < N; i++) {
    const x = points.data.subarray(i * n, (i + 1) * n);
    energies[i] = x.reduce((sum, value) => sum + value * value, 0);
  }
  const total = energies.reduce((sum, value) => sum + value, 0);
  let offset = 0;
  const offsets = ranks.map((d) => (offset += d) - d);
  return { points, energies, ranks, offsets, affine, negligible: NEGLIGIBLE * total };
}

/** The same problem among fewer points than dimensions, in coordinates of a frame that spans them: lengths and angles stay. */
export function inOwnSpan(problem: Problem): Problem {
  const [N, n] = problem.points.shape as [number, number];
  if (N >= n) return problem;
  const transposed = new Float64Array(n * N);
  problem.points.data.forEach((value, at) => (transposed[(at % n) * N + Math.floor(at / n)] = value));
  const { r } = qr(tensor('float64', [n, N], transposed)); // X^T = Q R, so X = R^T Q^T
  const coordinates = new Float64Array(N * N);
  r.data.forEach((value, at) => (coordinates[(at % N) * N + Math.floor(at / N)] = value));
  const ranks = problem.ranks.map((d) => Math.min(d, N));
  return createProblem(tensor('float64', [N, N], coordinates), ranks, problem.affine);
}

/** A frame of zeros. */
export function blankFrame({ points, ranks }: Problem): Frame {
  const n = points.shape[1] as number;
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  return { rows: zeros('float64', [total, n]), means: ranks.map(() => new Float64Array(n)) };
}

/** Basis of one cluster, sharing memory with the frame. */
export function rowsOf({ ranks, offsets }: Problem, { rows }: Frame, k: number): Tensor<'float64'> {
  const at = offsets[k] as number;
  return slice(rows, at, at + (ranks[k] as number));
}

/** Assigns every point to the subspace nearest to it, the first of equals. */
export function assign(problem: Problem, frame: Frame): Assignment {
  const N = problem.energies.length;
  const coefficients = matmul(problem.points, frame.rows, { transposeB: true });
  const labels = new Int32Array(N);
  const residuals = new Float64Array(N).fill(Infinity);
  problem.ranks.forEach((_, k) => {
    const distances = distancesFrom(problem, frame, k, coefficients, problem.offsets[k] as number);
    for (let i = 0; i < N; i++) {
      if ((distances[i] as number) >= (residuals[i] as number)) continue;
      residuals[i] = distances[i] as number;
      labels[i] = k;
    }
  });
  return { labels, residuals, coefficients, cost: residuals.reduce((sum, value) => sum + value, 0) };
}

/** Squared distances of the points from one subspace. */
export function squaredDistances(problem: Problem, frame: Frame, k: number): Float64Array {
  const coefficients = matmul(problem.points, rowsOf(problem, frame, k), { transposeB: true });
  return distancesFrom(problem, frame, k, coefficients, 0);
}

/** The same from coefficients [N, width] of which those of the cluster begin at `start`. */
function distancesFrom(
  problem: Problem,
  frame: Frame,
  k: number,
  { shape, data: c }: Tensor<'float64'>,
  start: number,
): Float64Array {
  const { points, energies, affine } = problem;
  const [rank, width] = [problem.ranks[k] as number, shape[1] as number];
  const mean = frame.means[k] as Float64Array;
  const n = mean.length;
  const centre = affine ? matmul(rowsOf(problem, frame, k), tensor('float64', [n, 1], mean)).data : undefined;
  const distances = new Float64Array(energies.length);
  for (let i = 0; i < energies.length; i++) {
    let left = centre ? squaredDistance(points.data, i * n, mean) : (energies[i] as number);
    const at = i * width + start;
    for (let j = 0; j < rank; j++) left -= ((c[at + j] as number) - (centre ? (centre[j] as number) : 0)) ** 2;
    distances[i] = Math.max(0, left);
  }
  return distances;
}

function squaredDistance(x: Float64Array, at: number, mean: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < mean.length; j++) sum += ((x[at + j] as number) - (mean[j] as number)) ** 2;
  return sum;
}
