import { DomainError } from '../../errors/errors.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';
import type { Network, Parameters } from './network.ts';

/** Size of a linear denoiser. */
export interface LinearConfig {
  readonly sampleShape: readonly number[];
  /** Directions R with a variance of their own, at most the dimension n; all others share one. */
  readonly rank: number;
  /** Standard deviation of the training data: the unit of its variances. */
  readonly sigmaData: number;
}

/**
 * The denoiser D(x; sigma) = m + W (x - m), W = g(l_0) I + V^T diag(g(l) - g(l_0)) V with the gain g(l) = l / (l + sigma^2): affine in x
 * at every noise level. Learned are the mean m, variances l and l_0, and V [R, n], which nothing holds orthonormal but the data. The Wiener
 * filter of any Gaussian whose covariance has at most R eigenvalues that differ from all others is among them, at all noise levels at once.
 * In EDM's preconditioning the network itself is F = t / r m + g'(l_0) (x - m) + V^T diag(g'(l) - g'(l_0)) V (x - m) with t = sigma /
 * sigmaData, r = sqrt(1 + t^2) and g'(l) = t (l - 1) / ((l + t^2) r): of order one everywhere, so that no level outweighs the others.
 * @throws DomainError for more directions than dimensions
 * @source the linear denoiser of Li, Dai, Qu 2024, arXiv 2410.24060, section 3, learned here instead of solved for
 */
export function linear({ sampleShape, rank, sigmaData }: LinearConfig): Network {
  const n = sizeOf(sampleShape);
  if (rank > n) throw new DomainError('linear', `expected a rank of at most the dimension ${n}, got ${rank}.`);
  return {
    parameters: [
      { name: 'directions', shape: [rank, n], init: { kind: 'orthonormal' } },
      // Spread at the start: directions of equal variance have no reason to turn.
      { name: 'log-variances', shape: [1, rank], init: { kind: 'normal', fanIn: 1 } },
      { name: 'log-variance', shape: [1, 1], init: { kind: 'zeros' } },
      { name: 'mean', shape: [1, n], init: { kind: 'zeros' } },
    ],
    sampleShape,
    featureCount: 1,
    apply: (jax, p, x, cNoise) => {
      const shape = x.shape;
      return filtered(jax, p, x.reshape([shape[0] as number, n]), cNoise, sigmaData).reshape(shape);
    },
  };
}

/** F of cIn x [B, n] and cNoise [B, 1]; consumes both. */
function filtered(jax: JaxLibrary, p: Parameters, input: JaxArray, cNoise: JaxArray, sigmaData: number): JaxArray {
  const np = jax.numpy;
  const weight = (name: string): JaxArray => (p[name] as JaxArray).ref;
  const t = np.exp(cNoise.mul(4).sub(Math.log(sigmaData)));
  const square = t.ref.mul(t.ref);
  const root = np.sqrt(square.ref.add(1));
  const ratio = t.mul(np.reciprocal(root.ref));
  const gain = (name: string): JaxArray => {
    const l = np.exp(weight(name));
    return l.ref
      .sub(1)
      .mul(np.reciprocal(l.add(square.ref)))
      .mul(ratio.ref);
  };
  const centred = input.mul(root).sub(weight('mean'));
  const rest = gain('log-variance');
  const coefficients = np.matmul(centred.ref, np.transpose(weight('directions')));
  const turned = coefficients.mul(gain('log-variances').sub(rest.ref));
  square.dispose();
  return np.matmul(turned, weight('directions')).add(centred.mul(rest)).add(weight('mean').mul(ratio));
}
