import type { LinearityMeasure } from '../analysis/linearity.ts';
import type { EnergyRuleName } from '../analysis/rank.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import type { TripletStatus } from '../linalg/triplets.ts';
import type { FloatDType, FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { AuditResult } from './audit-result.ts';
import type { EditResult } from './edit-result.ts';
import type { ToldReading } from './open-model.ts';

/** Where a Jacobian is taken: at a noised held-out image, or at a state of a sampling trajectory. */
export type InspectSite = 'heldout' | 'trajectory';

/** Which Jacobian a row speaks of. */
export interface InspectPoint {
  /** Noise level in data units; one of `InspectResult.sigmas`. */
  readonly sigma: number;
  readonly site: InspectSite;
  /** Index of the held-out image (axis I of the arrays); 0 for the trajectory. */
  readonly image: number;
}

/** Numerical rank of one Jacobian by one rule. */
export interface RankRow extends InspectPoint {
  readonly rule: EnergyRuleName;
  readonly rank: number;
  /** rank / dimension, in [0, 1]; 0 where the Jacobian has vanished. */
  readonly ratio: number;
  /** Least and greatest rank that rounding of the denoiser's products allows. */
  readonly bounds?: readonly [number, number];
}

/** The K leading singular values of one Jacobian with their certificates, in descending order. */
export interface TripletRow extends InspectPoint {
  readonly values: readonly number[];
  /** max(|J v - s u|, |J^T u - s v|) of each triplet, in the units of the values. */
  readonly residuals: readonly number[];
  /** Distance within which each value is certain to have a singular value of J. */
  readonly bounds: readonly number[];
  readonly status: TripletStatus;
}

/** Local linearity at one point along its leading right singular vector. @source arXiv 2409.02374 (LOCO Edit); `remainder` is ours */
export interface LinearityRow extends InspectPoint {
  readonly steps: readonly LinearityMeasure[];
}

/** |J - J^T|_F / |J|_F of one Jacobian; 0 for every exact posterior mean. */
export interface SymmetryRow extends InspectPoint {
  readonly defect: number;
}

/** What a run says of its one-step edits; `eigenlens edit` says more. */
export type InspectEdits = Pick<EditResult, 'sigma' | 'vpTime' | 'images' | 'parts' | 'directions'>;

/** A rank curve from a closed form, drawn under the measured one. */
export interface InspectReference {
  /** Label of the curve (`Gaussian with the training covariance`). */
  readonly name: string;
  readonly rankCurve: readonly { readonly sigma: number; readonly ratio: number; readonly rule: EnergyRuleName }[];
}

/** Data set behind a run: its name and the hash of what was read. */
export interface InspectDataset {
  readonly name: string;
  readonly hash: string;
}

/**
 * Whether samples of the model copy its training set, as `audit` finds it: rates by every rule with their intervals, on samples
 * (`memorized`) and on held-out images (`null`). `denoising` is there of networks alone.
 */
export interface InspectCopying extends Pick<
  AuditResult,
  'verdict' | 'reason' | 'train' | 'holdout' | 'memorized' | 'null' | 'generalization' | 'denoising' | 'pairs' | 'notes'
> {
  /** How many samples were compared. */
  readonly samples: number;
  /** Largest memorized fraction that is tolerated. */
  readonly tolerance: number;
}

/** What `eigenlens inspect` found, as plain data: exactly the object that `--json` prints and `result.json` holds. */
export interface InspectResult {
  readonly model: string;
  readonly dataset: InspectDataset;
  readonly seed: number;
  /** Coordinates of every number: variance exploding, x = x0 + sigma n. */
  readonly coordinates: 'VE';
  readonly dtype: FloatDType;
  /** Versions by name; `eigenlens` and `node` always, `runtime` with its device where graphs ran. */
  readonly versions: { readonly eigenlens: string; readonly node: string; readonly runtime?: string };
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly wallMs: number;
  /** The command line that makes this run again. */
  readonly command: string;
  /** Shape of one sample: [C, H, W] for images, [D] for vectors. */
  readonly sampleShape: readonly number[];
  /** D, the product of `sampleShape`. */
  readonly dimension: number;
  /** Least and greatest value of clean data, the black and the white of images. */
  readonly valueRange: readonly [number, number];
  /** The L noise levels of the Jacobians, descending (the order of sampling). */
  readonly sigmas: readonly number[];
  readonly rankCurve: readonly RankRow[];
  readonly triplets: readonly TripletRow[];
  readonly linearity: readonly LinearityRow[];
  readonly symmetryDefect: readonly SymmetryRow[];
  readonly reference?: InspectReference;
  /** Where the training set is known. */
  readonly copying?: InspectCopying;
  /** The second model, at some of the noise levels. */
  readonly beside?: InspectResult;
  /** One-step edits of the first held-out image. */
  readonly edit?: InspectEdits;
  /** Where networks ran. */
  readonly device?: DeviceName;
  /** How a foreign network was read, and what real images said to that. */
  readonly reading?: ToldReading;
  /** Names of the files written, inside the run folder. */
  readonly files: readonly string[];
}

/**
 * The arrays of a run; keys are the names in `arrays.npz`.
 * L noise levels, I held-out images, K triplets, D dimension, S the sample shape, T trajectory states, M samples.
 * Every noise level of the result is also a state of the trajectory, so T >= L.
 * Those of a second model have the same names after `beside_`.
 */
export interface InspectArrays {
  /** [L] float64, descending. */
  readonly sigmas: Tensor<'float64'>;
  /** [I, ...S] clean held-out samples. */
  readonly heldout: FloatTensor;
  /** [L, I, ...S] x0 + sigma n, the points of site `heldout`. */
  readonly noisy: FloatTensor;
  /** [L, I, ...S] D(noisy; sigma). */
  readonly denoised: FloatTensor;
  /** [L, I, D] all singular values, descending. */
  readonly spectra_heldout: Tensor<'float64'>;
  /** [L, 1, D] all singular values, descending. */
  readonly spectra_trajectory: Tensor<'float64'>;
  /** [L, I, K, D] leading left singular vectors, unit length. */
  readonly left_heldout: FloatTensor;
  /** [L, I, K, D] leading right singular vectors, unit length. */
  readonly right_heldout: FloatTensor;
  /** [L, 1, K, D] */
  readonly left_trajectory: FloatTensor;
  /** [L, 1, K, D] */
  readonly right_trajectory: FloatTensor;
  /** [T] float64, descending. */
  readonly trajectory_sigmas: Tensor<'float64'>;
  /** [T, ...S] states of the trajectory. */
  readonly trajectory_x: FloatTensor;
  /** [T, ...S] D at those states. */
  readonly trajectory_denoised: FloatTensor;
  /** [M, ...S] samples drawn from the model. */
  readonly samples: FloatTensor;
  /** [M, ...S] nearest training sample of each drawn sample, in Euclidean distance. */
  readonly nearest?: FloatTensor;
  /** [M] float64: |sample - nearest| / sqrt(D). */
  readonly nearest_distance?: Tensor<'float64'>;
  /** [P, ...S] the samples closest to their training samples, in the order of `copying.pairs`. */
  readonly closest?: Tensor<'float32'>;
  /** [P, ...S] the training sample that each of them is closest to. */
  readonly closest_training?: Tensor<'float32'>;
}
