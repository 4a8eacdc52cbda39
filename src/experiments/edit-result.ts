import type { DirectionMethod } from '../editing/direction-set.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { PartDirections } from './edit-directions.ts';
import type { EditSpec } from './edit-spec.ts';
import type { ToldReading } from './open-model.ts';

/** One image of a run: the one edited first, then those that directions are transferred to. */
export interface EditedImage {
  /** Such as `faces-heldout 3` or a file name. */
  readonly name: string;
  /** Of inversion to the noise level and back, dB over the data's range; null where not a bit differs. */
  readonly roundTripPsnr: number | null;
}

/** One part of the image in which directions were sought. */
export interface EditPart {
  /** Such as `part 2`, `mouth.png`, or `whole image`. */
  readonly name: string;
  /** Share of the pixels; 1 without a mask. */
  readonly share: number;
  readonly maskHash?: string | undefined;
  /** Files of the part's directions, where the run wrote any. */
  readonly file?: string | undefined;
}

/** What an edit by one direction at one strength changed, against the image without an edit. */
export interface EditChange {
  /** VP coordinates. */
  readonly strength: number;
  /** Mean squared error per pixel and channel, inside and outside the mask; the outside is null without a mask. */
  readonly inside: number;
  readonly outside: number | null;
  /** Of the whole image and of the outside; null where the samples are no images. */
  readonly ssim: number | null;
  readonly ssimOutside: number | null;
  /** By the user's perceptual graph. */
  readonly perceptual?: number | undefined;
}

/** How much one attribute changes, in standard deviations of the data. */
export interface AttributeShift {
  readonly name: string;
  /** At the largest negative and at the largest positive strength. */
  readonly minus: number;
  readonly plus: number;
}

/** One direction: what is certified, predicted and measured of it. */
export interface EditDirection {
  /** From 1, over all parts. */
  readonly number: number;
  /** Index in `parts`. */
  readonly part: number;
  readonly method: DirectionMethod;
  /** Singular value of the masked Jacobian (VE) and its residual; null where the method has none. */
  readonly value: number | null;
  readonly residual: number | null;
  /** Length that the null-space projection left. */
  readonly kept: number;
  /** Predicted change of the posterior mean a unit of step (VE): inside and outside. */
  readonly gain: number;
  readonly leak: number;
  /** Measured slope of the posterior mean along the prediction, a unit of step (VE), and R^2 of the line. */
  readonly slope: number;
  readonly rSquared: number;
  /** Least cosine between the posterior mean and its linear model over the strengths. */
  readonly linearity: number;
  readonly changes: readonly EditChange[];
  /** Inside over outside at the largest strengths, mean of both signs; null without a mask. */
  readonly ratio: number | null;
  /** Median over the other images of the cosine between their change and this image's, at the largest strengths; null without others. */
  readonly transfer: number | null;
  /** Attributes by falling shift; where a judge was asked. */
  readonly attributes?: readonly AttributeShift[] | undefined;
}

/** Several directions at once. */
export interface EditComposition {
  readonly terms: readonly { readonly direction: number; readonly strength: number }[];
  /** |both - sum| / |sum|: 0 where effects add up. */
  readonly remainder: number;
  readonly cosine: number;
}

/** What `eigenlens edit` found: plain data. */
export interface EditResult {
  readonly spec: EditSpec;
  readonly model: { readonly name: string; readonly hash: string };
  readonly sampleShape: readonly number[];
  readonly valueRange: readonly [number, number];
  /** Noise level of the edit: VE, and time on the linear VP schedule of DDPM. */
  readonly sigma: number;
  readonly vpTime: number;
  readonly images: readonly EditedImage[];
  readonly parts: readonly EditPart[];
  readonly directions: readonly EditDirection[];
  readonly composition?: EditComposition | undefined;
  /** Largest |Vb^T v| over all parts. */
  readonly orthogonality: number;
  /** Held-out R^2 of the judge by attribute, where one was asked. */
  readonly judge?: Readonly<Record<string, number>> | undefined;
  /** Seconds: to find the directions of all parts, and to apply one to one image at all strengths. */
  readonly seconds: { readonly find: number; readonly apply: number };
  /** What must be said beside the numbers. */
  readonly notes: readonly string[];
  readonly reading?: ToldReading | undefined;
  readonly seed: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly wallMs: number;
  readonly command: string;
  readonly files: readonly string[];
}

/** What a run holds in memory, for files and figures; D directions, S strengths, M other images. */
export interface EditArrays {
  /** [1 + M, ...sampleShape]: the image and the others. */
  readonly images: FloatTensor;
  /** The same after inversion and back, without an edit. */
  readonly reconstructions: FloatTensor;
  /** The same at the noise level. */
  readonly noisy: FloatTensor;
  /** [D, n] unit rows. */
  readonly directions: Tensor<'float64'>;
  /** [S], VP coordinates, ascending. */
  readonly strengths: Tensor<'float64'>;
  /** [D, S, ...sampleShape]: the image edited. */
  readonly edits: FloatTensor;
  /** [D, M, 2, ...sampleShape]: the others at the lowest and the highest strength. */
  readonly transfers?: FloatTensor | undefined;
  /** [P, H, W] flags of the parts, in order; without one where an edit is global. */
  readonly masks?: Tensor<'uint8'> | undefined;
  /** [T + 1, ...sampleShape]: each term of the composition alone, then all at once. */
  readonly composition?: FloatTensor | undefined;
}

/** Everything that a run found. */
export interface EditRun {
  readonly result: EditResult;
  readonly arrays: EditArrays;
  /** Directions of every part, to be saved. */
  readonly parts: readonly PartDirections[];
}
