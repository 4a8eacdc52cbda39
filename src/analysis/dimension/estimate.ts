/** An estimated dimension with an interval of about 95 %. */
export interface DimensionEstimate {
  readonly dimension: number;
  readonly low: number;
  readonly high: number;
  /** How the interval was made, and what it leaves out. */
  readonly interval: string;
  /** Samples that the estimate averages over. */
  readonly samples: number;
  /** Mean distance to the outermost neighbour used: the scale at which the data have this dimension. */
  readonly scale: number;
}
