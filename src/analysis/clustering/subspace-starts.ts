import { matmul } from '../../linalg/matmul.ts';
import { integers, normal, uniform } from '../../tensor/random.ts';
import type { RandomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import { orthonormalizeWith } from './subspace-descent.ts';
import { blankFrame, rowsOf, squaredDistances } from './subspace-fit.ts';
import type { Frame, Problem } from './subspace-fit.ts';

/** How a restart begins: see `KSubspacesOptions.start`. */
export type Start = 'neighbours' | 'random';

/** A frame to descend from; equal keys give equal frames. */
export function startFrame(problem: Problem, start: Start, key: RandomKey): Frame {
  const [N, n] = problem.points.shape as [number, number];
  const { ranks, affine } = problem;
  const blank = blankFrame(problem);
  const frame = { ...blank, rows: normal(key, blank.rows.shape) };
  if (start === 'neighbours') spanNeighbours(problem, frame, key);
  else {
    const centres = integers(key, [ranks.length], N).data;
    ranks.forEach((_, k) => {
      if (affine) centreAt(problem, frame, k, centres[k] as number);
      const rows = rowsOf(problem, frame, k).data;
      orthonormalizeWith(new Float64Array(rows.length), rows, n);
    });
  }
  return frame;
}

/** Each seed point is drawn by its squared distance to the subspaces before it, as k-means++ draws centres. */
function spanNeighbours(problem: Problem, frame: Frame, key: RandomKey): void {
  const { points, energies, ranks, affine } = problem;
  const n = points.shape[1] as number;
  const draws = uniform(key, [ranks.length]).data;
  const far = energies.slice();
  ranks.forEach((rank, k) => {
    const seed = drawByWeight(far, draws[k] as number);
    if (affine) centreAt(problem, frame, k, seed);
    const centre = frame.means[k] as Float64Array;
    const block = new Float64Array(rank * n);
    neighboursOf(problem, seed, rank).forEach((i, r) => {
      block.set(
        slice(points, i, i + 1).data.map((value, j) => value - (centre[j] as number)),
        r * n,
      );
    });
    orthonormalizeWith(block, rowsOf(problem, frame, k).data, n);
    const distances = squaredDistances(problem, frame, k);
    distances.forEach((value, i) => (far[i] = k === 0 ? value : Math.min(far[i] as number, value)));
  });
}

function centreAt({ points }: Problem, { means }: Frame, k: number, i: number): void {
  (means[k] as Float64Array).set(slice(points, i, i + 1).data);
}

/** The seed and the points best aligned with it, or those nearest to it but itself where subspaces are affine; at most `count`. */
function neighboursOf({ points, energies, affine }: Problem, seed: number, count: number): number[] {
  const at = tensor('float64', [1, points.shape[1] as number], slice(points, seed, seed + 1).data);
  const distances = matmul(points, at, { transposeB: true }).data.map((inner, i) => {
    const energy = energies[i] as number;
    if (affine) return i === seed ? Infinity : energy - 2 * inner;
    return energy === 0 ? Infinity : -(inner * inner) / energy;
  });
  const order = Array.from(distances.keys()).filter((i) => distances[i] !== Infinity);
  return order.sort((a, b) => (distances[a] as number) - (distances[b] as number) || a - b).slice(0, count);
}

/** Index drawn with probability in proportion to the weights; any where all are zero. */
function drawByWeight(weights: Float64Array, u: number): number {
  const total = weights.reduce((sum, w) => sum + w, 0);
  if (!(total > 0)) return Math.floor(u * weights.length);
  let left = u * total;
  const i = weights.findIndex((w) => w > 0 && (left -= w) < 0);
  return i < 0 ? weights.length - 1 : i; // rounding may leave a sliver
}
