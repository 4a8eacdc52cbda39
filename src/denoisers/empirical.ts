import type { Dataset } from '../data/dataset.ts';
import { ShapeError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { assertFinite, assertFloat, showShape, sizeOf, slice, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { closedFormDenoiser } from './closed-form.ts';
import type { Factors } from './closed-form.ts';
import type { Denoiser } from './denoiser.ts';
import { PointPosterior } from './point-posterior.ts';

/** Samples worked on at once: bounds the B x N table of weights. */
const batchRows = 64;

/** A finite training set and the name of its denoiser. */
export interface EmpiricalOptions {
  readonly name: string;
  /** [N, ...sampleShape] with N >= 1; kept, not copied, so leave it unchanged. */
  readonly points: FloatTensor;
}

/**
 * The optimal denoiser of a finite training set: it memorizes. D = sum w_i y_i with w = softmax(-|x - y_i|^2 / (2 sigma^2)).
 * Its Jacobian is the posterior covariance over sigma^2; products with it cost two passes over the points that have weight.
 * @throws ShapeError if there is no point; NumericalError if a value is not finite
 * @precision weights to 1e-10 relative; where sigma is small against |x|, near-duplicates are told apart by exact differences
 * @source Zhang et al. 2023, arXiv 2310.05264, optimal denoiser (s = 1); Kadkhodaie et al. 2024, arXiv 2310.02557, for the Jacobian
 */
export function empiricalDenoiser({ name, points }: EmpiricalOptions): Denoiser {
  assertFloat(name, points);
  const [count = 0, ...sampleShape] = points.shape;
  const dimension = sizeOf(sampleShape);
  if (points.data.length === 0) {
    throw new ShapeError(name, `expected shape [N >= 1, ...sampleShape], got ${showShape(points.shape)}.`);
  }
  assertFinite(name, points, 'Check the data set.');
  const posterior = new PointPosterior({ ...points, shape: [count, dimension] });
  return closedFormDenoiser(name, sampleShape, {
    posteriorMean(x, sigmas) {
      const mean = zeros('float64', x.shape);
      for (let start = 0; start < sigmas.length; start += batchRows) {
        const some = sigmas.subarray(start, start + batchRows);
        const weights = posterior.weights(slice(x, start, start + some.length), some);
        addMean(posterior, weights, slice(mean, start, start + some.length));
      }
      return mean;
    },
    jacobian(x, sigma) {
      const weights = posterior.weights(x, Float64Array.of(sigma));
      const mean = zeros('float64', x.shape);
      addMean(posterior, weights, mean);
      return { [Symbol.iterator]: () => spread(posterior, weights, mean.data, sigma) };
    },
  });
}

/**
 * The empirical denoiser of a data set, which it reads into memory once.
 * @throws CancelledError, and DatasetError if a file fails
 */
export async function fitEmpirical(
  dataset: Dataset,
  options: { readonly name?: string; readonly signal?: AbortSignal } = {},
): Promise<Denoiser> {
  const { name = `empirical:${dataset.name}`, signal } = options;
  const points = zeros('float32', [dataset.count, ...dataset.sampleShape]);
  let start = 0;
  for await (const { x } of dataset.batches({ size: 512, ...(signal && { signal }) })) {
    points.data.set(x.data, start);
    start += x.data.length;
  }
  return empiricalDenoiser({ name, points });
}

/** mean += weights [B, N] times points. */
function addMean(posterior: PointPosterior, weights: Float64Array, mean: Tensor<'float64'>): void {
  const batch = mean.shape[0] as number;
  const count = weights.length / batch;
  for (const numbers of posterior.support(weights)) {
    const some = zeros('float64', [batch, numbers.length]);
    for (let i = 0; i < some.data.length; i++) {
      const b = Math.floor(i / numbers.length);
      some.data[i] = weights[b * count + (numbers[i % numbers.length] as number)] as number;
    }
    const part = matmul(some, posterior.rows(numbers)).data;
    for (let i = 0; i < part.length; i++) (mean.data[i] as number) += part[i] as number;
  }
}

/** The posterior covariance over sigma^2, a block of points at a time; centred first, so that nothing cancels. */
function* spread(
  posterior: PointPosterior,
  weights: Float64Array,
  mean: Float64Array,
  sigma: number,
): Generator<Factors> {
  for (const numbers of posterior.support(weights)) {
    const rows = posterior.rows(numbers);
    for (let i = 0; i < rows.data.length; i++) (rows.data[i] as number) -= mean[i % mean.length] as number;
    yield { rows, weights: Float64Array.from(numbers, (i) => (weights[i] as number) / (sigma * sigma)) };
  }
}
