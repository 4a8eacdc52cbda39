import { kSubspaces } from '../analysis/clustering/k-subspaces.ts';
import { recoveryError } from '../analysis/clustering/recovery.ts';
import { matmul } from '../linalg/matmul.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { lowRankLossAt, trainLowRank } from '../training/low-rank/train.ts';
import type { LowRankTraining, LowRankWatch } from '../training/low-rank/train.ts';
import { equivalencePoints } from './equivalence-points.ts';
import type { EquivalencePoints } from './equivalence-points.ts';
import type { EquivalenceSpec } from './equivalence-spec.ts';
import type { CurveFigure } from './plain-figure.ts';

/** What one way to find subspaces found. */
export interface FoundSubspaces {
  /** Diffusion loss of the network with these subspaces, over the same draws of noise. */
  readonly loss: number;
  /** Share of the points' sum of squares that their best subspace holds: what clustering maximises. */
  readonly energy: number;
  /** `converged`, or why not. */
  readonly status: string;
  /** |P_hat - P|_F from the true subspaces, up to their order, where they are known. */
  readonly error?: readonly number[];
}

/** The low-rank network trained, the points clustered, and both compared; plain data. */
export interface EquivalenceResult {
  readonly data: string;
  readonly points: number;
  readonly dimension: number;
  readonly ranks: readonly number[];
  /** By what the points were divided after their mean was taken off. */
  readonly scale: number;
  readonly seed: number;
  readonly network: FoundSubspaces & {
    /** Norm of the last gradient over the first. */
    readonly residual: number;
    /** Losses of the restarts when one was kept. */
    readonly restarts: readonly number[];
  };
  /** K-subspaces from many starts; of one cluster, principal component analysis. */
  readonly clustering: FoundSubspaces & { readonly method: 'pca' | 'k-subspaces'; readonly cost: number };
  /** |P_network - P_clustering|_F of each pair of subspaces, paired for the least sum of squares. */
  readonly distances: readonly number[];
  /** The largest of them. */
  readonly distance: number;
  /** Share of the points that both put into the same cluster. */
  readonly agreement: number;
  /** Loss and largest distance from the clustered subspaces over the steps of training. */
  readonly curve: readonly { readonly step: number; readonly loss: number; readonly distance: number }[];
}

/** What a run found: plain data, arrays for NPZ, and figures. */
export interface EquivalenceRun {
  readonly result: EquivalenceResult;
  readonly arrays: Readonly<Record<string, Tensor>>;
  readonly figures: Readonly<Record<'loss' | 'distance', CurveFigure>>;
}

/**
 * Trains the low-rank network by its diffusion loss, clusters the same points by subspaces, and compares what both found.
 * @throws whatever data, training and clustering throw: SpecError, DatasetError, DomainError, NumericalError, CancelledError
 * @source Wang et al. 2024, arXiv 2409.02426, Theorems 1 and 3
 */
export async function runEquivalence(spec: EquivalenceSpec, watch: LowRankWatch = {}): Promise<EquivalenceRun> {
  const found = await equivalencePoints(spec);
  const { x, ranks } = found;
  const training = await trainLowRank(x, { ...spec, ranks }, watch);
  const clustering = kSubspaces(x, {
    clusters: ranks.length,
    rank: ranks,
    restarts: Math.max(20, spec.restarts),
    seed: spec.seed,
    signal: watch.signal,
  });
  const { estimateOf, errors, worst } = recoveryError(training.bases, clustering.bases);
  const network = estimateOf.reduce<Tensor<'float64'>[]>((paired, k) => [...paired, training.bases[k] as Tensor<'float64'>], []); // prettier-ignore
  const [ours, theirs] = [assignment(x, network), assignment(x, clustering.bases)];
  const N = x.shape[0] as number;
  const curve = training.history.map(({ step, loss, bases }) => ({
    step,
    loss,
    distance: recoveryError(bases, clustering.bases).worst,
  }));
  const loss = lowRankLossAt(x, clustering.bases, { ...spec, ranks });
  const result: EquivalenceResult = {
    data: found.name,
    points: N,
    dimension: x.shape[1] as number,
    ranks,
    scale: found.scale,
    seed: spec.seed,
    network: { ...describeNetwork(training), energy: ours.energy, ...errorOf(network, found) },
    clustering: {
      method: ranks.length === 1 ? 'pca' : 'k-subspaces',
      loss,
      cost: clustering.cost,
      energy: theirs.energy,
      status: clustering.status,
      ...errorOf(clustering.bases, found),
    },
    distances: [...errors],
    distance: worst,
    agreement: ours.labels.filter((k, i) => k === theirs.labels[i]).length / N,
    curve,
  };
  return { result, arrays: arraysOf(result, found, network, clustering.bases, ours.labels, theirs.labels), figures: figuresOf(result) }; // prettier-ignore
}

function describeNetwork({
  loss,
  status,
  residual,
  restarts,
}: LowRankTraining): Omit<EquivalenceResult['network'], 'energy'> {
  return { loss, status, residual, restarts };
}

function errorOf(bases: readonly Tensor<'float64'>[], { truth }: EquivalencePoints): { error?: number[] } {
  return truth === undefined ? {} : { error: [...recoveryError(bases, truth).errors] };
}

/** The subspace that holds most of each point, and the share of the sum of squares that these hold. */
function assignment(
  x: Tensor<'float64'>,
  bases: readonly Tensor<'float64'>[],
): { readonly labels: Int32Array; readonly energy: number } {
  const N = x.shape[0] as number;
  const labels = new Int32Array(N);
  const most = new Float64Array(N).fill(-1);
  bases.forEach((basis, k) => {
    const d = basis.shape[0] as number;
    const y = matmul(x, basis, { transposeB: true }).data;
    for (let i = 0; i < N; i++) {
      const energy = y.subarray(i * d, (i + 1) * d).reduce((sum, c) => sum + c * c, 0);
      if (energy > (most[i] as number)) [most[i], labels[i]] = [energy, k];
    }
  });
  const total = x.data.reduce((sum, v) => sum + v * v, 0);
  return { labels, energy: most.reduce((a, b) => a + b, 0) / total };
}

function arraysOf(
  { curve }: EquivalenceResult,
  { x, mean }: EquivalencePoints,
  network: readonly Tensor<'float64'>[],
  clustered: readonly Tensor<'float64'>[],
  networkLabels: Int32Array,
  clusteringLabels: Int32Array,
): Record<string, Tensor> {
  const vector = (values: readonly number[]): Tensor => tensor('float64', [values.length], Float64Array.from(values));
  const N = networkLabels.length;
  return {
    points: x,
    mean: tensor('float64', [mean.length], mean),
    ...Object.fromEntries(network.map((basis, k) => [`network_basis_${k}`, basis])),
    ...Object.fromEntries(clustered.map((basis, k) => [`clustering_basis_${k}`, basis])),
    network_labels: tensor('int32', [N], networkLabels),
    clustering_labels: tensor('int32', [N], clusteringLabels),
    step: vector(curve.map(({ step }) => step)),
    loss: vector(curve.map(({ loss }) => loss)),
    distance: vector(curve.map(({ distance }) => distance)),
  };
}

/** Steps are shown on a logarithmic axis, on which the start has no place: it is in the arrays. */
function figuresOf({ curve, clustering, data }: EquivalenceResult): EquivalenceRun['figures'] {
  const shown = curve.filter(({ step }) => step > 0);
  const x = shown.map(({ step }) => step);
  const ends = [x[0] ?? 1, x.at(-1) ?? 1];
  const axes = { kind: 'curves', xLabel: 'training step', xScale: 'log', yScale: 'log' } as const;
  return {
    loss: {
      ...axes,
      title: `Diffusion loss while training, ${data}`,
      yLabel: 'loss',
      curves: [
        { name: 'network', x, y: shown.map(({ loss }) => loss), style: 'line' },
        { name: 'clustered subspaces', x: ends, y: [clustering.loss, clustering.loss], style: 'dashed' },
      ],
    },
    distance: {
      ...axes,
      title: `Distance of learned from clustered subspaces, ${data}`,
      yLabel: 'largest ‖P network − P clustering‖',
      curves: [{ name: 'network', x, y: shown.map(({ distance }) => distance), style: 'line' }],
    },
  };
}
