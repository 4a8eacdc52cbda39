import type { Dataset } from '../data/dataset.ts';
import { computeMoments } from '../data/moments.ts';
import { gramKernel } from '../linalg/gram.ts';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import { assertFinite, assertShape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { closedFormDenoiser } from './closed-form.ts';
import type { Denoiser } from './denoiser.ts';

/** Eigenvectors and eigenvalues of a covariance; the directions left out have variance 0. */
export interface CovarianceEigen {
  /** Variances, length R <= dimension, in any order. */
  readonly values: Float64Array;
  /** [R, dimension], orthonormal rows. */
  readonly vectors: Tensor<'float64'>;
}

/** A Gaussian in the form that its denoiser needs. */
export interface GaussianOptions {
  readonly name: string;
  /** Shape of one sample; its size is the dimension. */
  readonly sampleShape: readonly number[];
  /** Length dimension. */
  readonly mean: Float64Array;
  readonly eigen: CovarianceEigen;
}

/** Eigenvalues below 0 by less than this part of the largest are rounding (also of float32 moments) and count as 0. */
const roundingOfZero = 1e-6;

/**
 * Denoiser of Gaussian data N(mean, U diag(l) U^T), the best affine denoiser of any data with these moments (Wiener filter).
 * D(x; sigma) = mean + U diag(l / (l + sigma^2)) U^T (x - mean); the singular values of its Jacobian are l / (l + sigma^2).
 * Negative eigenvalues within 1e-6 of the largest count as 0.
 * @throws ShapeError where sizes disagree; DomainError for a variance that is negative; NumericalError for values not finite
 * @precision a few eps of the norm of x - mean
 * @source Li, Dai, Qu 2024, arXiv 2410.24060, section 3 and theorem 1
 */
export function gaussianDenoiser({ name, sampleShape, mean, eigen }: GaussianOptions): Denoiser {
  const dimension = sizeOf(sampleShape);
  checkGaussian(name, dimension, mean, eigen);
  const { vectors } = eigen;
  const variances = eigen.values.map((l) => Math.max(l, 0));
  return closedFormDenoiser(name, sampleShape, {
    posteriorMean(x, sigmas) {
      const centred = x.data.map((value, i) => value - (mean[i % dimension] as number));
      const coefficients = matmul(tensor('float64', x.shape, centred), vectors, { transposeB: true });
      sigmas.forEach((sigma, b) => {
        const own = coefficients.data.subarray(b * variances.length, (b + 1) * variances.length);
        variances.forEach((l, i) => ((own[i] as number) *= wienerGain(l, sigma)));
      });
      const moved = matmul(coefficients, vectors);
      for (let i = 0; i < moved.data.length; i++) (moved.data[i] as number) += mean[i % dimension] as number;
      return moved;
    },
    jacobian(_, sigma) {
      return [{ rows: vectors, weights: variances.map((l) => wienerGain(l, sigma)) }];
    },
  });
}

/**
 * The Gaussian denoiser of a covariance matrix; costs one symmetric eigendecomposition.
 * @param options.covariance  [dimension, dimension], symmetric
 * @throws as `gaussianDenoiser`
 */
export function gaussianFromCovariance({
  covariance,
  ...options
}: Omit<GaussianOptions, 'eigen'> & { readonly covariance: Tensor<'float64'> }): Denoiser {
  assertShape(options.name, covariance, `${options.mean.length} ${options.mean.length}`);
  return gaussianDenoiser({ ...options, eigen: eigh(covariance) });
}

/**
 * The Gaussian denoiser with a data set's own mean and covariance.
 * @throws CancelledError, and DatasetError if a file fails
 */
export async function fitGaussian(
  dataset: Dataset,
  options: { readonly name?: string; readonly signal?: AbortSignal } = {},
): Promise<Denoiser> {
  const { name = `gaussian:${dataset.name}`, signal } = options;
  const { mean, covariance } = await computeMoments(dataset, { gram: gramKernel, ...(signal && { signal }) });
  return gaussianFromCovariance({ name, sampleShape: dataset.sampleShape, mean, covariance });
}

/**
 * How much of a coefficient of variance l survives the noise: l / (l + sigma^2), 0 for l = 0 however small sigma is.
 * @param l  variance, >= 0
 * @param sigma  noise level, > 0
 */
export function wienerGain(l: number, sigma: number): number {
  return l === 0 ? 0 : l / (l + sigma * sigma);
}

function checkGaussian(
  name: string,
  dimension: number,
  mean: Float64Array,
  { values, vectors }: CovarianceEigen,
): void {
  if (mean.length !== dimension) {
    throw new ShapeError(name, `expected a mean of ${dimension} values, got ${mean.length}.`);
  }
  assertShape(name, vectors, `${values.length} ${dimension}`);
  assertFinite(name, tensor('float64', [mean.length], mean), 'Check the mean.');
  assertFinite(name, tensor('float64', [values.length], values), 'Check the eigenvalues.');
  assertFinite(name, vectors, 'Check the eigenvectors.');
  const largest = values.reduce((a, b) => Math.max(a, b), 0);
  const smallest = values.reduce((a, b) => Math.min(a, b), 0);
  if (smallest < -roundingOfZero * largest) {
    throw new DomainError(name, `expected eigenvalues >= 0, got ${smallest}. This matrix is not a covariance.`);
  }
}
