import { DomainError, ShapeError } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { assertShape, showShape, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { wishartRows } from './wishart.ts';
import type { Stream } from './wishart.ts';

/**
 * Clean samples as a linear denoiser sees them: by their scatter alone.
 * Coordinates are those of the true eigenvectors, so that direction i is axis i; isotropic noise looks the same in all coordinates.
 */
export interface TrainingSet {
  readonly dimension: number;
  /** Number of samples n. */
  readonly count: number;
  /** [k, dimension], k <= min(n, dimension); root^T root = sum of x x^T over the samples. */
  readonly root: Tensor<'float64'>;
}

/** Centred Gaussian data with variance spectrum[i] along axis i and none along the axes beyond. */
export interface SpectrumData {
  /** Length r <= dimension, >= 0. */
  readonly spectrum: ArrayLike<number>;
  readonly dimension: number;
  /** Number of samples >= 1. */
  readonly count: number;
}

/**
 * Draws the scatter of Gaussian samples, exactly in law, without drawing the samples.
 * @throws DomainError for an empty or negative spectrum, one longer than the dimension, or no samples
 */
export function drawTrainingSet(stream: Stream, { spectrum, dimension, count }: SpectrumData): TrainingSet {
  checkSizes(dimension, count);
  const rank = spectrum.length;
  if (rank < 1 || rank > dimension) {
    throw new DomainError('drawTrainingSet', `expected 1 to ${dimension} variances, got ${rank}.`);
  }
  const scales = Array.from(spectrum, (variance, i) => {
    if (variance >= 0 && variance < Infinity) return Math.sqrt(variance);
    throw new DomainError('drawTrainingSet', `expected variances >= 0 and finite, got ${variance} at ${i}.`);
  });
  const standard = wishartRows(stream, rank, count);
  const rows = standard.shape[0] as number;
  const root = new Float64Array(rows * dimension);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rank; j++)
      root[i * dimension + j] = (standard.data[i * rank + j] as number) * (scales[j] as number);
  }
  return { dimension, count, root: tensor('float64', [rows, dimension], root) };
}

/**
 * Given samples by their covariance, in the coordinates that it stands in.
 * @param covariance  [p, p], divided by `count`; for a diagonal one the axes are the principal components
 * @throws ShapeError if not square; DomainError if not symmetric or of no variance; NumericalError if not finite
 */
export function trainingSetOf(covariance: Tensor<'float64'>, count: number): TrainingSet {
  const { p } = assertShape('trainingSetOf', covariance, 'p q') as { p: number };
  if (covariance.shape[1] !== p) {
    throw new ShapeError('trainingSetOf', `expected a square covariance, got ${showShape(covariance.shape)}.`);
  }
  checkSizes(p, count);
  const { values, vectors } = eigh(covariance);
  const floor = (values[0] as number) * p * Number.EPSILON;
  const kept = values.subarray(0, Math.min(p, count)).filter((value) => value > floor);
  if (kept.length === 0) {
    throw new DomainError('trainingSetOf', 'expected data that vary, got a covariance of 0. Use other samples.');
  }
  const root = vectors.data.slice(0, kept.length * p);
  kept.forEach((value, i) => {
    for (let j = i * p; j < (i + 1) * p; j++) root[j] = (root[j] as number) * Math.sqrt(value * count);
  });
  return { dimension: p, count, root: tensor('float64', [kept.length, p], root) };
}

function checkSizes(dimension: number, count: number): void {
  if (!(Number.isInteger(dimension) && dimension >= 1 && Number.isInteger(count) && count >= 1)) {
    throw new DomainError(
      'training set',
      `expected dimension and samples to be whole numbers >= 1, got ${dimension} and ${count}.`,
    );
  }
}
