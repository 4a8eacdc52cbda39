import type { SelfCheck } from '../analysis/self-check.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import type { Tensor, FloatTensor } from '../tensor/tensor.ts';

/** The reading of a foreign network, as a run says it. */
export interface ToldReading {
  /** The reading in use, `epsilon, linear, pixels -1..1`. */
  readonly label: string;
  /** Who stated it; undefined where it was found by trying. */
  readonly by?: string | undefined;
  readonly check: SelfCheck;
}

/** A denoiser with the data that belong to it; whoever opened it disposes the denoiser. */
export interface OpenModel {
  readonly denoiser: Denoiser;
  /** Clean samples that the denoiser was not made from. */
  readonly heldout: Dataset;
  /** What the denoiser was made from, where that is a data set. */
  readonly train?: Dataset | undefined;
  /** Eigenvalues of the covariance of the data, where they came for free. */
  readonly variances?: Float64Array | undefined;
  /** How a foreign network is read, as real images judged it; undefined for our own models and where the check was left out. */
  readonly reading?: ToldReading | undefined;
  /** Pictures of a latent model's samples [B, ...sampleShape] to [B, c, h, w]. */
  readonly decode?: ((latents: FloatTensor) => Promise<Tensor<'float32'>>) | undefined;
}
