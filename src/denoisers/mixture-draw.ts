import { DomainError } from '../errors/errors.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { singularValues } from '../linalg/svd.ts';
import { matmul } from '../linalg/matmul.ts';
import { normal, randomKey, uniform } from '../tensor/random.ts';
import type { RandomKey } from '../tensor/random.ts';
import { slice, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { LowRankMixture } from './low-rank-mixture.ts';

/** What a random mixture is drawn from: dimension, one rank and one variance a component, seed. */
export interface RandomMixtureOptions {
  /** Ambient dimension. */
  readonly n: number;
  /** Rank of each component, so K is their number; their sum is at most n. */
  readonly ranks: readonly number[];
  /** Variance inside each component's subspace, one a component. */
  readonly variances: readonly number[];
  /** Share of each component, in any unit; equal where left out. */
  readonly weights?: readonly number[];
  /** Distance of each component's mean from the origin, in a random direction; 0 where left out. */
  readonly means?: readonly number[];
  readonly seed: number;
}

/**
 * Mixture of Gaussians on mutually orthogonal random subspaces (MoLRG), of zero mean and equal weight unless told otherwise.
 * The bases are disjoint blocks of one random orthonormal frame.
 * @throws DomainError if the ranks are not positive integers with a sum of at most n, lengths disagree, or numbers are out of their domain
 * @source Wang et al. 2024, arXiv 2409.02426, released code (zero mean); means, weights and variances as in its last version
 */
export function randomMixture(options: RandomMixtureOptions): LowRankMixture {
  const { n, ranks, variances, seed } = options;
  const { weights = ranks.map(() => 1), means = ranks.map(() => 0) } = options;
  const total = ranks.reduce((sum, d) => sum + d, 0);
  if (ranks.length === 0 || !ranks.every((d) => Number.isInteger(d) && d > 0) || !(total <= n)) {
    throw new DomainError(
      'randomMixture',
      `expected positive ranks with a sum of at most ${n}, got ${ranks.join(', ')}.`,
    );
  }
  const inDomain = { variances: (l: number) => l > 0, weights: (w: number) => w > 0, means: (m: number) => m >= 0 };
  for (const [name, values] of Object.entries({ variances, weights, means })) {
    const fits = inDomain[name as keyof typeof inDomain];
    if (values.length !== ranks.length || !values.every((value) => fits(value) && value < Infinity)) {
      const sign = name === 'means' ? 'non-negative' : 'positive';
      throw new DomainError(
        'randomMixture',
        `expected ${ranks.length} ${sign} ${name}, got ${values.join(', ') || 'none'}.`,
      );
    }
  }
  const frame = orthonormalRows(normal(randomKey(seed, 'mixture'), [total, n])).q;
  const whole = weights.reduce((sum, w) => sum + w, 0);
  let start = 0;
  return ranks.map((d, k) => ({
    weight: (weights[k] as number) / whole,
    mean: meanAt(means[k] as number, n, randomKey(seed, 'mixture', 'mean', k)),
    basis: slice(frame, start, (start += d)),
    variances: new Float64Array(d).fill(variances[k] as number),
  }));
}

/** A point at the given distance from the origin. */
function meanAt(distance: number, n: number, key: RandomKey): Float64Array {
  if (distance === 0) return new Float64Array(n);
  return orthonormalRows(normal(key, [1, n])).q.data.map((value) => value * distance);
}

/**
 * Eigenvalues of the covariance of a mixture on mutually orthogonal subspaces, descending: spread inside components and between means.
 * @param mixture  as `randomMixture` draws it
 * @returns [n], zeros last
 */
export function mixtureVariances(mixture: LowRankMixture): Float64Array {
  const n = mixture[0]?.mean.length ?? 0;
  const eigenvalues = new Float64Array(n);
  const inside = mixture.flatMap(({ weight, variances }) => Array.from(variances, (l) => weight * l));
  if (mixture.every(({ mean }) => mean.every((m) => m === 0))) {
    eigenvalues.set(inside.sort((a, b) => b - a));
    return eigenvalues;
  }
  const overall = new Float64Array(n);
  mixture.forEach(({ weight, mean }) => mean.forEach((m, j) => ((overall[j] as number) += weight * m)));
  // Rows B with covariance B^T B: its eigenvalues are the squared singular values.
  const rows = mixture.flatMap(({ weight, mean, basis, variances }) => [
    ...Array.from(variances, (l, i) => slice(basis, i, i + 1).data.map((value) => value * Math.sqrt(weight * l))),
    mean.map((m, j) => (m - (overall[j] as number)) * Math.sqrt(weight)),
  ]);
  const factor = zeros('float64', [rows.length, n]);
  rows.forEach((row, i) => factor.data.set(row, i * n));
  eigenvalues.set(singularValues(factor).map((s) => s * s));
  return eigenvalues;
}

/** Points of a mixture and the component of each. */
export interface MixtureSample {
  /** [count, n] */
  readonly x: Tensor<'float64'>;
  /** Length count. */
  readonly labels: Int32Array;
}

/**
 * Draws points of a mixture; point i depends only on the key and i.
 * @param labels  component of each point; drawn by weight where left out
 */
export function sampleMixture(
  mixture: LowRankMixture,
  key: RandomKey,
  count: number,
  labels: Int32Array = drawLabels(mixture, key, count),
): MixtureSample {
  const n = mixture[0]?.mean.length ?? 0;
  const widest = Math.max(...mixture.map(({ variances }) => variances.length));
  const noise = normal(key, [count, widest]);
  const x = zeros('float64', [count, n]);
  labels.forEach((k, i) => {
    const { mean, basis, variances } = mixture[k] as LowRankMixture[number];
    const coefficients = slice(noise, i, i + 1).data.slice(0, variances.length);
    variances.forEach((l, j) => ((coefficients[j] as number) *= Math.sqrt(l)));
    const inside = matmul({ shape: [1, variances.length], dtype: 'float64', data: coefficients }, basis).data;
    slice(x, i, i + 1).data.set(inside.map((value, j) => value + (mean[j] as number)));
  });
  return { x, labels };
}

function drawLabels(mixture: LowRankMixture, key: RandomKey, count: number): Int32Array {
  return Int32Array.from(uniform(key, [count]).data, (u) => {
    let left = u;
    const k = mixture.findIndex(({ weight }) => (left -= weight) < 0);
    return k < 0 ? mixture.length - 1 : k; // weights that sum to 1 - eps leave a sliver
  });
}
