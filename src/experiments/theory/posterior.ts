import { computeJacobian } from '../../analysis/jacobian.ts';
import { numericalRank } from '../../analysis/rank.ts';
import { lowRankMixtureDenoiser, mixturePosterior } from '../../denoisers/low-rank-mixture.ts';
import type { LowRankMixture } from '../../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { DomainError, throwIfAborted } from '../../errors/errors.ts';
import { eigenvaluesSymmetric } from '../../linalg/eigh.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { row, tensor } from '../../tensor/tensor.ts';
import type { CurveFigure } from '../plain-figure.ts';
import type { TheoryTopic, TopicContext, TopicResult } from './topic.ts';

/** Means over noisy points of a mixture at one noise level. */
export interface PosteriorLevel {
  readonly sigma: number;
  /** Posterior weight of the component that the point came from. */
  readonly ownWeight: number;
  /** Root mean square of E[x0 | x] - x0 over coordinates. */
  readonly error: number;
  /** |E[x0 | x]|. */
  readonly meanNorm: number;
  /** Mean numerical rank of the Jacobian by the papers' rule (square root of the energy > 0.99). */
  readonly rank: number;
  /** That over n. */
  readonly rankRatio: number;
}

/** Noise levels of the papers' figure: 1 / sigma from 500 down to 0.01. */
export const paperSigmas: readonly number[] = [500, 125, 50, 10, 1.67, 0.91, 0.3, 0.12, 0.08, 0.04, 0.02, 0.01].map(
  (inverse) => 1 / inverse,
);

/**
 * Posterior weights, mean and rank of the Jacobian over noise, at points drawn from the mixture and noised forward.
 * The same points and noise directions serve every level.
 * @throws CancelledError
 */
export async function posteriorOverNoise(
  mixture: LowRankMixture,
  sigmas: readonly number[],
  points: number,
  context: TopicContext,
): Promise<PosteriorLevel[]> {
  const { x, labels } = sampleMixture(mixture, randomKey(context.seed, 'posterior'), points);
  const n = x.shape[1] as number;
  const noise = normal(randomKey(context.seed, 'posterior noise'), x.shape).data;
  await using denoiser = lowRankMixtureDenoiser({ name: 'mixture', mixture });
  const levels: PosteriorLevel[] = [];
  for (const sigma of sigmas) {
    const noisy = tensor(
      'float64',
      x.shape,
      x.data.map((value, i) => value + sigma * (noise[i] as number)),
    );
    const { weights, mean } = mixturePosterior(mixture, noisy, sigma);
    let rank = 0;
    for (let i = 0; i < points; i++) {
      throwIfAborted('posterior', context.signal);
      const jacobian = await computeJacobian(denoiser.linearize(row(noisy, i), sigma));
      rank += numericalRank(eigenvaluesSymmetric(jacobian).map(Math.abs).sort().reverse(), 'sqrt-energy-0.99');
    }
    const own = labels.reduce((sum, k, i) => sum + (weights.data[i * mixture.length + k] as number), 0) / points;
    const squared = mean.data.reduce((sum, m, i) => sum + (m - (x.data[i] as number)) ** 2, 0);
    const norms = labels.reduce((sum, _, i) => sum + Math.hypot(...row(mean, i).data), 0) / points;
    const error = Math.sqrt(squared / mean.data.length);
    levels.push({ sigma, ownWeight: own, error, meanNorm: norms, rank: rank / points, rankRatio: rank / (points * n) });
    context.onProgress?.(levels.length, sigmas.length);
    await new Promise((resolve) => setTimeout(resolve, 0)); // an interrupt must be heard
  }
  return levels;
}

/** `eigenlens theory posterior`: what a noisy point says of its component, its clean point and the rank of the Jacobian. */
export const posteriorTopic: TheoryTopic = {
  name: 'posterior',
  summary: 'posterior weights, mean and Jacobian rank of a mixture of low-rank Gaussians over noise',
  source: 'arXiv 2409.02426, posterior mean and numerical rank; arXiv 2409.02374, Lemma 1',
  parameters: {
    n: { meaning: 'dimension of the data', fallback: 48 },
    K: { meaning: 'components on mutually orthogonal subspaces, K d <= n', fallback: 2 },
    d: { meaning: 'rank of each component', fallback: 6 },
    variance: { meaning: 'variance inside the subspaces', fallback: 1 },
    mean: { meaning: 'distance of each mean from the origin', fallback: 0 },
    points: { meaning: 'noisy points averaged over', fallback: 20 },
  },
  async compute(parameters, context): Promise<TopicResult> {
    const { n = 48, K = 2, d = 6, variance = 1, mean = 0, points = 20 } = parameters;
    for (const [name, value] of Object.entries({ n, K, d, points })) {
      if (!(Number.isInteger(value) && value >= 1)) {
        throw new DomainError('posterior', `expected ${name} to be whole and >= 1, got ${value}.`);
      }
    }
    const each = (value: number): number[] => new Array<number>(K).fill(value);
    const { seed } = context;
    const mixture = randomMixture({ n, ranks: each(d), variances: each(variance), means: each(mean), seed });
    const levels = await posteriorOverNoise(mixture, paperSigmas, points, context);
    return {
      values: { n, K, d, variance, mean, points, plateaus: { low: d / n, high: (K * d) / n }, levels },
      table: {
        columns: ['sigma', 'own weight', 'RMSE', '|mean|', 'rank', 'rank / n'],
        rows: levels.map((l) => [l.sigma, l.ownWeight, l.error, l.meanNorm, l.rank, l.rankRatio]),
      },
      figures: { rank: rankFigure(levels, n, K, d), weight: weightFigure(levels, K) },
    };
  },
};

/** Rank over 1 / sigma with its plateaus, as in the papers' figure. */
export function rankFigure(levels: readonly PosteriorLevel[], n: number, K: number, d: number): CurveFigure {
  const x = levels.map(({ sigma }) => 1 / sigma);
  const plateau = (name: string, value: number) => ({ name, x, y: x.map(() => value), style: 'dashed' as const });
  return {
    kind: 'curves',
    title: `Rank of the Jacobian, n = ${n}, K = ${K}, d = ${d}`,
    xLabel: '1 / σ',
    yLabel: 'rank / n',
    xScale: 'log',
    curves: [
      { name: 'mean over points', x, y: levels.map(({ rankRatio }) => rankRatio), style: 'points' },
      plateau('d / n', d / n),
      plateau('K d / n', (K * d) / n),
    ],
  };
}

function weightFigure(levels: readonly PosteriorLevel[], K: number): CurveFigure {
  const x = levels.map(({ sigma }) => sigma);
  return {
    kind: 'curves',
    title: 'Posterior weight of the true component',
    xLabel: 'noise level σ',
    yLabel: 'mean weight',
    xScale: 'log',
    curves: [
      { name: 'mean over points', x, y: levels.map(({ ownWeight }) => ownWeight), style: 'points' },
      { name: 'prior 1 / K', x, y: x.map(() => 1 / K), style: 'dashed' },
    ],
  };
}
