import type { LowRankMixture } from '../../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import type { RandomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Points near subspaces. */
export interface SubspacePoints {
  /** [count, n]; component k has the points i with i mod K = k. */
  readonly points: Tensor<'float64'>;
  /** Component of each point. */
  readonly classes: Int32Array;
  /** K true bases [d_k, n]. */
  readonly truth: readonly Tensor<'float64'>[];
}

/** One problem of a phase diagram. */
export interface ProblemSpec {
  /** Dimension. */
  readonly n: number;
  /** Rank of each component. */
  readonly d: number;
  /** Points of each component. */
  readonly N: number;
  /** K, on mutually orthogonal subspaces. */
  readonly components: number;
  /** Standard deviation of the noise on each coordinate. */
  readonly noise: number;
  readonly seed: number;
}

/** One trial's points and true bases. */
export function drawProblem({ n, d, N, components: K, noise, seed }: ProblemSpec): SubspacePoints {
  const each = (value: number): number[] => new Array<number>(K).fill(value);
  const mixture = randomMixture({ n, ranks: each(d), variances: each(1), seed });
  const keys = { points: randomKey(seed, 'phase', d, N), noise: randomKey(seed, 'phase noise', d, N) };
  return drawPoints(mixture, K * N, noise, keys);
}

/**
 * Points of a mixture in equal parts, as `eigenlens equivalence` draws them.
 * @param options.noise  standard deviation of the noise on each coordinate
 */
export function drawMixturePoints(
  mixture: LowRankMixture,
  count: number,
  { noise, seed }: { readonly noise: number; readonly seed: number },
): SubspacePoints {
  const key = (name: string): RandomKey => randomKey(seed, 'equivalence', name);
  return drawPoints(mixture, count, noise, { points: key('points'), noise: key('point noise') });
}

function drawPoints(
  mixture: LowRankMixture,
  count: number,
  noise: number,
  keys: { readonly points: RandomKey; readonly noise: RandomKey },
): SubspacePoints {
  const classes = Int32Array.from({ length: count }, (_, i) => i % mixture.length);
  const { x } = sampleMixture(mixture, keys.points, count, classes);
  const truth = mixture.map(({ basis }) => basis);
  if (noise === 0) return { points: x, classes, truth };
  const e = normal(keys.noise, x.shape).data;
  const noisy = x.data.map((value, i) => value + noise * (e[i] as number));
  return { points: tensor('float64', x.shape, noisy), classes, truth };
}
