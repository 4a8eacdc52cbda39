import { DomainError, ShapeError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { assertFinite, assertShape, slice, tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { closedFormDenoiser } from './closed-form.ts';
import type { Factors } from './closed-form.ts';
import type { Denoiser } from './denoiser.ts';
import { wienerGain } from './gaussian.ts';

/** One Gaussian N(mean, U diag(variances) U^T) of a mixture. */
export interface LowRankComponent {
  /** Share of the data, > 0. */
  readonly weight: number;
  /** Length n. */
  readonly mean: Float64Array;
  /** U^T, [d, n] with orthonormal rows, 1 <= d <= n. */
  readonly basis: Tensor<'float64'>;
  /** Length d, > 0. */
  readonly variances: Float64Array;
}

/** A mixture of low-rank Gaussians; the weights sum to 1, the ranks may differ. */
export type LowRankMixture = readonly LowRankComponent[];

/**
 * Denoiser of a mixture of low-rank Gaussians, with its analytic Jacobian.
 * With a_k = mean_k + U_k D_k U_k^T (x - mean_k) the posterior mean of component k, D_k = diag(l / (l + sigma^2)), and w_k its
 * posterior weight, D = sum w_k a_k and J = sum w_k U_k D_k U_k^T + sum w_k (a_k - D)(a_k - D)^T / sigma^2.
 * @throws ShapeError, DomainError, NumericalError for a mixture that is none
 * @precision log-weights to about eps |x| sqrt(n) / sigma: residuals are formed before they are squared, so nothing cancels at small sigma
 * @source Wang et al. 2024, arXiv 2409.02426 (zero mean, unit variance); general form derived from grad log w_k = (a_k - x) / sigma^2 + common (Tweedie)
 */
export function lowRankMixtureDenoiser(options: { readonly name: string; readonly mixture: LowRankMixture }): Denoiser {
  const { name, mixture } = options;
  const n = checkMixture(name, mixture);
  return closedFormDenoiser(name, [n], {
    posteriorMean: (x, sigmas) => mixedMean(posterior(mixture, x, sigmas)),
    jacobian(x, sigma) {
      const parts = posterior(mixture, x, Float64Array.of(sigma));
      const mean = mixedMean(parts);
      const within = mixture.map(({ basis, variances }, k) => {
        const w = parts.weights[k] as number;
        return { rows: basis, weights: variances.map((l) => w * wienerGain(l, sigma)) };
      });
      return [...within, between(parts, mean, sigma)];
    },
  });
}

/** What noisy points say of the clean ones. */
export interface MixturePosterior {
  /** [B, K], w_k: probability of each component. */
  readonly weights: Tensor<'float64'>;
  /** [B, n], E[x0 | x]. */
  readonly mean: Tensor<'float64'>;
  /** [B], log p(x; sigma). */
  readonly logDensity: Float64Array;
  /** [B, n], its gradient: (E[x0 | x] - x) / sigma^2. */
  readonly score: Tensor<'float64'>;
}

/**
 * Posterior weights and mean, density and score of a mixture of low-rank Gaussians at noisy points.
 * @param mixture  as for `lowRankMixtureDenoiser`
 * @param x        [B, n]; not consumed
 * @param sigma    noise level, > 0, in the units of x
 * @throws ShapeError, DomainError, NumericalError for what is no mixture, no batch of its points or no noise level
 * @precision as `lowRankMixtureDenoiser`; the term -(d_k / 2) log(1 + l / sigma^2) is kept, so ranks may differ
 */
export function mixturePosterior(mixture: LowRankMixture, x: Tensor<'float64'>, sigma: number): MixturePosterior {
  const n = checkMixture('mixturePosterior', mixture);
  assertShape('mixturePosterior', x, `B ${n}`);
  assertFinite('mixturePosterior', x, 'Check the points.');
  if (!(sigma > 0 && sigma < Infinity)) {
    throw new DomainError('mixturePosterior', `expected a noise level > 0, got ${sigma}.`);
  }
  const B = x.shape[0] as number;
  const found = posterior(mixture, x, new Float64Array(B).fill(sigma));
  const mean = mixedMean(found);
  const score = mean.data.map((m, i) => (m - (x.data[i] as number)) / sigma ** 2);
  const common = (n / 2) * Math.log(2 * Math.PI * sigma ** 2);
  return {
    weights: tensor('float64', [B, mixture.length], found.weights),
    mean,
    logDensity: found.logDensity.map((value) => value - common),
    score: tensor('float64', [B, n], score),
  };
}

/** Posterior of a batch: weights [B, K] flat, for each component the means a_k [B, n], and log p(x) up to (n / 2) log(2 pi sigma^2). */
interface Posterior {
  readonly weights: Float64Array;
  readonly means: readonly Tensor<'float64'>[];
  readonly logDensity: Float64Array;
}

function posterior(mixture: LowRankMixture, x: Tensor<'float64'>, sigmas: Float64Array): Posterior {
  const K = mixture.length;
  const weights = new Float64Array(sigmas.length * K);
  const means = mixture.map((component, k) => {
    const { mean, logDensity } = componentPosterior(component, x, sigmas);
    sigmas.forEach((_, b) => (weights[b * K + k] = Math.log(component.weight) + (logDensity[b] as number)));
    return mean;
  });
  const logDensity = sigmas.map((_, b) => softmax(weights.subarray(b * K, (b + 1) * K)));
  return { weights, means, logDensity };
}

/** Posterior mean of one component, and the log-density of x under it up to a constant common to all components. */
function componentPosterior(
  { mean, basis, variances }: LowRankComponent,
  x: Tensor<'float64'>,
  sigmas: Float64Array,
): { mean: Tensor<'float64'>; logDensity: Float64Array } {
  const [n, d] = [mean.length, variances.length];
  const centred = tensor(
    'float64',
    x.shape,
    x.data.map((value, i) => value - (mean[i % n] as number)),
  );
  const coefficients = matmul(centred, basis, { transposeB: true });
  const projected = matmul(coefficients, basis).data;
  const logDensity = new Float64Array(sigmas.length);
  sigmas.forEach((sigma, b) => {
    let residual = 0; // |(I - U U^T)(x - mean)|^2 / sigma^2
    for (let j = b * n; j < (b + 1) * n; j++) {
      residual += (((centred.data[j] as number) - (projected[j] as number)) / sigma) ** 2;
    }
    let inside = 0;
    for (let i = 0; i < d; i++) {
      const l = variances[i] as number;
      const c = coefficients.data[b * d + i] as number;
      inside += (c * c) / (l + sigma * sigma) + Math.log1p(l / (sigma * sigma));
      coefficients.data[b * d + i] = c * wienerGain(l, sigma);
    }
    logDensity[b] = -(residual + inside) / 2;
  });
  const moved = matmul(coefficients, basis);
  for (let i = 0; i < moved.data.length; i++) (moved.data[i] as number) += mean[i % n] as number;
  return { mean: moved, logDensity };
}

function mixedMean({ weights, means }: Posterior): Tensor<'float64'> {
  const [B, n] = (means[0] as Tensor).shape as [number, number];
  const mixed = zeros('float64', [B, n]);
  means.forEach((mean, k) => {
    for (let i = 0; i < mixed.data.length; i++) {
      const w = weights[Math.floor(i / n) * means.length + k] as number;
      (mixed.data[i] as number) += w * (mean.data[i] as number);
    }
  });
  return mixed;
}

/** The spread of the component means about the mixed mean, over sigma^2: how x decides between components. */
function between({ weights, means }: Posterior, mean: Tensor<'float64'>, sigma: number): Factors {
  const n = mean.data.length;
  const rows = zeros('float64', [means.length, n]);
  means.forEach((a, k) => {
    const row = slice(rows, k, k + 1).data;
    for (let j = 0; j < n; j++) row[j] = (a.data[j] as number) - (mean.data[j] as number);
  });
  return { rows, weights: weights.map((w) => w / (sigma * sigma)) };
}

/** Normalises exponentials in place. @returns the logarithm of their sum */
function softmax(logits: Float64Array): number {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += logits[k] = Math.exp((logits[k] as number) - largest);
  for (let k = 0; k < logits.length; k++) (logits[k] as number) /= sum;
  return largest + Math.log(sum);
}

/** @returns the dimension n */
function checkMixture(name: string, mixture: LowRankMixture): number {
  const n = mixture[0]?.mean.length ?? 0;
  if (n === 0) throw new ShapeError(name, 'expected at least one component of at least one dimension, got none.');
  mixture.forEach(({ weight, mean, basis, variances }, k) => {
    const where = `${name}: component ${k}`;
    if (mean.length !== n) throw new ShapeError(where, `expected a mean of ${n} values, got ${mean.length}.`);
    assertFinite(where, tensor('float64', [n], mean), 'Check the mean.');
    assertShape(where, basis, `${variances.length} ${n}`);
    if (!(weight > 0)) throw new DomainError(where, `expected a weight > 0, got ${weight}.`);
    const bad = variances.find((l) => !(l > 0 && l < Infinity));
    if (bad !== undefined || variances.length === 0) {
      throw new DomainError(where, `expected one or more positive variances, got ${bad ?? 'none'}.`);
    }
    assertOrthonormal(where, basis);
  });
  const total = mixture.reduce((sum, { weight }) => sum + weight, 0);
  if (!(Math.abs(total - 1) < 1e-9)) throw new DomainError(name, `expected weights that sum to 1, got ${total}.`);
  return n;
}

function assertOrthonormal(where: string, basis: Tensor<'float64'>): void {
  const d = basis.shape[0] as number;
  const gram = matmul(basis, basis, { transposeB: true }).data;
  const defect = gram.reduce((worst, g, i) => Math.max(worst, Math.abs(g - (i % (d + 1) === 0 ? 1 : 0))), 0);
  if (!(defect < 1e-8)) {
    throw new DomainError(where, `expected a basis with orthonormal rows, got a defect of ${defect.toExponential(1)}.`);
  }
}
