import { kSubspaces } from '../../analysis/clustering/k-subspaces.ts';
import { recoveryError } from '../../analysis/clustering/recovery.ts';
import { drawProblem } from '../../analysis/clustering/subspace-problem.ts';
import { throwIfAborted } from '../../errors/errors.ts';
import { lowRankDefaults } from '../../training/low-rank/spec.ts';
import type { LowRankSpec } from '../../training/low-rank/spec.ts';
import { trainLowRank } from '../../training/low-rank/train.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const source = 'arXiv 2409.02426, Theorem 3';
const derived = 'derived, checked by simulation';
const [n, d, K] = [48, 3, 2];
const THRESHOLD = 0.5;

/** Success of the soft-max network by stochastic gradient descent, 3 restarts, 10 trials. */
const expectedSuccess = new Map([
  [2, 0],
  [3, 0.1],
  [4, 0.4],
  [5, 0.6],
  [8, 0.9],
  [12, 1],
]);

/** One number of points a component, over the trials. */
interface Row {
  readonly count: number;
  readonly network: number;
  readonly clustering: number;
  /** Largest distance between learned and clustered subspaces among the trials in which both recover; 0 where none does. */
  readonly apart: number;
}

/** Several subspaces learned by the diffusion loss are those of subspace clustering. */
export const clusteringEquivalence: Reproduction = {
  name: 'clustering-equivalence',
  title: 'A low-rank denoiser of two subspaces learns what subspace clustering finds',
  source,
  async run(size, context): Promise<ReproductionResult> {
    const [counts, trials] = size === 'full' ? [[...expectedSuccess.keys()], 10] : [[2, 12], 3];
    const total = (counts.length + 1) * trials;
    const rows: Row[] = [];
    for (const count of counts) {
      rows.push(await measure(count, trials, soft, { ...context, onProgress: (done) => context.onProgress?.(rows.length * trials + done, total) })); // prettier-ignore
    }
    const exact = await measure(12, size === 'full' ? trials : 2, hard, context);
    context.onProgress?.(total, total);
    return {
      claims: [...rows.map(successClaim), orderClaim(rows), ...agreementClaims(rows, exact)],
      figures: { success: successFigure(rows, trials) },
      values: { n, d, K, trials, threshold: THRESHOLD, rows, hardMax: exact },
      notes: [
        'Success: largest error of a subspace at most 0.5, no residual noise; threshold and optimiser of the paper are not known.',
        'The network keeps the best of 3 starts after a quarter of 400 steps; noise orthogonal to the subspaces is integrated.',
      ],
    };
  },
};

const soft: Omit<LowRankSpec, 'ranks' | 'seed'> = lowRankDefaults;
const hard: Omit<LowRankSpec, 'ranks' | 'seed'> = {
  ...lowRankDefaults,
  weights: 'hard-max',
  steps: 8000,
  rate: 0.8,
  decay: Infinity,
  restarts: 4,
};

async function measure(
  count: number,
  trials: number,
  training: Omit<LowRankSpec, 'ranks' | 'seed'>,
  { seed, signal, onProgress }: TopicContext,
): Promise<Row> {
  let [network, clustering, apart] = [0, 0, 0];
  for (let t = 0; t < trials; t++) {
    throwIfAborted('clustering-equivalence', signal);
    const { points, truth } = drawProblem({ n, d, N: count, components: K, noise: 0, seed: seed + t });
    const ranks = truth.map(() => d);
    const learned = await trainLowRank(points, { ...training, ranks, seed: seed + t }, { signal, history: false });
    const clustered = kSubspaces(points, { clusters: K, rank: d, restarts: 20, seed: seed + t, signal });
    const won = recoveryError(learned.bases, truth).worst <= THRESHOLD;
    const found = recoveryError(clustered.bases, truth).worst <= THRESHOLD;
    network += Number(won) / trials;
    clustering += Number(found) / trials;
    if (won && found) apart = Math.max(apart, recoveryError(learned.bases, clustered.bases).worst);
    onProgress?.(t + 1, trials);
  }
  return { count, network, clustering, apart };
}

function successClaim({ count, network }: Row): ClaimResult {
  const expected = expectedSuccess.get(count) as number;
  // Ten trials stray by 0.16 (one standard error at a half), and another optimiser moves the line by about a point.
  const [low, high] = [Math.max(0, expected - 0.35), Math.min(1, expected + 0.35)];
  return between(`success of the soft-max network, N = ${count}`, network, low, high, derived, `${expected} ± 0.35`);
}

/** The network's boundary lies to the right: on the same points, clustering succeeds no less often. */
function orderClaim(rows: readonly Row[]): ClaimResult {
  const lead = rows.reduce((sum, { network, clustering }) => sum + clustering - network, 0) / rows.length;
  return between('success of clustering minus that of the network, mean', lead, 0, 1, derived, 'at least 0');
}

function agreementClaims(rows: readonly Row[], exact: Row): ClaimResult[] {
  const apart = Math.max(...rows.map((row) => row.apart));
  return [
    between(
      'distance of soft-max subspaces from clustered ones where both recover',
      apart,
      0,
      0.3,
      source,
      'below 0.3',
    ),
    between('success of the hard-max network, N = 12', exact.network, 0.5, 1, derived, 'at least 0.5'),
    between('distance of hard-max subspaces from clustered ones', exact.apart, 0, 1e-6, source, '0 (below 1e-6)'),
  ];
}

function successFigure(rows: readonly Row[], trials: number): NonNullable<ReproductionResult['figures']>[string] {
  const x = rows.map(({ count }) => count);
  return {
    kind: 'curves',
    title: `Two subspaces, n = ${n}, d = ${d}: recovery by number of points, ${trials} trials`,
    xLabel: 'points of each component N',
    yLabel: 'share of successes',
    curves: [
      { name: 'network', x, y: rows.map(({ network }) => network), style: 'line' },
      { name: 'K-subspaces', x, y: rows.map(({ clustering }) => clustering), style: 'line' },
      { name: 'network, expected from an earlier simulation', x, y: x.map((count) => expectedSuccess.get(count) as number), style: 'points' }, // prettier-ignore
    ],
  };
}
