import { DomainError } from '../../errors/errors.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';
import { denoisedOutput } from './denoised-output.ts';
import type { Network, Parameters } from './network.ts';

/** Size of a mixture of low-rank subspaces. */
export interface SubspacesConfig {
  readonly sampleShape: readonly number[];
  /** Subspaces K. */
  readonly components: number;
  /** Dimension d of each, at most n. */
  readonly rank: number;
  /** Standard deviation of the training data: the unit of the variance inside the subspaces. */
  readonly sigmaData: number;
}

/** Steps of Newton's method: from Gram matrices of condition 1e3 and better to rounding. */
const NEWTON_STEPS = 12;

/**
 * The low-rank network as one that the EDM loss trains: D = m + l / (l + sigma^2) sum_k w_k U_k U_k^T (x - m) with soft-max weights by
 * l / (l + sigma^2) |U_k^T (x - m)|^2 / (2 sigma^2). Learned are the mean m, one variance l and free matrices whose rows are made
 * orthonormal on the way, so that at every step it is the denoiser of `lowRankNetwork` on the spans of their rows.
 * @throws DomainError for a rank above the dimension
 * @source Wang et al. 2024, arXiv 2409.02426, eq. 9 (m = 0 and l = 1 there)
 */
export function subspaces({ sampleShape, components, rank, sigmaData }: SubspacesConfig): Network {
  const n = sizeOf(sampleShape);
  if (rank > n) throw new DomainError('low-rank', `expected a rank of at most the dimension ${n}, got ${rank}.`);
  return {
    parameters: [
      { name: 'bases', shape: [components, rank, n], init: { kind: 'orthonormal' } },
      { name: 'log-variance', shape: [1, 1], init: { kind: 'zeros' } },
      { name: 'mean', shape: [1, n], init: { kind: 'zeros' } },
    ],
    sampleShape,
    featureCount: 1,
    apply: (jax, p, x, cNoise) => {
      const flat = x.ref.reshape([x.shape[0] as number, n]);
      const output = denoisedOutput(jax, flat, cNoise, sigmaData, (y, square) => mixed(jax, p, y, square));
      return output.reshape(x.shape);
    },
  };
}

function mixed(jax: JaxLibrary, p: Parameters, x: JaxArray, square: JaxArray): JaxArray {
  const np = jax.numpy;
  const [K, d, n] = (p.bases as JaxArray).shape as [number, number, number];
  const B = x.shape[0] as number;
  const rows = orthonormalized(jax, (p.bases as JaxArray).ref).reshape([K * d, n]);
  const variance = np.exp((p['log-variance'] as JaxArray).ref);
  const gain = variance.ref.mul(np.reciprocal(variance.add(square.ref)));
  const mean = p.mean as JaxArray;
  const coefficients = np.matmul(x.sub(mean.ref), np.transpose(rows.ref)).reshape([B, K, d]);
  const energies = np.sum(coefficients.ref.mul(coefficients.ref), -1);
  const weights = jax.nn.softmax(energies.mul(gain.ref.mul(np.reciprocal(square.mul(2)))), -1).mul(gain);
  const kept = coefficients.mul(weights.reshape([B, K, 1])).reshape([B, K * d]);
  return np.matmul(kept, rows).add(mean.ref);
}

/**
 * The orthonormal rows nearest to those of each matrix [K, d, n], (A A^T)^(-1/2) A; consumes `a`.
 * @source Higham 2008, Functions of Matrices, eq. 6.35: the coupled Newton-Schulz iteration for the inverse square root
 */
function orthonormalized(jax: JaxLibrary, a: JaxArray): JaxArray {
  const np = jax.numpy;
  const [K, d] = a.shape as [number, number, number];
  const gram = np.matmul(a.ref, np.transpose(a.ref, [0, 2, 1]));
  // The Frobenius norm is above every eigenvalue; the result does not depend on the scale.
  const size = jax.lax.stopGradient(np.sqrt(np.sum(gram.ref.mul(gram.ref), [1, 2], { keepdims: true })));
  const identity = np.broadcastTo(np.eye(d).reshape([1, d, d]), [K, d, d]);
  let root = gram.mul(np.reciprocal(size.ref));
  let inverse = identity.ref;
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const factor = identity.ref.mul(3).sub(np.matmul(inverse.ref, root.ref)).mul(0.5);
    root = np.matmul(root, factor.ref);
    inverse = np.matmul(factor, inverse);
  }
  identity.dispose();
  root.dispose();
  return np.matmul(inverse, a).mul(np.reciprocal(np.sqrt(size)));
}
