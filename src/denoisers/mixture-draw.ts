import { DomainError } from '../errors/errors.ts';
import { orthonormalRows } from '../linalg/qr.ts';
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
  readonly seed: number;
}

/**
 * Mixture of zero-mean Gaussians of equal weight on mutually orthogonal random subspaces (MoLRG).
 * The bases are disjoint blocks of one random orthonormal frame.
 * @throws DomainError if the ranks are not positive integers with a sum of at most n, or lengths disagree
 * @source Wang et al. 2024, arXiv 2409.02426, released code
 */
export function randomMixture({ n, ranks, variances, seed }: RandomMixtureOptions): LowRankMixture {
  const total = ranks.reduce((sum, d) => sum + d, 0);
  if (ranks.length === 0 || !ranks.every((d) => Number.isInteger(d) && d > 0) || !(total <= n)) {
    throw new DomainError(
      'randomMixture',
      `expected positive ranks with a sum of at most ${n}, got ${ranks.join(', ')}.`,
    );
  }
  if (variances.length !== ranks.length) {
    throw new DomainError('randomMixture', `expected ${ranks.length} variances, got ${variances.length}.`);
  }
  const frame = orthonormalRows(normal(randomKey(seed, 'mixture'), [total, n])).q;
  let start = 0;
  return ranks.map((d, k) => {
    const basis = slice(frame, start, (start += d));
    return {
      weight: 1 / ranks.length,
      mean: new Float64Array(n),
      basis,
      variances: new Float64Array(d).fill(variances[k] as number),
    };
  });
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
