import type { Dataset } from '../data/dataset.ts';
import { DatasetError, DomainError, throwIfAborted } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { gramKernel } from '../linalg/gram.ts';
import { matmul } from '../linalg/matmul.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { leadingTriplets } from '../linalg/triplets.ts';
import type { TripletStatus } from '../linalg/triplets.ts';
import { castFloat, sizeOf, slice, tensor, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';
import { streamMoments } from './principal-components-scatter.ts';

/** Leading principal components of a data set with their certificate. */
export interface PrincipalComponents {
  /** [D] */
  readonly mean: Float64Array;
  /** [count], descending: variances along the components, divided by the number of samples. */
  readonly variances: Float64Array;
  /** [count, D]; orthonormal rows, the element of largest magnitude positive. */
  readonly components: Tensor<'float64'>;
  /** Trace of the covariance. */
  readonly totalVariance: number;
  /** [count], |C v - l v| relative to the largest variance. */
  readonly residual: Float64Array;
  readonly status: TripletStatus;
  readonly method: 'gram' | 'krylov';
  /** Samples seen in one pass. */
  readonly samples: number;
  /** Passes over the data. */
  readonly passes: number;
}

/** Options of `leadingComponents`. */
export interface PrincipalComponentOptions extends WatchOptions {
  /** Components, default 20, at most the number of samples or of numbers in one. */
  readonly count?: number;
  /** Default: `gram` where one sample has at most 1024 numbers, else `krylov`. */
  readonly method?: 'gram' | 'krylov';
  /** Largest residual that counts as converged; default 1e-9. */
  readonly tolerance?: number;
  /** Sweeps of the Krylov method, two passes each; default 30. */
  readonly maxSweeps?: number;
  readonly seed?: number;
}

/** Above this dimension a D x D matrix and all its eigenvectors cost more than some passes over the data. */
const GRAM_LIMIT = 1024;

/**
 * Leading principal components of a data set, streaming: no more than one batch of it is held.
 * `gram` sums the covariance in one pass and diagonalises it; `krylov` takes products with the covariance, two passes a sweep, and holds
 * no D x D matrix.
 * @param dataset  N samples of D numbers, flattened
 * @returns components with residuals; `status` says converged or why not
 * @throws DomainError for a count beyond the sizes; DatasetError for data that are not finite or all equal; CancelledError
 * @precision gram: a small multiple of D eps of the largest variance. krylov: values to the square of the residual over the gap
 * @source Golub and Van Loan, Matrix Computations, 8.3; Musco and Musco 2015 (block Krylov); see `leadingTriplets`
 */
export async function leadingComponents(
  dataset: Dataset,
  options: PrincipalComponentOptions = {},
): Promise<PrincipalComponents> {
  const D = sizeOf(dataset.sampleShape);
  const limit = Math.min(D, dataset.count);
  const { count = Math.min(20, limit), method = D <= GRAM_LIMIT ? 'gram' : 'krylov' } = options;
  if (!Number.isInteger(count) || count < 1 || count > limit) {
    throw new DomainError(
      'leadingComponents',
      `expected a whole count from 1 to ${limit} for ${dataset.count} samples of ${D} numbers, got ${count}.`,
    );
  }
  return method === 'gram' ? byGram(dataset, count, options) : byKrylov(dataset, count, options);
}

async function byGram(
  dataset: Dataset,
  count: number,
  { tolerance = 1e-9, signal, onProgress }: PrincipalComponentOptions,
): Promise<PrincipalComponents> {
  const { mean, covariance, count: samples } = await streamMoments(dataset, { signal, onProgress });
  const D = mean.length;
  let totalVariance = 0;
  for (let d = 0; d < D; d++) totalVariance += covariance.data[d * D + d] as number;
  assertSpread(dataset.name, mean, totalVariance);
  const eigen = eigh(covariance);
  throwIfAborted('leadingComponents', signal);
  const components = tensor('float64', [count, D], eigen.vectors.data.slice(0, count * D));
  const variances = eigen.values.slice(0, count).map((l) => Math.max(0, l));
  const residual = residuals(matmul(components, covariance), components, variances);
  const status = Math.max(...residual) <= tolerance ? 'converged' : 'stagnated';
  return { mean, variances, components, totalVariance, residual, status, method: 'gram', samples, passes: 1 };
}

async function byKrylov(
  dataset: Dataset,
  count: number,
  options: PrincipalComponentOptions,
): Promise<PrincipalComponents> {
  const { tolerance = 1e-9, maxSweeps = 30, seed = 0, signal, onProgress } = options;
  const { mean, totalVariance, samples } = await meanAndTrace(dataset, signal);
  assertSpread(dataset.name, mean, totalVariance);
  const op = covarianceOperator(dataset, mean, signal);
  const triplets = await leadingTriplets(op, {
    rank: count,
    oversample: Math.max(8, count >> 1),
    tolerance,
    maxSweeps,
    seed,
    ...(signal && { signal }),
    onProgress: ({ sweep }) => onProgress?.(sweep, maxSweeps),
  });
  const largest = triplets.values[0] as number;
  const { values: variances, right: components, status } = triplets;
  const residual = triplets.residualLeft.map((r, i) => Math.max(r, triplets.residualRight[i] as number) / largest);
  const common = { mean, variances, components, totalVariance, residual, status };
  return { ...common, method: 'krylov', samples, passes: 1 + op.passes };
}

/** One pass: mean, and the sum of the variances without cancellation against the mean. */
async function meanAndTrace(
  dataset: Dataset,
  signal: AbortSignal | undefined,
): Promise<{ mean: Float64Array; totalVariance: number; samples: number }> {
  const D = sizeOf(dataset.sampleShape);
  const mean = new Float64Array(D);
  let [n, squares] = [0, 0];
  for await (const { x } of dataset.batches({ size: 256, ...(signal && { signal }) })) {
    for (let at = 0; at < x.data.length; at += D) {
      n++;
      for (let d = 0; d < D; d++) {
        const before = mean[d] as number;
        const shift = (x.data[at + d] as number) - before;
        mean[d] = before + shift / n;
        squares += shift * ((x.data[at + d] as number) - (mean[d] as number)); // Welford 1962
      }
    }
  }
  return { mean, totalVariance: squares / n, samples: n };
}

/** The covariance as an operator: one product is one pass over the data. */
function covarianceOperator(
  dataset: Dataset,
  mean: Float64Array,
  signal: AbortSignal | undefined,
): LinearOperator & { readonly passes: number } {
  const D = mean.length;
  const size = gramKernel.block(D);
  let passes = 0;
  const apply = async (v: FloatTensor): Promise<FloatTensor> => {
    const vectors = castFloat(v, 'float64');
    const sum = zeros('float64', vectors.shape);
    for await (const { x } of dataset.batches({ size, ...(signal && { signal }) })) {
      const centred = tensor('float64', [x.shape[0] as number, D], Float64Array.from(x.data));
      for (let at = 0; at < centred.data.length; at += D) {
        for (let d = 0; d < D; d++) centred.data[at + d] = (centred.data[at + d] as number) - (mean[d] as number);
      }
      const part = matmul(matmul(vectors, centred, { transposeB: true }), centred);
      for (let i = 0; i < part.data.length; i++) sum.data[i] = (sum.data[i] as number) + (part.data[i] as number);
    }
    passes++;
    return { ...sum, data: sum.data.map((s) => s / dataset.count) };
  };
  return {
    rows: D,
    columns: D,
    epsilon: Number.EPSILON,
    apply,
    applyTranspose: apply,
    get passes() {
      return passes;
    },
  };
}

function assertSpread(name: string, mean: Float64Array, totalVariance: number): void {
  if (!Number.isFinite(totalVariance) || !mean.every(Number.isFinite)) {
    throw new DatasetError(name, 'expected finite samples, got NaN or infinity. Remove those samples.');
  }
  if (!(totalVariance > 0)) {
    throw new DatasetError(name, 'expected samples that differ, got variance 0. Principal components need a spread.');
  }
}

function residuals(images: Tensor<'float64'>, components: Tensor<'float64'>, variances: Float64Array): Float64Array {
  return variances.map((l, i) => {
    const [image, v] = [slice(images, i, i + 1).data, slice(components, i, i + 1).data];
    const squares = image.reduce((sum, y, d) => sum + (y - l * (v[d] as number)) ** 2, 0);
    return Math.sqrt(squares) / (variances[0] as number);
  });
}
