import { throwIfAborted } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { normal, randomKey } from '../tensor/random.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { assertShape, slice } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';

/**
 * How far a Jacobian is from symmetric: |J - J^T|_F / |J|_F, from 0 (symmetric) to 2 (antisymmetric).
 * Every exact posterior mean has a symmetric Jacobian, Cov[x0|x] / sigma^2; a network need not.
 * @param jacobian  [n, n]
 * @returns 0 for the zero matrix
 * @throws ShapeError if the matrix is not square
 * @source arXiv 2310.02557 section 2 (Jacobian of the optimal denoiser)
 */
export function symmetryDefect(jacobian: Tensor<'float64'>): number {
  const { n = 0 } = assertShape('symmetryDefect', jacobian, 'n n');
  const a = jacobian.data;
  let difference = 0;
  let total = 0;
  for (let i = 0; i < n; i++) {
    total += (a[i * n + i] as number) ** 2;
    for (let j = 0; j < i; j++) {
      const [lower, upper] = [a[i * n + j] as number, a[j * n + i] as number];
      total += lower * lower + upper * upper;
      difference += 2 * (lower - upper) ** 2;
    }
  }
  return total === 0 ? 0 : Math.sqrt(difference / total);
}

/** A symmetry defect estimated from products, with its 95 % confidence interval. */
export interface SymmetryEstimate {
  readonly value: number;
  readonly interval: readonly [number, number];
  /** Random vectors used; the interval shrinks as 1 / sqrt(probes). */
  readonly probes: number;
}

/** Options of `estimateSymmetryDefect`. */
export interface SymmetryOptions extends WatchOptions {
  seed: number;
  probes?: number | undefined;
  blockSize?: number | undefined;
}

/**
 * The symmetry defect without the matrix: for random normal z, E|Jz - J^T z|^2 = |J - J^T|_F^2 and E|Jz|^2 = |J|_F^2.
 * @param op       a square operator; one product and one transposed product a probe
 * @param options  probes 32, taken blockSize 16 at a time; the same seed gives the same probes
 * @returns the ratio of the means and the interval of the delta method, cut at 0 and 2; [0, 0] where every probe agrees exactly
 * @throws CancelledError between two blocks once `signal` is aborted
 * @source Hutchinson 1990, A stochastic estimator of the trace
 */
export async function estimateSymmetryDefect(op: LinearOperator, options: SymmetryOptions): Promise<SymmetryEstimate> {
  const { seed, probes = 32, blockSize = 16, signal, onProgress } = options;
  const z = normal(randomKey(seed, 'symmetry'), [probes, op.columns]);
  const differences = new Float64Array(probes);
  const energies = new Float64Array(probes);
  for (let first = 0; first < probes; first += blockSize) {
    throwIfAborted('estimateSymmetryDefect', signal);
    const block = slice(z, first, Math.min(first + blockSize, probes));
    const [forward, reverse] = await Promise.all([op.apply(block), op.applyTranspose(block)]);
    for (let k = 0; k < (block.shape[0] as number); k++) {
      differences[first + k] = distanceSquared(forward, reverse, k);
      energies[first + k] = distanceSquared(forward, undefined, k);
    }
    onProgress?.(Math.min(first + blockSize, probes), probes);
  }
  return { ...ratioOfMeans(differences, energies), probes };
}

/** |a_k - b_k|^2 of rows k, or |a_k|^2 without b. */
function distanceSquared(a: FloatTensor, b: FloatTensor | undefined, k: number): number {
  const n = a.shape[1] as number;
  let sum = 0;
  for (let i = k * n; i < (k + 1) * n; i++) sum += ((a.data[i] as number) - (b?.data[i] ?? 0)) ** 2;
  return sum;
}

/** sqrt(mean a / mean b) and its 95 % interval, from the variance of a - ratio b. */
function ratioOfMeans(a: Float64Array, b: Float64Array): { value: number; interval: [number, number] } {
  const count = a.length;
  const meanB = b.reduce((s, v) => s + v, 0) / count;
  if (meanB === 0) return { value: 0, interval: [0, 0] };
  const ratio = a.reduce((s, v) => s + v, 0) / count / meanB;
  const spread = a.reduce((s, v, i) => s + (v - ratio * (b[i] as number)) ** 2, 0) / Math.max(1, count - 1);
  const reach = (1.96 * Math.sqrt(spread / count)) / meanB;
  const bound = (r: number): number => Math.sqrt(Math.min(4, Math.max(0, r)));
  return { value: Math.sqrt(ratio), interval: [bound(ratio - reach), bound(ratio + reach)] };
}
