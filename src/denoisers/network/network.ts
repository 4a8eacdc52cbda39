import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';

/** Weights by name. */
export type Parameters = Readonly<Record<string, JaxArray>>;

/** How a weight starts: zeros, ones, normal with variance 1 / fanIn, or rows of the last axis that are orthonormal in each matrix. */
export type Initialization =
  { readonly kind: 'zeros' | 'ones' | 'orthonormal' } | { readonly kind: 'normal'; readonly fanIn: number };

/** Name, shape and start of one weight array. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: Initialization;
}

/** A network F(x, features) as a jax-js function of its weights; preconditioning and noise live outside. */
export interface Network {
  /** Weights in a fixed order, which files and gradients follow. */
  readonly parameters: readonly ParameterSpec[];
  /** Shape of one sample. */
  readonly sampleShape: readonly number[];
  /** Length of the noise features that `apply` takes; 1 for the noise level itself (`noiseFeatures`). */
  readonly featureCount: number;
  /**
   * @param p  weights; not consumed
   * @param x  [B, ...sampleShape], consumed
   * @param features  [B, featureCount], consumed
   * @returns [B, ...sampleShape]
   */
  apply(jax: JaxLibrary, p: Parameters, x: JaxArray, features: JaxArray): JaxArray;
}

/** Number of scalars in all weights of a network. */
export function countParameters(network: Network): number {
  return network.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}
