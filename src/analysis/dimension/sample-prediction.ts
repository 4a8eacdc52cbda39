/** How many samples a rule asks for at a dimension. */
export interface SamplePrediction {
  readonly rule: string;
  /** Samples for each dimension. */
  readonly perDimension: number;
  /** Samples at the estimate and at the ends of its interval, whole. */
  readonly samples: number;
  readonly low: number;
  readonly high: number;
  readonly source: string;
  /** `theorem` holds for the ideal model; `second-hand` was not read in the paper itself but in reviews and notes on it. */
  readonly status: 'theorem' | 'second-hand';
}

const rules: readonly Pick<SamplePrediction, 'rule' | 'perDimension' | 'source' | 'status'>[] = [
  {
    rule: 'recovery of a subspace',
    perDimension: 1,
    source: 'Wang et al. 2024, arXiv 2409.02426, theorems for one and several subspaces: not below N = d samples each',
    status: 'theorem',
  },
  {
    rule: 'U-Net on low-rank Gaussians',
    perDimension: 50,
    source: 'arXiv 2409.02426 v5: generalization levels off at about 50 d samples a subspace; from a note',
    status: 'second-hand',
  },
  {
    rule: 'U-Net on low-rank Gaussians',
    perDimension: 60,
    source: 'arXiv 2409.02426 v1 to v4: the same at about 60 d; from reviews',
    status: 'second-hand',
  },
  {
    rule: 'U-Net on photographs',
    perDimension: 630,
    source:
      'arXiv 2409.02426 v5: N_min about 630 times the intrinsic dimension of CIFAR-10, CelebA, FFHQ and AFHQ, by an estimator not known; from a note',
    status: 'second-hand',
  },
];

/**
 * Numbers of training samples at which a denoiser of data of this dimension is said to generalize, one a source.
 * For a union of subspaces the numbers of the first three rules are for each of them.
 * @param dimension  estimate with the ends of its interval, >= 0
 */
export function predictSamples(dimension: {
  readonly dimension: number;
  readonly low: number;
  readonly high: number;
}): SamplePrediction[] {
  return rules.map((rule) => ({
    ...rule,
    samples: Math.ceil(rule.perDimension * dimension.dimension),
    low: Math.ceil(rule.perDimension * dimension.low),
    high: Math.ceil(rule.perDimension * dimension.high),
  }));
}
