import { DomainError } from '../errors/errors.ts';
import { sampleBoundary, sampleBoundaryLabel } from '../theory/sample-complexity.ts';
import { runJobsHere } from './jobs/here.ts';
import { resultsOf } from './jobs/job.ts';
import { phaseCell } from './phase-cell.ts';
import type { PhaseCellSpec } from './phase-cell.ts';
import type { PhaseSolver } from './phase-solver.ts';
import type { HeatmapFigure } from './plain-figure.ts';
import type { TopicContext } from './theory/topic.ts';

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
  readonly solver: PhaseSolver;
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

/**
 * Success of a solver over ranks and numbers of points: fresh subspaces, points and noise in every trial, equal for every solver.
 * @throws DomainError for sizes that are none; CancelledError
 * @source Wang et al. 2024, arXiv 2409.02426, Figure 4 (threshold and starts are not given there)
 */
export async function phaseDiagram(options: PhaseDiagramOptions, context: TopicContext): Promise<PhaseDiagram> {
  const { solver, ...stated } = options;
  checkDiagram(stated);
  const { components, dimension, ranks, counts, trials, noise, threshold } = stated;
  const places = ranks.flatMap((rank) => counts.map((count) => ({ rank, count })));
  const specs = places.map((place): PhaseCellSpec => ({ ...place, components, dimension, trials, noise, solver, seed: context.seed })); // prettier-ignore
  const { signal, onProgress, runJobs = runJobsHere } = context;
  let done = 0;
  const outcomes = await runJobs(phaseCell, specs, { signal, onOutcome: () => onProgress?.(++done, specs.length) });
  const cells = resultsOf(outcomes).map((errors, i) => {
    const { rank, count } = places[i] as (typeof places)[number];
    return cellOf(rank, count, errors, threshold);
  });
  return { options: stated, cells: ranks.map((_, row) => cells.slice(row * counts.length, (row + 1) * counts.length)) };
}

/** Ends of the 95 % Wilson interval of a success rate. @source Wilson 1927 */
export function wilsonInterval(successes: number, trials: number): { low: number; high: number } {
  const z2 = 1.959963984540054 ** 2;
  const p = successes / trials;
  const centre = (p + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = Math.sqrt((z2 * p * (1 - p)) / trials + (z2 / (2 * trials)) ** 2) / (1 + z2 / trials);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Success over N (across) and d (up) with the predicted boundary; `how` is said of the solver in the title. */
export function phaseFigure({ options, cells }: PhaseDiagram, how = ''): HeatmapFigure {
  const { panel, components: K, dimension: n, ranks, counts, trials, noise, threshold } = options;
  const solver = { pca: 'PCA', 'k-subspaces': 'K-subspaces', network: 'the trained low-rank network' }[panel];
  return {
    kind: 'heatmap',
    title: `Recovery by ${solver}${how}: K = ${K}, n = ${n}, noise ${noise}, error ≤ ${threshold}, ${trials} trials a cell`,
    xLabel: 'points of each component N',
    yLabel: 'rank d',
    x: counts,
    y: ranks,
    values: cells.map((row) => row.map(({ success }) => success)),
    label: 'share of successes',
    domain: [0, 1],
    boundary: {
      name: sampleBoundaryLabel(ranks, K),
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
