import { zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { coefficients, combination, correlation } from './product.ts';

/**
 * How the low-rank network chooses among its subspaces: `soft-max` by the posterior given the noisy sample, `hard-max` the one that
 * holds most of the clean sample.
 */
export type LowRankWeights = 'soft-max' | 'hard-max';

/** Orthonormal rows of every subspace, one block after another. */
export interface StackedBases {
  /** [R, n], R the sum of the ranks. */
  readonly rows: Tensor<'float64'>;
  readonly ranks: readonly number[];
}

/** The loss of a batch and its slope. */
export interface LossAndGradient {
  /** Mean over the batch of |x_theta - x_0|^2. */
  readonly loss: number;
  /** [R, n], derivative by `bases.rows` as free numbers. */
  readonly gradient: Tensor<'float64'>;
}

/** Clean samples and how they are made noisy. */
export interface NoisyBatch {
  /** Clean samples [B, n]. */
  readonly x0: Tensor<'float64'>;
  /** Noise level of each sample, length B. */
  readonly sigmas: Float64Array;
  /** Standard normal numbers [B, n]; left out, the expectation over them is taken in closed form. */
  readonly noise?: Tensor<'float64'> | undefined;
}

/**
 * The diffusion loss of the low-rank network x_theta = sum_k w_k U_k U_k^T x_t / (1 + sigma^2), x_t = x_0 + sigma e, and its gradient.
 * Without `noise` it is the expectation |x_0|^2 - (2a - a^2) |U_k^T x_0|^2 + d_k a^2 sigma^2, a = 1 / (1 + sigma^2), of the subspace k
 * that holds most of the clean sample: exact for one subspace and for hard-max weights.
 * @returns the mean over the batch
 * @source Wang et al. 2024, arXiv 2409.02426: eq. 9 (soft-max), eqs. 16-17 (hard-max); the expectation and the gradient are derived
 */
export function lowRankLoss(batch: NoisyBatch, bases: StackedBases, weights: LowRankWeights): LossAndGradient {
  return batch.noise === undefined ? expectedLoss(batch, bases) : drawnLoss(batch, batch.noise, bases, weights);
}

function expectedLoss({ x0, sigmas }: NoisyBatch, { rows, ranks }: StackedBases): LossAndGradient {
  const B = x0.shape[0] as number;
  const [R, K] = [rows.shape[0] as number, ranks.length];
  const y = coefficients(x0, rows);
  const energies = blockSums(y.data, undefined, ranks);
  const chosen = hardMax(energies.slice(), K);
  const slopes = zeros('float64', [B, R]);
  let loss = squares(x0.data);
  for (let b = 0; b < B; b++) {
    const a = shrinkage(sigmas[b] as number);
    const kept = 2 * a - a * a;
    for (let k = 0, i = b * R; k < K; k++) {
      const w = chosen[b * K + k] as number;
      const d = ranks[k] as number;
      loss += w * (d * (a * (sigmas[b] as number)) ** 2 - kept * (energies[b * K + k] as number));
      for (const end = i + d; i < end; i++) slopes.data[i] = (-2 * w * kept * (y.data[i] as number)) / B;
    }
  }
  return { loss: loss / B, gradient: correlation(slopes, x0) };
}

function drawnLoss(
  { x0, sigmas }: NoisyBatch,
  noise: Tensor<'float64'>,
  { rows, ranks }: StackedBases,
  weights: LowRankWeights,
): LossAndGradient {
  const B = x0.shape[0] as number;
  const [R, K] = [rows.shape[0] as number, ranks.length];
  const x = noisy(x0, sigmas, noise);
  const y = coefficients(x, rows);
  const soft = weights === 'soft-max' && K > 1;
  const w = soft
    ? softMax(blockSums(y.data, undefined, ranks), ranks, sigmas)
    : hardMax(blockSums(coefficients(x0, rows).data, undefined, ranks), K);
  const shrunk = zeros('float64', [B, R]); // a w_k y_k
  for (let b = 0, i = 0; b < B; b++) {
    const a = shrinkage(sigmas[b] as number);
    for (let k = 0; k < K; k++) {
      const factor = a * (w[b * K + k] as number);
      for (const end = i + (ranks[k] as number); i < end; i++) shrunk.data[i] = factor * (y.data[i] as number);
    }
  }
  const residual = combination(shrunk, rows);
  for (let i = 0; i < x0.data.length; i++) residual.data[i] = (residual.data[i] as number) - (x0.data[i] as number);
  const q = coefficients(residual, rows);
  // From here `shrunk` weighs the residuals in the gradient and `byInput` the noisy samples.
  const byInput = inputSlopes(y, q, w, sigmas, ranks, soft);
  const gradient = correlation(byInput, x);
  const byOutput = correlation(shrunk, residual).data;
  for (let i = 0; i < byOutput.length; i++) {
    gradient.data[i] = ((gradient.data[i] as number) + 2 * (byOutput[i] as number)) / B;
  }
  return { loss: squares(residual.data) / B, gradient };
}

/**
 * Factor of x in the derivative by each row of the bases: 2 a w_k q_k by U_k^T r, and by the weights
 * w_k (g_k - sum_j w_j g_j) y_k a / sigma^2 with g_k = 2 a q_k . y_k the derivative of the loss by w_k.
 */
function inputSlopes(
  y: Tensor<'float64'>,
  q: Tensor<'float64'>,
  w: Float64Array,
  sigmas: Float64Array,
  ranks: readonly number[],
  soft: boolean,
): Tensor<'float64'> {
  const K = ranks.length;
  const slopes = zeros('float64', y.shape);
  const overlaps = blockSums(q.data, y.data, ranks);
  for (let b = 0, i = 0; b < sigmas.length; b++) {
    const sigma = sigmas[b] as number;
    const a = shrinkage(sigma);
    let mean = 0;
    for (let k = 0; k < K; k++) mean += (w[b * K + k] as number) * (overlaps[b * K + k] as number);
    const sharpness = soft ? a / (sigma * sigma) : 0;
    for (let k = 0; k < K; k++) {
      const turn = sharpness * ((overlaps[b * K + k] as number) - mean);
      const factor = 2 * a * (w[b * K + k] as number);
      for (const end = i + (ranks[k] as number); i < end; i++) {
        slopes.data[i] = factor * ((q.data[i] as number) + turn * (y.data[i] as number));
      }
    }
  }
  return slopes;
}

/** Share of a noisy coefficient of unit variance that its posterior mean keeps: 1 / (1 + sigma^2). */
function shrinkage(sigma: number): number {
  return 1 / (1 + sigma * sigma);
}

function noisy(x0: Tensor<'float64'>, sigmas: Float64Array, noise: Tensor<'float64'>): Tensor<'float64'> {
  const n = x0.shape[1] as number;
  const x = zeros('float64', x0.shape);
  for (let b = 0, i = 0; b < sigmas.length; b++) {
    const sigma = sigmas[b] as number;
    for (const end = i + n; i < end; i++) x.data[i] = (x0.data[i] as number) + sigma * (noise.data[i] as number);
  }
  return x;
}

/** Turns energies [B, K] into the posterior weights of equally likely subspaces of unit variance, in place. */
function softMax(energies: Float64Array, ranks: readonly number[], sigmas: Float64Array): Float64Array {
  const K = ranks.length;
  for (let b = 0; b < sigmas.length; b++) {
    const variance = (sigmas[b] as number) ** 2;
    const phi = shrinkage(sigmas[b] as number) / (2 * variance);
    const volume = Math.log1p(1 / variance) / 2;
    let [top, sum] = [-Infinity, 0];
    for (let k = 0, i = b * K; k < K; k++, i++) {
      energies[i] = phi * (energies[i] as number) - volume * (ranks[k] as number);
      top = Math.max(top, energies[i] as number);
    }
    for (let i = b * K; i < (b + 1) * K; i++) sum += energies[i] = Math.exp((energies[i] as number) - top);
    for (let i = b * K; i < (b + 1) * K; i++) energies[i] = (energies[i] as number) / sum;
  }
  return energies;
}

/** Turns energies [B, K] into 1 for the largest of each sample, the first of equals, and 0 for the others, in place. */
function hardMax(energies: Float64Array, K: number): Float64Array {
  for (let at = 0; at < energies.length; at += K) {
    let best = at;
    for (let i = at; i < at + K; i++) if ((energies[i] as number) > (energies[best] as number)) best = i;
    for (let i = at; i < at + K; i++) energies[i] = i === best ? 1 : 0;
  }
  return energies;
}

/** Inner products [B, K] of rows of R numbers, block by block; of the rows with themselves where `other` is left out. */
function blockSums(rows: Float64Array, other: Float64Array | undefined, ranks: readonly number[]): Float64Array {
  const right = other ?? rows;
  const R = ranks.reduce((sum, d) => sum + d, 0);
  const sums = new Float64Array((rows.length / R) * ranks.length);
  for (let i = 0, at = 0; i < rows.length;) {
    for (let k = 0; k < ranks.length; k++, at++) {
      for (const end = i + (ranks[k] as number); i < end; i++) {
        sums[at] = (sums[at] as number) + (rows[i] as number) * (right[i] as number);
      }
    }
  }
  return sums;
}

function squares(x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] as number) ** 2;
  return sum;
}
