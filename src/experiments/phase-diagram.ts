import { kSubspaces } from '../analysis/clustering/k-subspaces.ts';
import type { KSubspacesOptions } from '../analysis/clustering/k-subspaces.ts';
import { recoveryError } from '../analysis/clustering/recovery.ts';
import { randomMixture, sampleMixture } from '../denoisers/mixture-draw.ts';
import { DomainError, throwIfAborted } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { sampleBoundary } from '../theory/sample-complexity.ts';
import type { HeatmapFigure } from './plain-figure.ts';
import type { TopicContext } from './theory/topic.ts';

/** Finds the subspaces of points: what a phase diagram judges. */
export type SubspaceSolver = (
  /** [K N, n]; component k has the points i with i mod K = k. */
  points: Tensor<'float64'>,
  /** K true bases [d, n]: their number and rank may be used, their directions not. */
  truth: readonly Tensor<'float64'>[],
  seed: number,
  signal?: AbortSignal,
) => Promise<readonly Tensor<'float64'>[]>;

/** A phase diagram to be measured. */
export interface PhaseDiagramOptions {
  /** What solves it: the diagram's title says so. */
  readonly panel: 'pca' | 'k-subspaces' | 'network';
  /** K, components on mutually orthogonal subspaces. */
  readonly components: number;
  /** n */
  readonly dimension: number;
  /** d, the rows. */
  readonly ranks: readonly number[];
  /** N, points of each component, the columns. */
  readonly counts: readonly number[];
  readonly trials: number;
  /** Standard deviation of the noise on each coordinate. */
  readonly noise: number;
  /** Success is a largest |P_hat - P|_F of at most this. */
  readonly threshold: number;
  readonly solver: SubspaceSolver;
}

/** Trials of one cell. */
export interface PhaseCell {
  readonly rank: number;
  readonly count: number;
  /** Share of successes. */
  readonly success: number;
  /** 95 % interval of the success rate (Wilson). */
  readonly low: number;
  readonly high: number;
  /** Mean of the largest |P_hat - P|_F. */
  readonly meanError: number;
  /** Mean of its square. */
  readonly meanSquaredError: number;
}

/** A phase diagram measured, rank by rank. */
export interface PhaseDiagram {
  readonly options: Omit<PhaseDiagramOptions, 'solver'>;
  /** [ranks][counts] */
  readonly cells: readonly (readonly PhaseCell[])[];
}

/** The papers' grid as remembered: n = 48, d = 2..8, N = 2..15, 20 trials; noise-free, success at an error of at most 0.5. */
export const paperGrid: Pick<PhaseDiagramOptions, 'dimension' | 'ranks' | 'counts' | 'trials' | 'noise' | 'threshold'> =
  {
    dimension: 48,
    ranks: [2, 3, 4, 5, 6, 7, 8],
    counts: Array.from({ length: 14 }, (_, i) => i + 2),
    trials: 20,
    noise: 0,
    threshold: 0.5,
  };

/** K-subspaces on the points, which for one component is principal component analysis; 20 random starts unless told otherwise. */
export function clusteringSolver(options: Pick<KSubspacesOptions, 'restarts' | 'start'> = {}): SubspaceSolver {
  const { restarts = 20, start = 'random' } = options;
  return (points, truth, seed, signal) => {
    const rank = truth.map(({ shape }) => shape[0] as number);
    return Promise.resolve(kSubspaces(points, { clusters: truth.length, rank, restarts, start, seed, signal }).bases);
  };
}

/**
 * Success of a solver over ranks and numbers of points: fresh subspaces, points and noise in every trial, equal for every solver.
 * @throws DomainError for sizes that are none; CancelledError
 * @source Wang et al. 2024, arXiv 2409.02426, Figure 4 (threshold and starts are not given there)
 */
export async function phaseDiagram(options: PhaseDiagramOptions, context: TopicContext): Promise<PhaseDiagram> {
  const { solver, ...stated } = options;
  checkDiagram(stated);
  const { components, dimension: n, ranks, counts, trials, noise, threshold } = stated;
  const total = ranks.length * counts.length;
  const cells: PhaseCell[][] = [];
  for (const d of ranks) {
    const row: PhaseCell[] = [];
    for (const N of counts) {
      await new Promise((resolve) => setTimeout(resolve, 0)); // an interrupt must be heard
      const errors = new Float64Array(trials);
      for (let t = 0; t < trials; t++) {
        throwIfAborted('phaseDiagram', context.signal);
        const seed = context.seed + t;
        const { points, truth } = drawProblem({ n, d, N, components, noise, seed });
        errors[t] = recoveryError(await solver(points, truth, seed, context.signal), truth).worst;
      }
      row.push(cellOf(d, N, errors, threshold));
      context.onProgress?.(cells.length * counts.length + row.length, total);
    }
    cells.push(row);
  }
  return { options: stated, cells };
}

/** One trial's points and true bases; component k has the points i with i mod K = k. */
export function drawProblem(options: {
  readonly n: number;
  readonly d: number;
  readonly N: number;
  readonly components: number;
  readonly noise: number;
  readonly seed: number;
}): { points: Tensor<'float64'>; truth: Tensor<'float64'>[] } {
  const { n, d, N, components: K, noise, seed } = options;
  const each = (value: number): number[] => new Array<number>(K).fill(value);
  const mixture = randomMixture({ n, ranks: each(d), variances: each(1), seed });
  const labels = Int32Array.from({ length: K * N }, (_, i) => i % K);
  const { x } = sampleMixture(mixture, randomKey(seed, 'phase', d, N), K * N, labels);
  const truth = mixture.map(({ basis }) => basis);
  if (noise === 0) return { points: x, truth };
  const e = normal(randomKey(seed, 'phase noise', d, N), x.shape).data;
  const noisy = x.data.map((value, i) => value + noise * (e[i] as number));
  return { points: tensor('float64', x.shape, noisy), truth };
}

/** Ends of the 95 % Wilson interval of a success rate. @source Wilson 1927 */
export function wilsonInterval(successes: number, trials: number): { low: number; high: number } {
  const z2 = 1.959963984540054 ** 2;
  const p = successes / trials;
  const centre = (p + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = Math.sqrt((z2 * p * (1 - p)) / trials + (z2 / (2 * trials)) ** 2) / (1 + z2 / trials);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Success over N (across) and d (up) with the predicted boundary. */
export function phaseFigure({ options, cells }: PhaseDiagram): HeatmapFigure {
  const { panel, components: K, dimension: n, ranks, counts, trials, noise, threshold } = options;
  const solver = { pca: 'PCA', 'k-subspaces': 'K-subspaces', network: 'Low-rank network' }[panel];
  return {
    kind: 'heatmap',
    title: `${solver}, K = ${K}, n = ${n}, noise ${noise}, error ≤ ${threshold}, ${trials} trials`,
    xLabel: 'points of each component N',
    yLabel: 'rank d',
    x: counts,
    y: ranks,
    values: cells.map((row) => row.map(({ success }) => success)),
    label: 'share of successes',
    domain: [0, 1],
    boundary: {
      name: K === 1 ? 'N = d' : 'N = d + 1',
      x: ranks.map((d) => sampleBoundary(d, K)),
      y: ranks,
    },
  };
}

function cellOf(rank: number, count: number, errors: Float64Array, threshold: number): PhaseCell {
  const trials = errors.length;
  const successes = errors.filter((error) => error <= threshold).length;
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / trials;
  return {
    rank,
    count,
    success: successes / trials,
    ...wilsonInterval(successes, trials),
    meanError: mean(errors),
    meanSquaredError: mean(errors.map((error) => error * error)),
  };
}

function checkDiagram(options: Omit<PhaseDiagramOptions, 'solver'>): void {
  const { components, dimension, ranks, counts, trials, noise, threshold } = options;
  for (const [name, value] of Object.entries({ components, dimension, trials })) checkWhole(name, value);
  ranks.forEach((d) => checkWhole('ranks', d));
  counts.forEach((N) => checkWhole('counts', N));
  const widest = components * Math.max(...ranks);
  if (widest > dimension) {
    throw new DomainError('phaseDiagram', `expected K d of at most the dimension ${dimension}, got ${widest}.`);
  }
  if (!(noise >= 0 && noise < Infinity && threshold > 0)) {
    throw new DomainError('phaseDiagram', `expected noise >= 0 and a threshold > 0, got ${noise}, ${threshold}.`);
  }
}

function checkWhole(name: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1)) {
    throw new DomainError('phaseDiagram', `expected ${name} to be whole and >= 1, got ${value}.`);
  }
}
