import { DomainError } from '../errors/errors.ts';

/**
 * Least number of points of a component from which its subspace can be recovered without noise: its rank for one component.
 * For several the rank itself is degenerate, as any split of K d points into groups of d fits perfectly: one more is needed. Lines
 * are the exception: K points split into K groups of one in one way alone.
 * @param rank        d
 * @param components  K
 * @source Wang et al. 2024, arXiv 2409.02426, Theorems 2 and 4 (N = d); one more for K > 1 and d > 1: derived and checked by simulation
 */
export function sampleBoundary(rank: number, components: number): number {
  checkWhole('sampleBoundary', { rank, components }, 1);
  return components === 1 || rank === 1 ? rank : rank + 1;
}

/** `sampleBoundary` over these ranks in a few words, for figures. */
export function sampleBoundaryLabel(ranks: readonly number[], components: number): string {
  if (components === 1) return 'N = d';
  return ranks.includes(1) ? 'N = d + 1, for lines 1' : 'N = d + 1';
}

/**
 * Expected |P_hat - P|_F^2 of principal component analysis on fewer points than the rank, without noise:
 * 2 (d - N) (1 - (d - N) / (n - N)), the d - N directions that no point shows drawn at random beside the points.
 * @param n  dimension, n > N
 * @param d  rank, 1 <= d <= n
 * @param N  points, 0 <= N; 0 from N = d on
 * @throws DomainError
 * @source derived: E |P_V P_W|_F^2 = (d - N)^2 / (n - N) for the missing and a uniform subspace of what the points leave
 */
export function expectedSquaredError(n: number, d: number, N: number): number {
  checkSizes('expectedSquaredError', n, d, N);
  if (N >= d) return 0;
  const missing = d - N;
  return 2 * missing * (1 - missing / (n - N));
}

/**
 * Largest |P_hat - P|_F^2 that N points without noise allow: 2 min(d - N, n - d), 0 from N = d on.
 * Its root is beta of the lower bound.
 * @throws DomainError
 * @source Wang et al. 2024, arXiv 2409.02426, Theorem 4 (our reading of beta)
 */
export function worstSquaredError(n: number, d: number, N: number): number {
  checkSizes('worstSquaredError', n, d, N);
  return N >= d ? 0 : 2 * Math.min(d - N, n - d);
}

/** A theorem's setting. */
export interface BoundOptions {
  /** Dimension. */
  readonly n: number;
  /** Rank. */
  readonly d: number;
  /** Points of the component. */
  readonly N: number;
  /** |E|_F, root of the sum of squares of the noise of all points of all components. */
  readonly noise: number;
  /** The constant of the theorem; the papers give no number. */
  readonly c1?: number;
}

/**
 * Upper bound on |P_hat - P|_F where N >= d: c1 |E|_F / (sqrt(N) - sqrt(d - 1)).
 * @throws DomainError if N < d: there the theorem gives a lower bound
 * @source Wang et al. 2024, arXiv 2409.02426, Theorems 2 and 4
 */
export function upperBound({ n, d, N, noise, c1 = 1 }: BoundOptions): number {
  checkNoise('upperBound', noise, c1);
  checkSizes('upperBound', n, d, N);
  if (N < d) throw new DomainError('upperBound', `expected N >= d, got N = ${N}, d = ${d}. Take lowerBound.`);
  return (c1 * noise) / (Math.sqrt(N) - Math.sqrt(d - 1));
}

/**
 * Lower bound on |P_hat - P|_F of some optimum where N < d: beta - c1 |E|_F / (sqrt(d) - sqrt(N - 1)), at least 0.
 * It says that a bad optimum exists, not that all are bad.
 * @throws DomainError if N >= d or N < 1
 * @source Wang et al. 2024, arXiv 2409.02426, Theorem 4 (radicands as read with Theorem 2)
 */
export function lowerBound({ n, d, N, noise, c1 = 1 }: BoundOptions): number {
  checkNoise('lowerBound', noise, c1);
  checkSizes('lowerBound', n, d, N);
  if (N >= d || N < 1) throw new DomainError('lowerBound', `expected 1 <= N < d, got N = ${N}, d = ${d}.`);
  const beta = Math.sqrt(worstSquaredError(n, d, N));
  return Math.max(0, beta - (c1 * noise) / (Math.sqrt(d) - Math.sqrt(N - 1)));
}

/**
 * Least probability with which the upper bound holds: 1 - 2 K^2 / N - sum_k ((1/2)^(N_k - d + 1) + exp(-c2 N_k)), N the sum of the N_k; at least 0.
 * @param options.counts  N_k of each component
 * @param options.c2      constant of the theorem; the papers give no number
 * @source Wang et al. 2024, arXiv 2409.02426, Theorem 4 (exponent as read)
 */
export function boundProbability(options: {
  readonly counts: readonly number[];
  readonly d: number;
  readonly c2?: number;
}): number {
  const { counts, d, c2 = 1 } = options;
  const K = counts.length;
  const N = counts.reduce((sum, count) => sum + count, 0);
  const lost = counts.reduce((sum, count) => sum + 0.5 ** (count - d + 1) + Math.exp(-c2 * count), 0);
  return Math.max(0, 1 - (2 * K * K) / N - lost);
}

function checkSizes(where: string, n: number, d: number, N: number): void {
  checkWhole(where, { n, d }, 1);
  checkWhole(where, { N }, 0);
  if (d > n) throw new DomainError(where, `expected a rank of at most the dimension ${n}, got ${d}.`);
}

function checkWhole(where: string, sizes: Readonly<Record<string, number>>, least: number): void {
  for (const [name, value] of Object.entries(sizes)) {
    if (!(Number.isInteger(value) && value >= least)) {
      throw new DomainError(where, `expected ${name} to be a whole number >= ${least}, got ${value}.`);
    }
  }
}

function checkNoise(where: string, noise: number, c1: number): void {
  if (!(noise >= 0 && c1 > 0)) throw new DomainError(where, `expected noise >= 0 and c1 > 0, got ${noise}, ${c1}.`);
}
