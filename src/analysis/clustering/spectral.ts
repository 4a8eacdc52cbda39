import { DomainError } from '../../errors/errors.ts';
import { eigh } from '../../linalg/eigh.ts';
import type { LinearOperator } from '../../linalg/operator.ts';
import { leadingTriplets } from '../../linalg/triplets.ts';
import type { TripletStatus } from '../../linalg/triplets.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { countComponents, degrees } from './affinity.ts';
import { kMeans } from './k-means.ts';
import type { SparseRows } from './sparse-rows.ts';
import { unitRows } from './unit-rows.ts';
import { turn } from './watch.ts';
import type { Watch } from './watch.ts';

/** Options of `spectralClustering`. */
export interface SpectralOptions extends Watch {
  /** K, 1 <= K <= N. */
  readonly clusters: number;
  /** Starts of k-means, default 20. */
  readonly restarts?: number;
  readonly seed?: number;
}

/** Clusters of a graph. */
export interface SpectralClusters {
  /** [N], 0 to K - 1, numbered by first appearance. */
  readonly labels: Int32Array;
  /** [K], leading eigenvalues of the normalized affinity, descending, at most 1. */
  readonly eigenvalues: Float64Array;
  /** Largest |S v - mu v| of those: each mu is within it of an eigenvalue. */
  readonly residual: number;
  /** Of the eigenvectors; `converged` also where they were computed densely. */
  readonly status: TripletStatus;
  /** Connected components of the graph; more than K, and which of them share a label is chance. */
  readonly components: number;
  /** Samples without an edge: their labels mean nothing. */
  readonly isolated: number;
}

/** Up to this size all eigenvectors are computed densely. */
const DENSE = 400;
/** The operator's power at most: gaps near 1 grow by as much, at the price of sparse products. */
const POWER = 32;
/** Power times entries a row; beyond it products cost more than the sweeps that they spare. */
const WORK = 500;
/** Vectors beyond K, as the gap behind the K-th eigenvalue is small on real data. */
const OVERSAMPLE = 10;

/**
 * Normalized spectral clustering: leading K eigenvectors of S = D^-1/2 W D^-1/2, their rows scaled to unit length, k-means on those.
 * @param affinity  W [N, N], symmetric, values >= 0, no diagonal; not consumed
 * @throws DomainError on bad options; CancelledError
 * @precision eigenvectors to 1e-3 of the gap (large N, see `residual`), to rounding for N <= 400
 * @source Ng, Jordan, Weiss 2002, On spectral clustering
 */
export async function spectralClustering(affinity: SparseRows, options: SpectralOptions): Promise<SpectralClusters> {
  const { clusters: K, restarts = 20, seed = 0, signal } = options;
  if (!Number.isInteger(K) || K < 1 || K > affinity.size) {
    throw new DomainError(
      'spectralClustering',
      `expected whole clusters from 1 to the ${affinity.size} samples, got ${K}.`,
    );
  }
  const normalized = normalize(affinity);
  await turn('spectralClustering', { signal }, 0, 1);
  const { vectors, status } =
    affinity.size <= DENSE
      ? { vectors: denseVectors(normalized, K), status: 'converged' as const }
      : await sparseVectors(normalized, K, seed, signal);
  const { eigenvalues, residual } = measure(normalized, vectors);
  const embedding = unitRows('spectralClustering', transposed(vectors));
  const { labels } = await kMeans(embedding, { clusters: K, restarts, seed, signal, onProgress: options.onProgress });
  const isolated = degrees(affinity).filter((d) => d === 0).length;
  const components = countComponents(affinity);
  return { labels: byAppearance(labels), eigenvalues, residual, status, components, isolated };
}

/** Labels renumbered 0, 1, ... in the order in which they first appear. */
export function byAppearance(labels: Int32Array): Int32Array {
  const names = new Map<number, number>();
  return labels.map((label) => {
    const known = names.get(label);
    if (known !== undefined) return known;
    names.set(label, names.size);
    return names.size - 1;
  });
}

function normalize(affinity: SparseRows): SparseRows {
  const scale = degrees(affinity).map((d) => (d > 0 ? 1 / Math.sqrt(d) : 0));
  const values = affinity.values.slice();
  for (let i = 0; i < affinity.size; i++) {
    for (let e = affinity.starts[i] as number; e < (affinity.starts[i + 1] as number); e++) {
      values[e] = (values[e] as number) * (scale[i] as number) * (scale[affinity.columns[e] as number] as number);
    }
  }
  return { ...affinity, values };
}

function denseVectors(s: SparseRows, K: number): Tensor<'float64'> {
  const dense = new Float64Array(s.size * s.size);
  for (let i = 0; i < s.size; i++) {
    for (let e = s.starts[i] as number; e < (s.starts[i + 1] as number); e++) {
      dense[i * s.size + (s.columns[e] as number)] = s.values[e] as number;
    }
  }
  return slice(eigh(tensor('float64', [s.size, s.size], dense)).vectors, 0, K);
}

/**
 * Leading eigenvectors as the leading singular vectors of ((I + S) / 2)^p: the shift makes all eigenvalues those of a positive
 * operator, as singular values know no sign, and the power spreads those near 1.
 */
async function sparseVectors(
  s: SparseRows,
  K: number,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<{ vectors: Tensor<'float64'>; status: TripletStatus }> {
  const power = Math.min(POWER, Math.max(1, Math.round((WORK * s.size) / Math.max(1, s.values.length))));
  const apply = async (x: FloatTensor): Promise<FloatTensor> => {
    let y = Float64Array.from(x.data);
    for (let step = 0; step < power; step++) {
      const image = product(s, y);
      y = y.map((v, i) => (v + (image[i] as number)) / 2);
    }
    await turn('spectralClustering', { signal }, 0, 1);
    return tensor('float64', x.shape, y);
  };
  const size = { rows: s.size, columns: s.size };
  const operator: LinearOperator = { ...size, epsilon: power * Number.EPSILON, apply, applyTranspose: apply };
  const oversample = Math.min(OVERSAMPLE, s.size - K);
  const found = await leadingTriplets(operator, {
    rank: K,
    oversample,
    seed,
    tolerance: 1e-3,
    maxSweeps: 60,
    ...(signal && { signal }),
  });
  return { vectors: found.right, status: found.status };
}

/** Rows of the result are S times the rows of `x`. */
function product(s: SparseRows, x: Float64Array): Float64Array {
  const y = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += s.size) {
    for (let i = 0; i < s.size; i++) {
      let sum = 0;
      const end = s.starts[i + 1] as number;
      for (let e = s.starts[i] as number; e < end; e++) {
        sum += (s.values[e] as number) * (x[at + (s.columns[e] as number)] as number);
      }
      y[at + i] = sum;
    }
  }
  return y;
}

/** Rayleigh quotients, descending as the vectors come, and the largest residual. */
function measure(s: SparseRows, vectors: Tensor<'float64'>): { eigenvalues: Float64Array; residual: number } {
  const n = s.size;
  const images = product(s, vectors.data);
  let residual = 0;
  const eigenvalues = Float64Array.from({ length: vectors.shape[0] as number }, (_, k) => {
    const [v, image] = [vectors.data.subarray(k * n, (k + 1) * n), images.subarray(k * n, (k + 1) * n)];
    const mu = v.reduce((sum, value, i) => sum + value * (image[i] as number), 0);
    residual = Math.max(
      residual,
      Math.sqrt(v.reduce((sum, value, i) => sum + ((image[i] as number) - mu * value) ** 2, 0)),
    );
    return mu;
  });
  return { eigenvalues, residual };
}

function transposed({ shape, data }: Tensor<'float64'>): Tensor<'float64'> {
  const [rows, columns] = shape as [number, number];
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j] as number;
  return tensor('float64', [columns, rows], out);
}
