import type { Tensor } from '../../tensor/tensor.ts';
import type { Denoiser } from '../denoiser.ts';
import { lowRankMixtureDenoiser } from '../low-rank-mixture.ts';

/** A low-rank network with learned subspaces. */
export interface LowRankNetworkOptions {
  readonly name: string;
  /** Orthonormal rows of each subspace, [d_k, n]. */
  readonly bases: readonly Tensor<'float64'>[];
  /** Variance inside the subspaces, in squared data units; default 1. */
  readonly variance?: number;
  /** Length n, default zero. */
  readonly mean?: Float64Array;
}

/**
 * The low-rank network x_theta = sum_k w_k U_k U_k^T x / (1 + sigma^2) with soft-max weights as a denoiser.
 * It is the posterior mean of the mixture of equally likely Gaussians on its subspaces, so that mixture's denoiser computes it. Hard-max
 * weights look at the clean sample, which no denoiser sees: after training with them, the network denoises with these.
 * @throws as `lowRankMixtureDenoiser`
 * @source Wang et al. 2024, arXiv 2409.02426, eq. 9
 */
export function lowRankNetwork({ name, bases, variance = 1, mean }: LowRankNetworkOptions): Denoiser {
  const mixture = bases.map((basis) => {
    const [d = 0, n = 0] = basis.shape;
    return {
      weight: 1 / bases.length,
      mean: mean ?? new Float64Array(n),
      basis,
      variances: new Float64Array(d).fill(variance),
    };
  });
  return lowRankMixtureDenoiser({ name, mixture });
}
