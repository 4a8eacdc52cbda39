import { DomainError } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import type { SymmetricEigen } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import { leadingSvd } from '../linalg/svd.ts';
import { slice, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { TrainingSet } from './training-set.ts';
import { normalOf, substream, wishartRows } from './wishart.ts';
import type { Stream } from './wishart.ts';

/** The noise that a linear denoiser is trained with. */
export interface TrainingNoise {
  /** Noise level > 0, data units. */
  readonly sigma: number;
  /** Noise draws per sample m >= 1; Infinity averages over the noise exactly. */
  readonly draws: number;
  readonly stream: Stream;
}

/** What n samples with m noise draws each say at one noise level. */
export interface LearnedLinear {
  readonly dimension: number;
  /** Principal components of the noisy samples: values descending, vectors as rows. */
  readonly eigen: SymmetricEigen;
  /** [p, p], mean of x0 y^T over clean x0 and noisy y. */
  readonly cross: Tensor<'float64'>;
}

/**
 * Learns from noisy samples y = x0 + sigma e what any linear denoiser needs: their covariance and its product with the clean samples.
 * The noise is drawn exactly in law at a cost independent of n and m: a rotation of the n m samples leaves noise on the k rows that hold
 * all of the data, and noise alone on the others, which enter by their scatter.
 * @throws DomainError for sigma or draws outside their domain
 */
export function learnLinear(set: TrainingSet, noise: TrainingNoise): LearnedLinear {
  const { dimension } = set;
  checkNoise(noise);
  if (noise.draws === Infinity) {
    const clean = scaled(matmul(set.root, set.root, { transposeA: true }), 1 / set.count);
    const covariance = tensor('float64', clean.shape, clean.data.slice());
    for (let i = 0; i < dimension; i++) covariance.data[i * (dimension + 1)]! += noise.sigma ** 2;
    return { dimension, eigen: eigh(covariance), cross: clean };
  }
  const { clean, noisy } = rotatedSamples(set, noise);
  const signal = slice(noisy, 0, clean.shape[0] as number);
  return {
    dimension,
    eigen: eigh(matmul(noisy, noisy, { transposeA: true })),
    cross: matmul(clean, signal, { transposeA: true }),
  };
}

/**
 * Leading principal components of the noisy samples alone, for a fraction of the time of `learnLinear`.
 * @returns values of the sample covariance, descending, and [rank, p] unit vectors as rows; signs are as they come
 * @throws as `learnLinear`; DomainError for a rank above min(p, n m)
 */
export function leadingDirections(
  set: TrainingSet,
  noise: TrainingNoise,
  rank: number,
): { values: Float64Array; vectors: Tensor<'float64'> } {
  checkNoise(noise);
  if (noise.draws === Infinity) {
    const { eigen } = learnLinear(set, noise);
    checkRank('leadingDirections', rank, set.dimension);
    return { values: eigen.values.slice(0, rank), vectors: slice(eigen.vectors, 0, rank) };
  }
  const { values, v } = leadingSvd(rotatedSamples(set, noise).noisy, rank);
  return { values: values.slice(0, rank).map((s) => s * s), vectors: v };
}

/**
 * The projection V^T V onto the `rank` leading principal components of the noisy samples: the linear denoiser of low-rank data.
 * @returns [p, p], symmetric
 * @throws DomainError for a rank outside 1 to p
 */
export function pcaProjection({ dimension, eigen }: LearnedLinear, rank: number): Tensor<'float64'> {
  checkRank('pcaProjection', rank, dimension);
  const leading = slice(eigen.vectors, 0, rank);
  return matmul(leading, leading, { transposeA: true });
}

/** A linear denoiser learned by least squares. */
export interface LearnedWiener {
  /** [p, p], applied as W y. */
  readonly matrix: Tensor<'float64'>;
  /** Directions that the noisy samples do not span and in which W is 0; more than none only for n m < p. */
  readonly unseen: number;
}

/**
 * The regression of clean on noisy samples, W = (sum x0 y^T) (sum y y^T)^-1, of least norm where the samples do not determine it.
 * @precision relative eps times the condition number of the noisy covariance, which the noise keeps near (lam_1 + sigma^2) / sigma^2
 * @source theory.md E3.3 with clean targets
 */
export function wienerFilter({ dimension, eigen, cross }: LearnedLinear): LearnedWiener {
  const floor = (eigen.values[0] as number) * dimension * Number.EPSILON;
  const seen = eigen.values.filter((value) => value > floor).length;
  const basis = slice(eigen.vectors, 0, seen);
  const coefficients = matmul(cross, basis, { transposeB: true });
  for (let i = 0; i < coefficients.data.length; i++) {
    coefficients.data[i] = (coefficients.data[i] as number) / (eigen.values[i % seen] as number);
  }
  return { matrix: matmul(coefficients, basis), unseen: dimension - seen };
}

/**
 * Squared cosine of each learned basis vector with the true direction of the same index.
 * @param vectors  [k, p] unit rows in the coordinates of the true directions
 * @returns [k]
 */
export function alignments(vectors: Tensor<'float64'>): Float64Array {
  const [k, p] = vectors.shape as [number, number];
  return Float64Array.from({ length: Math.min(k, p) }, (_, i) => (vectors.data[i * p + i] as number) ** 2);
}

/** Rows whose scatters have the law of those of the n m clean and noisy samples, divided by n m. */
function rotatedSamples(
  { dimension, count, root }: TrainingSet,
  { sigma, draws, stream }: TrainingNoise,
): { clean: Tensor<'float64'>; noisy: Tensor<'float64'> } {
  const rows = root.shape[0] as number;
  const total = count * draws;
  const clean = scaled(root, 1 / Math.sqrt(count));
  const along = normalOf(substream(stream, 'along'), [rows, dimension]);
  const beside = wishartRows(substream(stream, 'beside'), dimension, total - rows);
  const scale = sigma / Math.sqrt(total);
  const noisy = new Float64Array(root.data.length + beside.data.length);
  clean.data.forEach((x, i) => (noisy[i] = x + scale * (along.data[i] as number)));
  beside.data.forEach((e, i) => (noisy[root.data.length + i] = scale * e));
  return { clean, noisy: tensor('float64', [rows + (beside.shape[0] as number), dimension], noisy) };
}

function scaled(x: Tensor<'float64'>, factor: number): Tensor<'float64'> {
  return tensor(
    'float64',
    x.shape,
    x.data.map((value) => factor * value),
  );
}

function checkNoise({ sigma, draws }: TrainingNoise): void {
  if (!(sigma > 0 && sigma < Infinity)) {
    throw new DomainError('learned linear denoiser', `expected a noise level > 0 and finite, got ${sigma}.`);
  }
  if (!(draws === Infinity || (Number.isSafeInteger(draws) && draws >= 1))) {
    throw new DomainError(
      'learned linear denoiser',
      `expected noise draws to be a whole number >= 1 or Infinity, got ${draws}.`,
    );
  }
}

function checkRank(where: string, rank: number, dimension: number): void {
  if (!(Number.isInteger(rank) && rank >= 1 && rank <= dimension)) {
    throw new DomainError(where, `expected a whole rank from 1 to ${dimension}, got ${rank}.`);
  }
}
