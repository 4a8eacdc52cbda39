import { matchedAccuracy, normalizedMutualInformation } from '../../analysis/clustering/metrics.ts';
import { clusterBySubspaces, clusterMethods } from '../../analysis/clustering/subspace-clustering.ts';
import type { ClusterMethod } from '../../analysis/clustering/subspace-clustering.ts';
import { unionOfSubspaces } from '../../analysis/clustering/union-of-subspaces.ts';
import type { Dataset } from '../../data/dataset.ts';
import { subset } from '../../data/dataset.ts';
import { permutation, randomKey } from '../../tensor/random.ts';
import { trialMean } from '../../theory/trials.ts';
import type { TrialMean } from '../../theory/trials.ts';
import { hasYaleB, openYaleB, YALE_B_VARIABLE } from '../../data/yale-b.ts';
import { resolveClusterSpec } from '../cluster-spec.ts';
import { runCluster } from '../cluster.ts';
import type { ClusterResult } from '../cluster.ts';
import type { CurveFigure } from '../plain-figure.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between, near } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const PAPER =
  'You, Robinson, Vidal 2016, arXiv 1507.01238, table 2 (figures as remembered, not checked against the paper)';
const PEER = 'bench/clustering: scikit-learn and SciPy on the same pixels';
const INDEPENDENT = 'You, Robinson, Vidal 2016, arXiv 1507.01238, theorem 1';

/** Mean accuracy of the peer over five seeds, 32 x 32, sparsity 5; bench/clustering/README.md. */
const PEER_ACCURACY = 0.8342;
/** SSC-OMP on 48 x 42 pixels, by number of persons. */
const published = [
  { persons: 2, accuracy: 0.9918 },
  { persons: 10, accuracy: 0.8609 },
  { persons: 20, accuracy: 0.8155 },
  { persons: 38, accuracy: 0.7759 },
] as const;
/** How far pixels that were resized otherwise may fall below the published figure. */
const MARGIN = 0.03;
const SEEDS = 5;
const TRIALS = 10;
const PERSONS = 38;

/** Subspace clustering of faces under changing light, against a Python peer and the published figures. */
export const yaleB: Reproduction = {
  name: 'yale-b',
  title: 'Subspace clustering of the Extended Yale B faces',
  source: 'You, Robinson, Vidal 2016, arXiv 1507.01238; Extended Yale B: Georghiades et al. 2001',
  async run(size, context): Promise<ReproductionResult> {
    const synthetic = await independentSubspaces(context);
    if (size === 'tiny') return { claims: synthetic, values: {}, notes: [] };
    if (!(await hasYaleB('yale-b')) || !(await hasYaleB('yale-b-48x42'))) {
      const note = `Skipped the faces: ${YALE_B_VARIABLE} names no folder that holds them.`;
      return { claims: synthetic, values: {}, notes: [note] };
    }
    const faces = await realFaces(context);
    return { ...faces, claims: [...synthetic, ...faces.claims] };
  },
};

/** Where subspaces are independent, no coefficient leaves its own, and every method is right. */
async function independentSubspaces({ seed, signal }: TopicContext): Promise<ClaimResult[]> {
  const { points, labels } = unionOfSubspaces({ K: 4, d: 4, n: 24, perCluster: 40 }, seed);
  const claims: ClaimResult[] = [];
  for (const method of clusterMethods) {
    const options = { method, clusters: 4, rank: 4, sparsity: 8, restarts: 10, seed, signal };
    const found = await clusterBySubspaces(points, options);
    const { accuracy } = matchedAccuracy(found.labels, labels);
    claims.push(near(`${method}: accuracy on 4 independent subspaces of dimension 4`, accuracy, 1, 0, INDEPENDENT));
    const nmi = normalizedMutualInformation(labels, found.labels);
    claims.push(near(`${method}: normalized mutual information`, nmi, 1, 1e-12, INDEPENDENT));
    if (method !== 'ssc-omp' || found.affinity === undefined) continue;
    const { starts, columns } = found.affinity;
    let leaving = 0;
    labels.forEach((label, i) => {
      leaving += columns.subarray(starts[i], starts[i + 1]).filter((j) => labels[j] !== label).length;
    });
    claims.push(near('ssc-omp: affinities between different subspaces', leaving, 0, 0, INDEPENDENT));
  }
  return claims;
}

async function realFaces(context: TopicContext): Promise<ReproductionResult> {
  const { seed, onProgress } = context;
  const [small, large] = [await openYaleB('yale-b'), await openYaleB('yale-b-48x42')];
  const total = published.reduce((sum, { persons }) => sum + trialsOf(persons), SEEDS + clusterMethods.length - 1);
  let done = 0;
  const run = async (data: Dataset, method: ClusterMethod, runSeed: number): Promise<ClusterResult> => {
    onProgress?.(done++, total);
    // Three neighbours and one start are what suits the other two here: more neighbours link persons, and more starts take minutes.
    const choice = method === 'tsc' ? { sparsity: 3 } : method === 'k-subspaces' ? { restarts: 1 } : {};
    const spec = resolveClusterSpec({ data: data.name, method, rank: 9, seed: runSeed, ...choice });
    return (await runCluster(spec, { data, signal: context.signal })).result;
  };
  const all: ClusterResult[] = [];
  for (let s = 0; s < SEEDS; s++) all.push(await run(small, 'ssc-omp', seed + s));
  const others: ClusterResult[] = [];
  for (const method of clusterMethods.slice(1)) others.push(await run(small, method, seed));
  const subsets: { persons: number; measured: TrialMean }[] = [];
  for (const { persons } of published) {
    const accuracies: number[] = [];
    for (let trial = 0; trial < trialsOf(persons); trial++) {
      accuracies.push((await run(ofPersons(large, persons, seed + trial), 'ssc-omp', seed + trial)).accuracy as number);
    }
    subsets.push({ persons, measured: trialMean(accuracies) });
  }
  onProgress?.(total, total);
  const accuracy = trialMean(all.map((r) => r.accuracy as number));
  const seconds = Math.max(...all.map((r) => r.wallMs)) / 1000;
  return {
    claims: claimsOf(accuracy, seconds, subsets),
    figures: { accuracy: figureOf(subsets) },
    values: {
      persons38: { accuracy, nmi: trialMean(all.map((r) => r.nmi as number)), seconds },
      otherMethods: others.map(({ spec, accuracy: a, nmi, cost, status }) => ({
        spec,
        accuracy: a,
        nmi,
        cost,
        status,
      })),
      subsets,
      published,
      peer: PEER_ACCURACY,
    },
    notes: [
      'Pixels, black at 0, scaled to unit length, no projection; sparsity 5; eigenvectors of |C| + |C|^T normalized; 20 starts of k-means.',
      `Intervals are those of the mean over ${TRIALS} draws of persons by seeds (of the starts alone where all 38 are taken).`,
      'Two persons may be cut by the light instead: a trial in ten or so is right for half the images only.',
      'The paper leaves out 18 spoilt images of 48 x 42 that are kept here. Its choice of sparsity is not known; 5 is taken.',
    ],
  };
}

/** Where all persons are taken, the seed decides the starts alone. */
function trialsOf(persons: number): number {
  return persons < PERSONS ? TRIALS : SEEDS;
}

/** All images of some persons, drawn by the seed. */
function ofPersons(data: Dataset, persons: number, seed: number): Dataset {
  const names = [...new Set(data.labels)];
  const drawn = permutation(randomKey(seed, 'yale-b', persons), PERSONS).slice(0, persons);
  const chosen = new Set(Array.from(drawn, (at) => names[at]));
  const indices = Array.from({ length: data.count }, (_, i) => i).filter((i) => chosen.has(data.labels?.[i]));
  return subset(data, { indices }, data.name);
}

function claimsOf(
  accuracy: TrialMean,
  seconds: number,
  subsets: readonly { persons: number; measured: TrialMean }[],
): ClaimResult[] {
  return [
    near(`ssc-omp: accuracy on 38 persons, 32 x 32, mean of ${SEEDS} seeds`, accuracy.mean, PEER_ACCURACY, 0.03, PEER),
    between('ssc-omp: seconds on 2,414 x 1,024, the slowest', seconds, 0, 60, 'requirement: 60 s on two cores'),
    ...subsets.map(({ persons, measured }, at) => {
      const claim = `ssc-omp: accuracy on ${persons} persons, 48 x 42, mean of ${measured.trials} trials`;
      const expected = published[at]?.accuracy as number;
      const least = expected - MARGIN - 1.96 * measured.standardError;
      return between(claim, measured.mean, least, 1, PAPER, `${expected} or more, less ${MARGIN} and the interval`);
    }),
  ];
}

function figureOf(subsets: readonly { persons: number; measured: TrialMean }[]): CurveFigure {
  const x = subsets.map(({ persons }) => persons);
  return {
    kind: 'curves',
    title: 'Accuracy of SSC-OMP on Extended Yale B, 48 x 42',
    xLabel: 'persons',
    yLabel: 'accuracy',
    curves: [
      {
        name: 'measured',
        x,
        y: subsets.map(({ measured }) => measured.mean),
        low: subsets.map(({ measured }) => measured.low),
        high: subsets.map(({ measured }) => measured.high),
        style: 'points',
      },
      { name: 'published', x, y: published.map((row) => row.accuracy), style: 'dashed' },
    ],
  };
}
