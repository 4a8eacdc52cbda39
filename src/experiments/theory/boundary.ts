import { DomainError } from '../../errors/errors.ts';
import {
  boundProbability,
  expectedSquaredError,
  lowerBound,
  sampleBoundary,
  upperBound,
  worstSquaredError,
} from '../../theory/sample-complexity.ts';
import { phaseDiagram } from '../phase-diagram.ts';
import { clusteringSolver } from '../phase-solver.ts';
import type { PhaseCell } from '../phase-diagram.ts';
import type { Curve, CurveFigure } from '../plain-figure.ts';
import type { TheoryTopic, TopicContext, TopicResult } from './topic.ts';

interface Setting {
  readonly n: number;
  readonly d: number;
  readonly K: number;
  readonly noise: number;
  readonly threshold: number;
  readonly c1: number;
}

/** `eigenlens theory boundary`: how many points recover a subspace. */
export const boundaryTopic: TheoryTopic = {
  name: 'boundary',
  summary: 'points needed to recover the subspaces of a mixture, error bounds, and success by N with trials',
  source: 'arXiv 2409.02426, Theorems 2 and 4, with constant c1 as given; expected error below the boundary derived',
  parameters: {
    n: { meaning: 'dimension of the data' },
    d: { meaning: 'rank of each component' },
    K: { meaning: 'components on mutually orthogonal subspaces, K d <= n', fallback: 1 },
    noise: { meaning: 'standard deviation of the noise on each coordinate', fallback: 0 },
    threshold: { meaning: 'success is a largest projector error |P_hat - P|_F of at most this', fallback: 0.5 },
    c1: { meaning: "constant of the theorems' bounds, which the paper does not give", fallback: 1 },
    trials: { meaning: 'Monte Carlo trials of each N, 0 for none', fallback: 0 },
    restarts: { meaning: 'random starts of K-subspaces where K > 1', fallback: 20 },
  },
  async compute(parameters, context): Promise<TopicResult> {
    const setting = readSetting(parameters);
    const { n, d, K, noise, threshold, c1 } = setting;
    const { trials = 0, restarts = 20 } = parameters;
    if (trials !== 0 && !(Number.isInteger(trials) && trials > 0)) {
      throw new DomainError('trials', `expected 0 or a whole number, got ${trials}.`);
    }
    const boundary = sampleBoundary(d, K);
    const counts = Array.from({ length: 2 * d + 4 }, (_, i) => i + 1);
    const cells = trials > 0 ? await measure(setting, counts, trials, restarts, context) : undefined;
    const rows = counts.map((N) => boundsAt(setting, N));
    return {
      values: {
        n,
        d,
        K,
        noise,
        threshold,
        c1,
        boundary,
        byCount: rows,
        ...(cells && {
          trials,
          restarts: K > 1 ? restarts : 1,
          success: Object.fromEntries(cells.map(({ count, success }) => [count, success])),
          monteCarlo: cells,
        }),
      },
      table: {
        columns: ['N', 'expected error', 'worst error', 'bound', ...(cells ? ['success', 'low', 'high', 'error'] : [])],
        rows: rows.map(({ N, expected, worst, upper, lower }, i) => {
          const cell = cells?.[i];
          const measured = cell ? [cell.success, cell.low, cell.high, cell.meanError] : [];
          return [N, expected, worst, upper ?? lower ?? '', ...measured];
        }),
      },
      figures: {
        error: errorFigure(setting, rows, cells),
        ...(cells && { success: successFigure(setting, boundary, cells, trials) }),
      },
    };
  },
};

function readSetting(parameters: Readonly<Record<string, number>>): Setting {
  const { n = 0, d = 0, K = 1, noise = 0, threshold = 0.5, c1 = 1 } = parameters;
  worstSquaredError(n, d, 0); // checks n and d
  sampleBoundary(d, K);
  if (K * d > n) throw new DomainError('boundary', `expected K d of at most the dimension ${n}, got ${K * d}.`);
  if (!(noise >= 0 && noise < Infinity && threshold > 0 && c1 > 0)) {
    throw new DomainError('boundary', 'expected noise >= 0, threshold > 0 and c1 > 0.');
  }
  return { n, d, K, noise, threshold, c1 };
}

/** Closed forms at N points of each component. */
interface Bounds {
  readonly N: number;
  /** Root of the expected squared error of one component without noise. */
  readonly expected: number;
  /** The largest error that the points allow without noise. */
  readonly worst: number;
  /** The theorem's bounds, with |E|_F at its root mean square. */
  readonly upper?: number;
  readonly lower?: number;
  /** Least probability of the upper bound for K > 1, with c2 = 1. */
  readonly probability?: number;
}

function boundsAt({ n, d, K, noise, c1 }: Setting, N: number): Bounds {
  const total = noise * Math.sqrt(n * N * K);
  const options = { n, d, N, noise: total, c1 };
  return {
    N,
    expected: Math.sqrt(expectedSquaredError(n, d, N)),
    worst: Math.sqrt(worstSquaredError(n, d, N)),
    ...(N >= d ? { upper: upperBound(options) } : { lower: lowerBound(options) }),
    ...(N >= d && K > 1 && { probability: boundProbability({ counts: new Array<number>(K).fill(N), d }) }),
  };
}

async function measure(
  { n, d, K, noise, threshold }: Setting,
  counts: readonly number[],
  trials: number,
  restarts: number,
  context: TopicContext,
): Promise<readonly PhaseCell[]> {
  const { cells } = await phaseDiagram(
    {
      panel: K === 1 ? 'pca' : 'k-subspaces',
      components: K,
      dimension: n,
      ranks: [d],
      counts,
      trials,
      noise,
      threshold,
      solver: clusteringSolver({ restarts }),
    },
    context,
  );
  return cells[0] as readonly PhaseCell[];
}

function errorFigure(
  { n, d, K, noise, c1 }: Setting,
  rows: readonly Bounds[],
  cells: readonly PhaseCell[] | undefined,
): CurveFigure {
  const x = rows.map(({ N }) => N);
  const bound = (name: string, of: (row: Bounds) => number | undefined): Curve[] => {
    const has = rows.filter((row) => of(row) !== undefined);
    return has.length === 0
      ? []
      : [{ name, x: has.map(({ N }) => N), y: has.map((row) => of(row) as number), style: 'dashed' }];
  };
  return {
    kind: 'curves',
    title: `Error of recovered subspaces, n = ${n}, d = ${d}, K = ${K}, noise ${noise}`,
    xLabel: 'points of each component N',
    yLabel: '‖P̂ − P‖ (Frobenius)',
    curves: [
      { name: 'expected without noise', x, y: rows.map(({ expected }) => expected), style: 'line' },
      { name: 'worst without noise', x, y: rows.map(({ worst }) => worst), style: 'dashed' },
      ...(noise > 0
        ? [
            ...bound(`upper bound, c1 = ${c1}`, ({ upper }) => upper),
            ...bound(`lower bound, c1 = ${c1}`, ({ lower }) => lower),
          ]
        : []),
      ...(cells
        ? [{ name: 'mean of the worst component', x, y: cells.map((c) => c.meanError), style: 'points' as const }]
        : []),
    ],
  };
}

function successFigure(
  { n, d, K, noise, threshold }: Setting,
  boundary: number,
  cells: readonly PhaseCell[],
  trials: number,
): CurveFigure {
  return {
    kind: 'curves',
    title: `Success by N, n = ${n}, d = ${d}, K = ${K}, noise ${noise}, error ≤ ${threshold}`,
    xLabel: 'points of each component N',
    yLabel: 'share of successes',
    curves: [
      { name: `predicted N = ${boundary}`, x: [boundary, boundary], y: [0, 1], style: 'dashed' },
      {
        name: `${trials} trials`,
        x: cells.map(({ count }) => count),
        y: cells.map(({ success }) => success),
        low: cells.map(({ low }) => low),
        high: cells.map(({ high }) => high),
        style: 'points',
      },
    ],
  };
}
