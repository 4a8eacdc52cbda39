import { matmul } from '../linalg/matmul.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { assertFinite, reshape, sizeOf, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { checkBatch, checkPoint, checkVectors, Lifetime } from './checks.ts';
import type { Denoiser, Sigma } from './denoiser.ts';

/** Part of a symmetric matrix in factored form: rows^T diag(weights) rows. */
export interface Factors {
  /** [R, dimension] */
  readonly rows: Tensor<'float64'>;
  /** Length R. */
  readonly weights: Float64Array;
}

/** What a denoiser in closed form has to say; shapes, checks and products are the same for all of them. */
export interface ClosedForm {
  /** Posterior means, [B, dimension] to [B, dimension]; must not write to x. */
  posteriorMean(x: Tensor<'float64'>, sigmas: Float64Array): Tensor<'float64'>;
  /**
   * The Jacobian at x [1, dimension] as a sum of factors; read once for every product.
   * Exact posterior means have symmetric Jacobians: posterior covariance over sigma^2.
   */
  jacobian(x: Tensor<'float64'>, sigma: number): Iterable<Factors>;
}

const remedy = 'Its values are too large for float64 at this noise level: rescale data and sigma.';

/** Makes a float64 denoiser out of formulas on flat samples. */
export function closedFormDenoiser(name: string, sampleShape: readonly number[], form: ClosedForm): Denoiser {
  const lifetime = new Lifetime(name);
  return {
    name,
    sampleShape: [...sampleShape],
    dtype: 'float64',
    async denoise(x: FloatTensor, sigma: Sigma): Promise<Tensor<'float64'>> {
      lifetime.assertAlive();
      const where = `${name}: denoise`;
      const batch = checkBatch(where, x, sigma, sampleShape, 'float64');
      const mean = form.posteriorMean(batch.x, batch.sigmas);
      assertFinite(where, mean, remedy);
      return reshape(mean, x.shape);
    },
    linearize(x: FloatTensor, sigma: number): LinearOperator {
      lifetime.assertAlive();
      const point = checkPoint(`${name}: linearize`, x, sigma, sampleShape, 'float64');
      const own: Tensor<'float64'> = { ...point, data: point.data.slice() }; // products come later; the caller may reuse x
      return factoredOperator(`${name}: Jacobian`, sizeOf(sampleShape), lifetime, () => form.jacobian(own, sigma));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      lifetime.end();
    },
  };
}

function factoredOperator(
  where: string,
  dimension: number,
  lifetime: Lifetime,
  compute: () => Iterable<Factors>,
): LinearOperator {
  let factors: Iterable<Factors> | undefined;
  let dense: Tensor<'float64'> | undefined;
  let [asked, wide] = [0, false];
  async function apply(v: FloatTensor): Promise<Tensor<'float64'>> {
    lifetime.assertAlive();
    const vectors = checkVectors(where, v, dimension, 'float64');
    factors ??= compute();
    asked += vectors.shape[0] as number;
    // Where more factors than dimensions are read for every product, the matrix itself pays off after about dimension / 4 vectors.
    if (wide && asked > dimension / 4) dense ??= assemble(factors, dimension);
    const { product, count } = dense ? { product: matmul(vectors, dense), count: 0 } : multiply(factors, vectors);
    wide ||= count > dimension;
    assertFinite(where, product, remedy);
    return product;
  }
  return { rows: dimension, columns: dimension, epsilon: Number.EPSILON, apply, applyTranspose: apply };
}

/** v rows^T diag(weights) rows summed over the factors, and the number of rows met. */
function multiply(factors: Iterable<Factors>, v: Tensor<'float64'>): { product: Tensor<'float64'>; count: number } {
  const product = zeros('float64', v.shape);
  let count = 0;
  for (const { rows, weights } of factors) {
    const coefficients = matmul(v, rows, { transposeB: true });
    const width = weights.length;
    for (let i = 0; i < coefficients.data.length; i++) {
      (coefficients.data[i] as number) *= weights[i % width] as number;
    }
    add(product, matmul(coefficients, rows));
    count += width;
  }
  return { product, count };
}

/** rows^T diag(weights) rows summed over the factors. */
function assemble(factors: Iterable<Factors>, dimension: number): Tensor<'float64'> {
  const sum = zeros('float64', [dimension, dimension]);
  for (const { rows, weights } of factors) {
    const weighted = rows.data.map((value, i) => value * (weights[Math.floor(i / dimension)] as number));
    add(sum, matmul(rows, { ...rows, data: weighted }, { transposeA: true }));
  }
  return sum;
}

function add(sum: Tensor<'float64'>, part: Tensor<'float64'>): void {
  for (let i = 0; i < part.data.length; i++) (sum.data[i] as number) += part.data[i] as number;
}
