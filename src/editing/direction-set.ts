import type { Tensor } from '../tensor/tensor.ts';
import type { Mask } from './mask.ts';

/** How directions were found; all but `loco` are baselines that its advantage is measured against. */
export const directionMethods = ['loco', 'unmasked', 'noise', 'pca', 'random', 'supervised'] as const;

/** One of `directionMethods`. */
export type DirectionMethod = (typeof directionMethods)[number];

/** Edit directions found at one noisy image: K unit vectors in sample space with what is known of each. */
export interface DirectionSet {
  readonly method: DirectionMethod;
  /** Shape of one sample, without batch. */
  readonly sampleShape: readonly number[];
  /** Noise level at which they were found, VE coordinates, data units. */
  readonly sigma: number;
  /** [K, n], unit rows; the same in VE and VP coordinates. */
  readonly vectors: Tensor<'float64'>;
  /** [K], singular value of the masked Jacobian that each began as; NaN where the method has none. */
  readonly values: Float64Array;
  /** [K], largest residual of that triplet, in the unit of the values; NaN where the method has none. */
  readonly residuals: Float64Array;
  /** [K], length that the projection against the outside left of the unit vector: 1 untouched. */
  readonly kept: Float64Array;
  /** [K], |J v| inside the mask: predicted change of the posterior mean a unit of step, VE. */
  readonly gains: Float64Array;
  /** [K], |J v| outside the mask; 0 without a mask. */
  readonly leaks: Float64Array;
  /** Leading directions of the outside that were projected out. */
  readonly nullRank: number;
  /** Largest |Vb^T v| over the null block: 0 up to rounding. */
  readonly orthogonality: number;
  /** Where they may act; undefined for global directions. */
  readonly mask?: Mask | undefined;
}
