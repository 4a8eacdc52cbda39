import { subset } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { computeMoments } from '../../../src/data/moments.ts';
import { eigh } from '../../../src/linalg/eigh.ts';
import { gramKernel } from '../../../src/linalg/gram.ts';
import { normal, randomKey } from '../../../src/tensor/random.ts';
import { projectionGains } from '../../../src/theory/power-iteration.ts';
import { aspectRatio, criticalNoise } from '../../../src/theory/spiked-covariance.ts';
import type { Operation } from '../../compute/protocol.ts';
import { FASHION_TRAIN, openFashion } from '../../shipped/fashion.ts';
import { reverseFactors } from './closed-forms.ts';
import type { CorrelationState } from './room.ts';

/** What the images depend on. */
export type ImageInput = Pick<CorrelationState, 'samples' | 'draws' | 'image' | 'seed'>;

/** A picture with noise, and what the mean learned projection makes of it: mean + sum of cos^2 u u^T (x - mean). Both flat. */
export interface Denoised {
  readonly noisy: Float32Array;
  readonly estimate: Float32Array;
}

/** One noise level, from high to low. */
export interface ImageLevel {
  readonly sigma: number;
  /** Directions that can be learned at this noise. */
  readonly found: number;
  /** The held-out image with noise of this level. */
  readonly heldOut: Denoised;
  /** The reverse process when it comes here, which began with noise alone. */
  readonly process: Denoised;
}

/** What becomes of one direction in the reverse process; it counts from 0. */
export interface DirectionPath {
  readonly direction: number;
  /** Standard deviation of the data along it. */
  readonly spread: number;
  /** Standard deviation of the state along it at every level of `sigmas`. */
  readonly state: Float64Array;
}

/** Images on their way back from noise. */
export interface ReversedImage {
  /** [C, H, W] */
  readonly shape: readonly number[];
  readonly clean: Float32Array;
  readonly levels: readonly ImageLevel[];
  /** Every step of the process, descending; the pictures are of some of them. */
  readonly sigmas: readonly number[];
  /** Noise level at which each direction is lost, descending; 0 where the data do not vary. */
  readonly critical: Float64Array;
  /** The first direction, the third, the ninth, and so on. */
  readonly paths: readonly DirectionPath[];
  /** The first directions, flat, of unit length. */
  readonly directions: readonly Float32Array[];
}

/** Principal components of images. */
export interface Basis {
  readonly mean: Float64Array;
  /** Descending. */
  readonly variances: Float64Array;
  /** [D, D], a direction a row. */
  readonly vectors: Float64Array;
}

const LEVELS = 8;
/** Steps of the process from one picture to the next. */
const SUBSTEPS = 12;
const DIRECTIONS = 9;
/** Lowest noise level, where the eye sees none. */
const LOWEST = 0.05;

let basis: Promise<Basis> | undefined;
let heard: (done: number, total: number) => void;

/** Takes noise off a held-out image, and runs the reverse process from noise alone, with as many samples as the state says. */
export const reverseImage: Operation<ImageInput, ReversedImage> = async (input, { progress }) => {
  heard = progress;
  const images = await openFashion();
  // Learned once, whatever becomes of the request that asked first.
  basis ??= learn(subset(images, { end: FASHION_TRAIN }, 'fashion-train'));
  basis.catch(() => (basis = undefined));
  const known = await basis;
  const clean = (await images.read([FASHION_TRAIN + input.image])).data;
  return { shape: images.sampleShape, clean, ...comeBack(known, clean, input) };
};

/** All but the picture itself: see `ReversedImage`. */
export function comeBack(
  known: Basis,
  clean: Float32Array,
  { samples, draws, image, seed }: ImageInput,
): Omit<ReversedImage, 'shape' | 'clean'> {
  const D = known.mean.length;
  const gamma = aspectRatio(D, samples, draws);
  const floor = (known.variances[0] as number) * D * Number.EPSILON;
  const variances = known.variances.map((variance) => (variance > floor ? variance : 0));
  const critical = variances.map((variance) => criticalNoise(variance, gamma));
  const sigmas = levelsFrom(1.2 * (critical[0] as number));
  const factors = reverseFactors(variances, gamma, sigmas);
  const unit = (name: string): Float64Array => normal(randomKey(seed, name, image), [D]).data;
  const [noise, start] = [unit('reverse-image'), along(known, unit('reverse-process'))];
  const offset = along(
    known,
    clean.map((x, j) => x - (known.mean[j] as number)),
  );
  const noiseAlong = along(known, noise);
  const at = (step: number): ImageLevel => {
    const sigma = sigmas[step] as number;
    const gains = projectionGains(variances, sigma ** 2, gamma);
    const denoised = (coefficients: Float64Array): Denoised => ({
      noisy: picture(known, coefficients),
      estimate: picture(
        known,
        coefficients.map((c, i) => c * (gains[i] as number)),
      ),
    });
    const state = start.map((c, i) => (sigmas[0] as number) * (factors[step]?.[i] as number) * c);
    return {
      sigma,
      found: gains.filter((gain) => gain > 0).length,
      heldOut: denoised(offset.map((c, i) => c + sigma * (noiseAlong[i] as number))),
      process: denoised(state),
    };
  };
  return {
    levels: Array.from({ length: LEVELS }, (_, i) => at(i * SUBSTEPS)),
    sigmas,
    critical,
    paths: triplings(D).map((direction) => ({
      direction,
      spread: Math.sqrt(variances[direction] as number),
      state: Float64Array.from(factors, (factor) => (sigmas[0] as number) * (factor[direction] as number)),
    })),
    directions: Array.from({ length: DIRECTIONS }, (_, i) =>
      Float32Array.from(known.vectors.subarray(i * D, (i + 1) * D)),
    ),
  };
}

/** Noise levels in equal ratios, descending. */
function levelsFrom(highest: number): number[] {
  const steps = (LEVELS - 1) * SUBSTEPS;
  return Array.from({ length: steps + 1 }, (_, k) => highest * (LOWEST / highest) ** (k / steps));
}

/** 0, 2, 8, 26, ... below a number: one less than the powers of three. */
function triplings(end: number): number[] {
  return Array.from({ length: Math.floor(Math.log(end) / Math.log(3)) + 1 }, (_, i) => 3 ** i - 1);
}

async function learn(training: Dataset): Promise<Basis> {
  const { mean, covariance } = await computeMoments(training, {
    gram: gramKernel,
    onProgress: (done, total) => heard(done, total),
  });
  const { values, vectors } = eigh(covariance);
  return { mean, variances: values, vectors: vectors.data };
}

/** Coefficients of a vector along every direction. */
function along({ vectors }: Basis, x: ArrayLike<number>): Float64Array {
  const D = x.length;
  return Float64Array.from({ length: D }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < D; j++) sum += (vectors[i * D + j] as number) * (x[j] as number);
    return sum;
  });
}

/** The mean and a multiple of every direction. */
function picture({ mean, vectors }: Basis, coefficients: Float64Array): Float32Array {
  const D = mean.length;
  const out = mean.slice();
  coefficients.forEach((c, i) => {
    if (c === 0) return;
    for (let j = 0; j < D; j++) out[j] = (out[j] as number) + c * (vectors[i * D + j] as number);
  });
  return Float32Array.from(out);
}
