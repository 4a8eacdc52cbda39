import { DomainError } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { assertFinite, assertShape, reshape, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { checkBatch, checkPoint, checkVectors, Lifetime } from './checks.ts';
import type { Denoiser, Sigma } from './denoiser.ts';

/** An affine map of flat samples, x to W x + b. */
export interface AffineMap {
  /** W, [D, D] */
  readonly weight: Tensor<'float64'>;
  /** [D] */
  readonly bias: Float64Array;
}

/** A denoiser that is affine in x at every noise level. */
export interface LinearDenoiserOptions {
  readonly name: string;
  readonly sampleShape: readonly number[];
  /** The map at a noise level. @throws DomainError where there is none */
  readonly at: (sigma: number) => AffineMap;
}

/**
 * The denoiser D(x; sigma) = W(sigma) x + b(sigma); its Jacobian is W, the same at every point.
 * @throws ShapeError where the map of a level does not fit the samples
 */
export function linearDenoiser({ name, sampleShape, at }: LinearDenoiserOptions): Denoiser {
  const D = sizeOf(sampleShape);
  const lifetime = new Lifetime(name);
  const mapAt = (sigma: number): AffineMap => {
    const map = at(sigma);
    assertShape(`${name}: weight`, map.weight, `${D} ${D}`);
    assertShape(`${name}: bias`, tensor('float64', [map.bias.length], map.bias), `${D}`);
    return map;
  };
  return {
    name,
    sampleShape: [...sampleShape],
    dtype: 'float64',
    async denoise(x: FloatTensor, sigma: Sigma): Promise<Tensor<'float64'>> {
      lifetime.assertAlive();
      const batch = checkBatch(`${name}: denoise`, x, sigma, sampleShape, 'float64');
      const out = new Float64Array(batch.x.data.length);
      for (const level of new Set(batch.sigmas)) {
        const rows = [...batch.sigmas.keys()].filter((b) => batch.sigmas[b] === level);
        const some = new Float64Array(rows.length * D);
        rows.forEach((b, r) => some.set(batch.x.data.subarray(b * D, (b + 1) * D), r * D));
        const mean = applyAffine(mapAt(level), tensor('float64', [rows.length, D], some));
        rows.forEach((b, r) => out.set(mean.data.subarray(r * D, (r + 1) * D), b * D));
      }
      const mean = tensor('float64', x.shape, out);
      assertFinite(`${name}: denoise`, mean, 'Check the map.');
      return reshape(mean, x.shape);
    },
    linearize(x: FloatTensor, sigma: number): LinearOperator {
      lifetime.assertAlive();
      checkPoint(`${name}: linearize`, x, sigma, sampleShape, 'float64');
      const { weight } = mapAt(sigma);
      const product = async (v: FloatTensor, transposeB: boolean): Promise<Tensor<'float64'>> => {
        lifetime.assertAlive();
        return matmul(checkVectors(`${name}: Jacobian`, v, D, 'float64'), weight, { transposeB });
      };
      return {
        rows: D,
        columns: D,
        epsilon: Number.EPSILON,
        apply: (v) => product(v, true),
        applyTranspose: (u) => product(u, false),
      };
    },
    async [Symbol.asyncDispose](): Promise<void> {
      lifetime.end();
    },
  };
}

/** W x + b for the rows of x [N, D]. */
export function applyAffine({ weight, bias }: AffineMap, x: Tensor<'float64'>): Tensor<'float64'> {
  const out = matmul(x, weight, { transposeB: true });
  for (let i = 0; i < out.data.length; i++) (out.data[i] as number) += bias[i % bias.length] as number;
  return out;
}

/** An affine map fitted to pairs, and how well it fits them. */
export interface AffineFit extends AffineMap {
  /** Root of the mean squared residual a coordinate, on the pairs of the fit. */
  readonly residual: number;
  /** Largest over least eigenvalue of the regularised covariance of the inputs: relative error is at most about eps times this. */
  readonly condition: number;
}

/**
 * The affine map that minimises mean |W x + b - y|^2 + ridge (tr Cov x / D) |W|_F^2 over pairs of rows.
 * @param x      [N, D] inputs
 * @param y      [N, D] targets
 * @param ridge  part of the mean input variance added to every direction, >= 0; 0 needs more pairs than dimensions
 * @throws ShapeError; DomainError for a ridge < 0, or ridge 0 where the inputs do not span all dimensions
 */
export function fitAffine(x: Tensor<'float64'>, y: Tensor<'float64'>, ridge: number): AffineFit {
  const where = 'fitAffine';
  const { N = 0, D = 0 } = assertShape(where, x, 'N D');
  assertShape(where, y, `${N} ${D}`);
  if (!(ridge >= 0 && ridge < Infinity)) throw new DomainError(where, `expected a ridge >= 0, got ${ridge}.`);
  const [xc, yc] = [centre(x), centre(y)];
  const covariance = matmul(xc.rows, xc.rows, { transposeA: true });
  const trace = covariance.data.reduce((sum, v, i) => sum + (i % (D + 1) === 0 ? v : 0), 0);
  const { values, vectors } = eigh(covariance);
  const shifted = values.map((l) => l + (ridge * trace) / D);
  const [largest, least] = [shifted[0] ?? 0, shifted[D - 1] ?? 0];
  if (!(least > D * Number.EPSILON * largest)) {
    throw new DomainError(
      where,
      `expected inputs that span all ${D} dimensions, got ${N} pairs that do not. Give more pairs or a ridge > 0.`,
    );
  }
  // W^T = V (L + ridge)^-1 V^T X^T Y
  const coefficients = matmul(vectors, matmul(xc.rows, yc.rows, { transposeA: true }));
  for (let i = 0; i < coefficients.data.length; i++) {
    (coefficients.data[i] as number) /= shifted[Math.floor(i / D)] as number;
  }
  const weight = matmul(coefficients, vectors, { transposeA: true });
  const moved = applyAffine({ weight, bias: new Float64Array(D) }, tensor('float64', [1, D], xc.mean));
  const bias = yc.mean.map((m, j) => m - (moved.data[j] as number));
  const fitted = matmul(xc.rows, weight, { transposeB: true });
  const squares = fitted.data.reduce((sum, v, i) => sum + (v - (yc.rows.data[i] as number)) ** 2, 0);
  return { weight, bias, residual: Math.sqrt(squares / fitted.data.length), condition: largest / least };
}

function centre(x: Tensor<'float64'>): { mean: Float64Array; rows: Tensor<'float64'> } {
  const [N, D] = x.shape as [number, number];
  const mean = new Float64Array(D);
  for (let i = 0; i < x.data.length; i++) (mean[i % D] as number) += (x.data[i] as number) / N;
  return { mean, rows: { ...x, data: x.data.map((v, i) => v - (mean[i % D] as number)) } };
}
