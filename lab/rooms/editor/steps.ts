import { findParts } from '../../../src/analysis/parts.ts';
import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import { editPath, toImages, toNoise } from '../../../src/editing/edit-image.ts';
import type { DirectionSet } from '../../../src/editing/direction-set.ts';
import { findDirections } from '../../../src/editing/find-directions.ts';
import type { Mask } from '../../../src/editing/mask.ts';
import { castFloat, sizeOf, tensor } from '../../../src/tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../../src/tensor/tensor.ts';
import { unhurried } from '../../compute/turn.ts';

/** How a step is watched and stopped. */
export interface StepRun {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

/** Images on their way: at the noise level, and brought back without an edit. */
export interface Noised {
  /** [B * n], float64. */
  readonly noisy: Float64Array;
  /** [B * n] */
  readonly back: Float32Array;
}

/** An image cut into parts that the denoiser moves together. */
export interface FoundParts {
  /** [H * W] */
  readonly labels: Int32Array;
  readonly count: number;
}

/** Directions with what a unit step along each does. */
export interface FoundDirections {
  readonly set: DirectionSet;
  /** [K * n]: change of the posterior mean by a unit of step, VE. */
  readonly effects: Float64Array;
}

/** Parts of `eigenlens edit`, the still background among them. */
export const PARTS = 8;
/** Noise of the parts in that of the edit: there they have their clearest outlines. */
const PART_NOISE = 0.5;

/** Up to the noise level and back. @param images  [B, ...sampleShape] */
export async function noise(
  denoiser: Denoiser,
  images: FloatTensor,
  sigma: number,
  { signal, progress }: StepRun,
): Promise<Noised> {
  const path = editPath({ sigma });
  const heard = (offset: number) => ({
    signal,
    onStep: ({ i, steps }: { i: number; steps: number }) => progress(offset + i, 2 * steps + 1),
  });
  const noisy = await toNoise(denoiser, images, path, heard(0));
  const back = await toImages(denoiser, noisy, path, heard(path.grid.length - 1));
  return { noisy: castFloat(noisy, 'float64').data, back: Float32Array.from(back.data) };
}

/** Parts of one image. @param image  [1, ...sampleShape] */
export async function parts(
  denoiser: Denoiser,
  image: FloatTensor,
  sigma: number,
  { signal, progress }: StepRun,
): Promise<FoundParts> {
  const path = editPath({ sigma: sigma * PART_NOISE });
  const jacobian = patient(denoiser).linearize(await toNoise(denoiser, image, path, { signal }), path.sigma);
  const found = await findParts(jacobian, denoiser.sampleShape, { count: PARTS, signal, onProgress: progress });
  return { labels: found.labels, count: found.count };
}

/** Directions inside a mask. @param noisy  [n] at the noise level */
export async function search(
  denoiser: Denoiser,
  noisy: Float64Array,
  sigma: number,
  { mask, rank, nullRank }: { readonly mask: Mask; readonly rank: number; readonly nullRank: number },
  { signal, progress }: StepRun,
): Promise<FoundDirections> {
  const x = batchOf(denoiser, noisy);
  const blocks = nullRank === 0 ? 1 : 2;
  const set = await findDirections(patient(denoiser), x, sigma, {
    mask,
    rank,
    nullRank,
    signal,
    // Searches mostly settle early: the bar says how near the residual is to where it stops.
    onProgress: ({ block, residual, subspaceChange }) => {
      const left = Math.log10(Math.max(residual, Math.min(1, subspaceChange), TOLERANCE) / TOLERANCE);
      const part = 1 - Math.min(1, left / -Math.log10(TOLERANCE));
      progress((block === 'inside' ? 0 : 1) + part, blocks);
    },
  });
  return describe(denoiser, noisy, set);
}

/** Of `findDirections`. */
const TOLERANCE = 1e-3;

/** What directions do at a noisy image, wherever they were found. */
export async function describe(denoiser: Denoiser, noisy: Float64Array, set: DirectionSet): Promise<FoundDirections> {
  const changes = await denoiser.linearize(batchOf(denoiser, noisy), set.sigma).apply(set.vectors);
  return { set, effects: castFloat(changes, 'float64').data };
}

/** The posterior mean of a moved image: what the edit comes to in one step. */
export async function preview(
  denoiser: Denoiser,
  noisy: Float64Array,
  step: Float64Array,
  sigma: number,
): Promise<Float32Array> {
  return Float32Array.from((await denoiser.denoise(stepped(denoiser, noisy, step), sigma)).data);
}

/** Moved images brought back, all of them by the same step. @returns [B * n] */
export async function sample(
  denoiser: Denoiser,
  noisy: Float64Array,
  step: Float64Array,
  sigma: number,
  { signal, progress }: StepRun,
): Promise<Float32Array> {
  const onStep = ({ i, steps }: { i: number; steps: number }): void => progress(i, steps);
  const images = await toImages(denoiser, stepped(denoiser, noisy, step), editPath({ sigma }), { signal, onStep });
  return Float32Array.from(images.data);
}

function batchOf({ sampleShape }: Denoiser, flat: Float64Array): Tensor<'float64'> {
  return tensor('float64', [flat.length / sizeOf(sampleShape), ...sampleShape], flat);
}

function stepped(denoiser: Denoiser, noisy: Float64Array, step: Float64Array): Tensor<'float64'> {
  return batchOf(
    denoiser,
    noisy.map((v, i) => v + (step[i % step.length] as number)),
  );
}

/** A denoiser whose searches hear a cancel. */
function patient(denoiser: Denoiser): Denoiser {
  return {
    name: denoiser.name,
    sampleShape: denoiser.sampleShape,
    dtype: denoiser.dtype,
    denoise: (x, sigma) => denoiser.denoise(x, sigma),
    linearize: (x, sigma) => unhurried(denoiser.linearize(x, sigma)),
    // Whoever opened the denoiser disposes it.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
