import { throwIfAborted } from '../../errors/errors.ts';
import { slice } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { assign, rowsOf } from './subspace-fit.ts';
import type { Assignment, Frame, Problem } from './subspace-fit.ts';

/** Cost that one alternation must save, of what is left, for the descent to go on once the labels stay. */
const GAIN = 1e-3;

/** Alternates assignment and power steps, in place, until labels and cost settle; the assignment returned belongs to the frame left. */
export function descend(
  problem: Problem,
  frame: Frame,
  iterations: number,
  signal: AbortSignal | undefined,
): Assignment {
  let now = assign(problem, frame);
  for (let i = 0; i < iterations && now.cost > problem.negligible; i++) {
    throwIfAborted('kSubspaces', signal);
    powerStep(problem, frame, now);
    const before = now;
    now = assign(problem, frame);
    if (before.cost - now.cost <= GAIN * now.cost && now.labels.every((k, j) => k === before.labels[j])) break;
  }
  return now;
}

/**
 * One step U_k <- orth(U_k S_k), S_k the scatter of the cluster: the trace of U S U^T never falls under it.
 * Rows lost to a rank below d_k are replaced by rows of the old basis; an empty cluster takes the point that fits worst.
 */
function powerStep(problem: Problem, frame: Frame, { labels, residuals, coefficients }: Assignment): void {
  const { points, ranks, offsets, affine } = problem;
  const n = points.shape[1] as number;
  const width = frame.rows.shape[0] as number;
  if (affine) updateMeans(problem, frame, labels);
  const counts = new Int32Array(ranks.length);
  const next = new Float64Array(width * n);
  for (let i = 0; i < labels.length; i++) {
    const k = labels[i] as number;
    (counts[k] as number)++;
    const start = offsets[k] as number;
    for (let r = start; r < start + (ranks[k] as number); r++) {
      addScaled(next, r * n, points.data, i * n, n, coefficients.data[i * width + r] as number);
    }
  }
  ranks.forEach((rank, k) => {
    const start = offsets[k] as number;
    const block = next.subarray(start * n, (start + rank) * n);
    if (affine) centreScatter(problem, frame, k, counts[k] as number, labels, coefficients, block);
    if (counts[k] === 0) {
      const worst = residuals.reduce((most, value, i) => (value > (residuals[most] as number) ? i : most), 0);
      (affine ? (frame.means[k] as Float64Array) : block).set(slice(points, worst, worst + 1).data);
      residuals[worst] = 0; // the next empty cluster takes another
    }
    orthonormalizeWith(block, rowsOf(problem, frame, k).data, n);
  });
}

/** Turns sum c_i x_i into sum (c_i - mean c) (x_i - mean x), whose second factor needs no centring. */
function centreScatter(
  { offsets, ranks }: Problem,
  { means }: Frame,
  k: number,
  count: number,
  labels: Int32Array,
  coefficients: Tensor<'float64'>,
  block: Float64Array,
): void {
  const [start, rank] = [offsets[k] as number, ranks[k] as number];
  const width = coefficients.shape[1] as number;
  const mean = means[k] as Float64Array;
  if (count === 0) return;
  for (let r = 0; r < rank; r++) {
    let sum = 0;
    for (let i = 0; i < labels.length; i++)
      if (labels[i] === k) sum += coefficients.data[i * width + start + r] as number;
    addScaled(block, r * mean.length, mean, 0, mean.length, -sum);
  }
}

function updateMeans({ points, ranks }: Problem, { means }: Frame, labels: Int32Array): void {
  const n = points.shape[1] as number;
  ranks.forEach((_, k) => {
    const mean = means[k] as Float64Array;
    const count = labels.reduce((sum, label) => sum + (label === k ? 1 : 0), 0);
    if (count === 0) return;
    mean.fill(0);
    for (let i = 0; i < labels.length; i++) if (labels[i] === k) addScaled(mean, 0, points.data, i * n, n, 1 / count);
  });
}

/** Share of a row that must be left after projection for the row to count. */
const INDEPENDENT = 1e-7;

/**
 * Replaces `basis` [rank, n] by orthonormal rows that span the rows of `block` first, then its own: never fewer than before.
 * @param block  [rank, n]; consumed
 */
export function orthonormalizeWith(block: Float64Array, basis: Float64Array, n: number): void {
  const rank = basis.length / n;
  let largest = 0;
  for (let r = 0; r < rank; r++) largest = Math.max(largest, squares(block, r * n, n));
  let found = 0; // rows of the block that are done; candidates come from behind them, then from the old basis
  for (let candidate = 0; found < rank && candidate < 2 * rank; candidate++) {
    const fresh = candidate < rank;
    const floor = INDEPENDENT ** 2 * (fresh ? largest : 1);
    const target = found * n;
    copyRow(block, target, fresh ? block : basis, (candidate % rank) * n, n);
    let left = squares(block, target, n);
    for (let before = Infinity, pass = 0; left > floor && left < before / 4 && pass < 3; pass++) {
      for (let q = 0; q < found; q++) addScaled(block, target, block, q * n, n, -dot(block, target, q * n, n));
      before = left;
      left = squares(block, target, n);
    }
    if (!(left > floor)) continue;
    const scale = 1 / Math.sqrt(left);
    for (let j = target; j < target + n; j++) block[j] = (block[j] as number) * scale;
    found++;
  }
  basis.set(block);
}

function copyRow(target: Float64Array, to: number, source: Float64Array, from: number, n: number): void {
  for (let j = 0; j < n; j++) target[to + j] = source[from + j] as number;
}

function addScaled(
  target: Float64Array,
  to: number,
  source: Float64Array,
  from: number,
  n: number,
  factor: number,
): void {
  for (let j = 0; j < n; j++) target[to + j] = (target[to + j] as number) + factor * (source[from + j] as number);
}

function dot(x: Float64Array, a: number, b: number, n: number): number {
  let sum = 0;
  for (let j = 0; j < n; j++) sum += (x[a + j] as number) * (x[b + j] as number);
  return sum;
}

function squares(x: Float64Array, at: number, n: number): number {
  return dot(x, at, at, n);
}
