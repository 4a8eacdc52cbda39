import type { DenoiserDistance, DenoisingGap } from '../analysis/copying/denoising.ts';
import type { CosineHistogram } from '../analysis/copying/histogram.ts';
import type { Interval, Rate } from '../analysis/copying/interval.ts';
import type { CopyRule, ThresholdSource } from '../analysis/copying/rules.ts';
import type { LeftOut } from '../data/dataset.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { AuditSpec } from './audit-spec.ts';

/** What an audit concludes. */
export type AuditVerdict = 'copies' | 'does not copy' | 'not enough evidence';

/** A rate of copies by one rule with its exact 95 % interval. */
export interface AuditRate extends Rate {
  readonly rule: CopyRule;
  readonly threshold: number;
  readonly source: ThresholdSource;
  readonly descriptor: string;
}

/** Rates of copies at many thresholds. */
export interface AuditSweep {
  readonly rule: CopyRule;
  readonly descriptor: string;
  readonly thresholds: readonly number[];
  readonly samples: readonly Interval[];
  readonly null: readonly Interval[];
}

/** A data set of an audit. */
export interface AuditData {
  readonly name: string;
  readonly count: number;
  readonly hash: string;
  readonly leftOut: readonly LeftOut[];
}

/** A sample beside its nearest training image by the first descriptor. */
export interface AuditPair {
  /** Number of the sample. */
  readonly sample: number;
  /** Place in the training set. */
  readonly nearest: number;
  /** Of the descriptions; by `pixels`, the root mean square difference in data units. */
  readonly distance: number;
  /** Over that of the second nearest. */
  readonly ratio?: number | undefined;
}

/** Images of the training set that are there more than once. */
export interface AuditDuplicates {
  /** Images that equal an earlier one to the last bit. */
  readonly exact: number;
  /** Images within `threshold` of an earlier one, the exact ones among them. */
  readonly near: number;
  /** Root mean square pixel difference, data units. */
  readonly threshold: number;
  /** Places of the largest groups, largest first. */
  readonly groups: readonly (readonly number[])[];
}

/** Everything that `audit` prints. */
export interface AuditResult {
  readonly job: 'audit';
  readonly spec: AuditSpec;
  readonly verdict: AuditVerdict;
  /** One sentence. */
  readonly reason: string;
  readonly subject: {
    readonly name: string;
    readonly kind: 'model' | 'images';
    readonly samples: number;
    /** Files of the images that cannot be used. */
    readonly leftOut: readonly LeftOut[];
  };
  readonly train: AuditData;
  /** Undefined where training images, each left out in turn, stand for held-out ones. */
  readonly holdout?: AuditData | undefined;
  readonly sampleShape: readonly number[];
  readonly valueRange: readonly [number, number];
  /** By which images were compared: as the spec says, or what their shape allows. */
  readonly descriptors: readonly string[];
  /** Memorized fraction by every rule and descriptor. */
  readonly memorized: readonly AuditRate[];
  /** The same rules on held-out images: what they say of a model that copies nothing. */
  readonly null: readonly AuditRate[];
  /** GL = 1 - memorized fraction by the rule of the papers, where it has a rate. */
  readonly generalization?: Interval | undefined;
  readonly duplicates: AuditDuplicates;
  /** PSNR on training and held-out images over noise; of models. */
  readonly denoising?: readonly DenoisingGap[] | undefined;
  /** RMSE to the `gaussian` and the `empirical` denoiser of the training set over noise, at held-out images; of models. */
  readonly closeness?: readonly DenoiserDistance[] | undefined;
  /** Every sample, the closest to its training image first. */
  readonly pairs: readonly AuditPair[];
  readonly sweeps: readonly AuditSweep[];
  /** Cosines of `samples` and of `held-out images` with their nearest training images. */
  readonly histograms: readonly CosineHistogram[];
  readonly notes: readonly string[];
  readonly seed: number;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly wallMs: number;
  readonly files: readonly string[];
}

/** What goes to the NPZ file and the pictures. */
export interface AuditArrays {
  /** [M, ...sampleShape], worst first, as `pairs`. */
  readonly samples: Tensor<'float32'>;
  /** [M, ...sampleShape], the nearest training image of each. */
  readonly nearest: Tensor<'float32'>;
  /** Distances and ratios by descriptor, of samples and of held-out images. */
  readonly scores: Readonly<Record<string, Tensor<'float64'>>>;
}
