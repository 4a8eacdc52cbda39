import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import type { InspectProgress } from './inspect-points.ts';
import type { ToldReading } from './open-model.ts';

/** What a run edits with, and what it says of itself. */
export interface EditSubject {
  readonly denoiser: Denoiser;
  /** Clean samples that the denoiser was not made from: images to edit and to transfer to. */
  readonly heldout: Dataset;
  /** For the baseline `pca` and the judge. */
  readonly train?: Dataset | undefined;
  /** The same model under the condition to edit towards. */
  readonly wanted?: Denoiser | undefined;
  readonly device?: DeviceName | undefined;
  readonly reading?: ToldReading | undefined;
  readonly command: string;
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: InspectProgress) => void) | undefined;
}
