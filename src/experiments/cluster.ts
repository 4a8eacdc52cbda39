import { matchedAccuracy, normalizedMutualInformation } from '../analysis/clustering/metrics.ts';
import { clusterBySubspaces } from '../analysis/clustering/subspace-clustering.ts';
import type { SubspaceClusters } from '../analysis/clustering/subspace-clustering.ts';
import type { Dataset } from '../data/dataset.ts';
import { DomainError, SpecError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { leadingSvd } from '../linalg/svd.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { assertFinite, castFloat, reshape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { ClusterSpec } from './cluster-spec.ts';

/** One cluster that was found. */
export interface ClusterRow {
  readonly cluster: number;
  readonly size: number;
  /** Dimension of its subspace. */
  readonly rank: number;
  /** Share of the squares of its unit samples inside that subspace. */
  readonly captured: number;
  /** Class matched with it, and the share of its members of that class. */
  readonly class?: { readonly label: number; readonly name: string; readonly share: number };
}

/** What `cluster` found, as plain data. */
export interface ClusterResult {
  readonly spec: ClusterSpec;
  readonly dataset: {
    readonly name: string;
    readonly count: number;
    readonly of: number;
    readonly sampleShape: readonly number[];
  };
  readonly clusters: number;
  /** What was done to the samples, in order. */
  readonly preprocessing: readonly string[];
  readonly status: string;
  /** Mean squared distance of a unit sample from the subspace of its cluster. */
  readonly cost: number;
  readonly rows: readonly ClusterRow[];
  /** Under the best one-to-one matching of clusters and classes; where the data has labels. */
  readonly accuracy?: number;
  /** Mutual information over the arithmetic mean of the entropies; where the data has labels. */
  readonly nmi?: number;
  /** Of the affinity; SSC-OMP and TSC only. */
  readonly graph?: {
    readonly eigenvalues: readonly number[];
    readonly residual: number;
    readonly components: number;
    readonly isolated: number;
  };
  readonly notes: readonly string[];
  readonly wallMs: number;
}

/** Arrays of one `cluster`, for NPZ. */
export interface ClusterArrays {
  readonly [name: string]: Tensor;
  /** [N] */
  readonly labels: Tensor<'int32'>;
  /** [N], places of the samples in the data set. */
  readonly indices: Tensor<'int32'>;
  /** [K, rank, n], orthonormal rows, in the coordinates of the samples. */
  readonly bases: Tensor<'float64'>;
}

/** A finished `cluster`. */
export interface ClusterRun {
  readonly result: ClusterResult;
  readonly arrays: ClusterArrays;
  readonly found: SubspaceClusters;
}

/** What a run is given besides its spec. */
export interface ClusterContext {
  readonly data: Dataset;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((phase: string, done: number, total: number) => void) | undefined;
}

/**
 * Clusters the samples of a data set by subspaces and, where it has labels, scores the clusters.
 * @throws SpecError where the number of clusters is not known; DomainError on sizes that do not fit the data; NumericalError; CancelledError
 */
export async function runCluster(spec: ClusterSpec, context: ClusterContext): Promise<ClusterRun> {
  const started = performance.now();
  const { data, signal, onProgress } = context;
  const indices = chosenSamples(spec, data.count);
  const classes = data.labels && indices.map((i) => (data.labels as Int32Array)[i] as number);
  const clusters = spec.clusters ?? (classes && new Set(classes).size);
  if (clusters === undefined) {
    throw new SpecError('cluster', `${data.name} has no labels to count the clusters by. Add --clusters K.`);
  }
  const dimension = sizeOf(data.sampleShape);
  checkSizes(spec, clusters, indices.length, dimension);
  const prepared = prepare(spec, data, castFloat(await data.read(indices), 'float64'), dimension);
  const found = await clusterBySubspaces(prepared.points, { ...spec, clusters, signal, onProgress });
  const scored = classes && score(found, classes, data.classNames);
  const { count, sampleShape, name } = data;
  const notes = notesOf(found, prepared.zeros, clusters, data.note);
  const result: ClusterResult = {
    spec,
    dataset: { name, count: indices.length, of: count, sampleShape },
    clusters,
    preprocessing: prepared.steps,
    status: found.status,
    cost: found.subspaces.cost,
    rows: rowsOf(found, scored?.classOf),
    ...(scored && { accuracy: scored.accuracy, nmi: scored.nmi }),
    ...(found.spectral && {
      graph: {
        eigenvalues: [...found.spectral.eigenvalues],
        residual: found.spectral.residual,
        components: found.spectral.components,
        isolated: found.spectral.isolated,
      },
    }),
    notes,
    wallMs: performance.now() - started,
  };
  return { result, arrays: arraysOf(found, indices, classes, prepared.basis), found };
}

function chosenSamples({ samples, seed }: ClusterSpec, count: number): Int32Array {
  if (samples === undefined || samples === count) return Int32Array.from({ length: count }, (_, i) => i);
  if (samples > count)
    throw new DomainError('cluster', `expected at most the ${count} samples of the data, got ${samples}.`);
  return permutation(randomKey(seed, 'cluster samples'), count).slice(0, samples).sort();
}

function checkSizes(spec: ClusterSpec, clusters: number, count: number, dimension: number): void {
  if (clusters > count) {
    throw new DomainError('cluster', `expected at most as many clusters as the ${count} samples, got ${clusters}.`);
  }
  const most = Math.min(count, dimension);
  if (spec.project !== undefined && spec.project > most) {
    throw new DomainError(
      'cluster',
      `expected a projection on at most ${most} components (${count} samples, dimension ${dimension}), got ${spec.project}.`,
    );
  }
  const width = spec.project ?? dimension;
  if (spec.rank > width) {
    throw new DomainError('cluster', `expected a rank up to the dimension ${width} of the samples, got ${spec.rank}.`);
  }
  if (spec.method !== 'k-subspaces' && spec.sparsity >= count) {
    throw new DomainError('cluster', `expected a sparsity below the number of samples ${count}, got ${spec.sparsity}.`);
  }
}

interface Prepared {
  readonly points: Tensor<'float64'>;
  /** [project, n], where projected. */
  readonly basis?: Tensor<'float64'>;
  readonly zeros: number;
  readonly steps: readonly string[];
}

/** Subspaces contain the origin: for images it is black, where every lighting of a face meets; for points it is as given. */
function prepare(spec: ClusterSpec, data: Dataset, x: Tensor<'float64'>, dimension: number): Prepared {
  const count = x.shape[0] as number;
  assertFinite('cluster', x, 'Remove these samples.');
  if (count > 1 && x.data.every((v, at) => v === x.data[at % dimension])) {
    throw new DomainError('cluster', `expected samples of ${data.name} that differ, got all equal. Use other samples.`);
  }
  let points = reshape({ ...x, data: x.data.slice() }, [count, dimension]);
  const steps: string[] = [];
  if (data.sampleShape.length > 1) {
    for (let i = 0; i < points.data.length; i++) points.data[i] = (points.data[i] as number) - data.range.low;
    steps.push('black moved to the origin');
  }
  if (spec.center) {
    subtractMean(points);
    steps.push('mean subtracted');
  }
  let basis: Tensor<'float64'> | undefined;
  if (spec.project !== undefined) {
    basis = leadingSvd(points, spec.project).v;
    points = matmul(points, basis, { transposeB: true });
    steps.push(`projected on the ${spec.project} leading principal components about the origin`);
  }
  steps.push('scaled to unit length');
  const n = points.shape[1] as number;
  const zeros = Array.from({ length: count }, (_, i) => points.data.subarray(i * n, (i + 1) * n)).filter((row) =>
    row.every((v) => v === 0),
  ).length;
  return { points, ...(basis && { basis }), zeros, steps };
}

function subtractMean({ shape, data }: Tensor<'float64'>): void {
  const [count, n] = shape as [number, number];
  const mean = new Float64Array(n);
  data.forEach((v, at) => (mean[at % n] = (mean[at % n] as number) + v / count));
  for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) - (mean[at % n] as number);
}

interface Score {
  readonly accuracy: number;
  readonly nmi: number;
  readonly classOf: ReadonlyMap<number, NonNullable<ClusterRow['class']>>;
}

function score({ labels }: SubspaceClusters, classes: Int32Array, names: readonly string[] | undefined): Score {
  const matched = matchedAccuracy(labels, classes);
  const classOf = new Map<number, NonNullable<ClusterRow['class']>>();
  for (const [cluster, label] of matched.classOf) {
    const members = classes.filter((_, i) => labels[i] === cluster);
    const share = members.filter((c) => c === label).length / members.length;
    classOf.set(cluster, { label, name: names?.[label] ?? String(label), share });
  }
  return { accuracy: matched.accuracy, nmi: normalizedMutualInformation(classes, labels), classOf };
}

function rowsOf({ subspaces }: SubspaceClusters, classOf: Score['classOf'] | undefined): ClusterRow[] {
  return Array.from(subspaces.sizes, (size, cluster) => {
    const matched = classOf?.get(cluster);
    const [rank, captured] = [subspaces.ranks[cluster] as number, subspaces.captured[cluster] as number];
    return { cluster, size, rank, captured, ...(matched && { class: matched }) };
  });
}

function notesOf(found: SubspaceClusters, zeros: number, clusters: number, note: string | undefined): string[] {
  const notes = note === undefined ? [] : [note];
  if (zeros > 0) {
    const who = zeros === 1 ? '1 sample is zero and lies' : `${zeros} samples are zero and lie`;
    notes.push(`${who} in every subspace: the clusters of such samples mean nothing.`);
  }
  const parts = found.spectral?.components ?? 0;
  if (parts > clusters) {
    notes.push(
      `The affinity falls into ${parts} parts for ${clusters} clusters; which share a cluster is chance. Raise --sparsity.`,
    );
  }
  const empty = found.subspaces.sizes.filter((size) => size === 0).length;
  if (empty > 0) notes.push(`${empty} clusters are empty: the samples do not ask for so many.`);
  if (found.status !== 'converged') notes.push(`The iteration ended as ${found.status}: see the residual.`);
  return notes;
}

function arraysOf(
  { labels, subspaces, affinity }: SubspaceClusters,
  indices: Int32Array,
  classes: Int32Array | undefined,
  basis: Tensor<'float64'> | undefined,
): ClusterArrays {
  const vector = (data: Int32Array): Tensor<'int32'> => tensor('int32', [data.length], data);
  const [K, rank, n] = subspaces.bases.shape as [number, number, number];
  const lifted = basis && matmul(reshape(subspaces.bases, [K * rank, n]), basis);
  return {
    labels: vector(labels),
    indices: vector(indices),
    bases: lifted ? reshape(lifted, [K, rank, lifted.shape[1] as number]) : subspaces.bases,
    ...(classes && { classes: vector(classes) }),
    ...(affinity && {
      affinity_starts: vector(affinity.starts),
      affinity_columns: vector(affinity.columns),
      affinity_values: tensor('float64', [affinity.values.length], affinity.values),
    }),
  };
}
