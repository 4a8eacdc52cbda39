import { subset } from '../../../src/data/dataset.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { computeMoments } from '../../../src/data/moments.ts';
import { eigh } from '../../../src/linalg/eigh.ts';
import { gramKernel } from '../../../src/linalg/gram.ts';
import { normal, randomKey } from '../../../src/tensor/random.ts';
import { aspectRatio, criticalNoise, overlapSquared } from '../../../src/theory/spiked-covariance.ts';
import type { Operation } from '../../compute/protocol.ts';
import { FASHION_TRAIN, openFashion } from '../../shipped/fashion.ts';
import type { CorrelationState } from './room.ts';

/** What the images depend on. */
export type ImageInput = Pick<CorrelationState, 'samples' | 'draws' | 'image' | 'seed'>;

/** One noise level of the reverse process. */
export interface ImageLevel {
  readonly sigma: number;
  /** Directions that can be learned at this noise. */
  readonly found: number;
  /** The image with noise, flat. */
  readonly noisy: Float32Array;
  /** What the mean learned projection makes of it: mean + sum of cos^2 u u^T (x - mean). */
  readonly estimate: Float32Array;
}

/** A held-out image on its way back from noise. */
export interface ReversedImage {
  /** [C, H, W] */
  readonly shape: readonly number[];
  readonly clean: Float32Array;
  /** From high noise to low. */
  readonly levels: readonly ImageLevel[];
  /** Noise level at which each direction is lost, descending; those without variance are left out. */
  readonly critical: Float64Array;
  /** The first directions, flat, of unit length. */
  readonly directions: readonly Float32Array[];
}

/** Principal components of the training images. */
interface Basis {
  readonly mean: Float64Array;
  /** Descending. */
  readonly variances: Float64Array;
  /** [D, D], a direction a row. */
  readonly vectors: Float64Array;
}

const LEVELS = 8;
const DIRECTIONS = 8;
/** Lowest noise level, where the eye sees none. */
const LOWEST = 0.05;

let basis: Promise<Basis> | undefined;
let heard: (done: number, total: number) => void;

/** Runs a held-out image back from noise with as many samples as the state says, direction by direction. */
export const reverseImage: Operation<ImageInput, ReversedImage> = async (
  { samples, draws, image, seed },
  { progress },
) => {
  heard = progress;
  const images = await openFashion();
  // Learned once, whatever becomes of the request that asked first.
  basis ??= learn(images);
  basis.catch(() => (basis = undefined));
  const known = await basis;
  const D = known.mean.length;
  const gamma = aspectRatio(D, samples, draws);
  const floor = (known.variances[0] as number) * D * Number.EPSILON;
  const critical = known.variances.filter((v) => v > floor).map((v) => criticalNoise(v, gamma));
  const clean = (await images.read([FASHION_TRAIN + image])).data;
  const noise = normal(randomKey(seed, 'reverse-image', image), [D]).data;
  const levels = levelsFrom(1.2 * (critical[0] as number)).map((sigma): ImageLevel => {
    const noisy = clean.map((x, i) => x + sigma * (noise[i] as number));
    const gains = known.variances.map((variance) => overlapSquared(Math.max(0, variance) / sigma ** 2, gamma));
    return { sigma, found: gains.filter((gain) => gain > 0).length, noisy, estimate: projected(known, gains, noisy) };
  });
  const directions = Array.from({ length: DIRECTIONS }, (_, i) =>
    Float32Array.from(known.vectors.subarray(i * D, (i + 1) * D)),
  );
  return { shape: images.sampleShape, clean, levels, critical, directions };
};

/** Noise levels in equal ratios, descending. */
function levelsFrom(highest: number): number[] {
  return Array.from({ length: LEVELS }, (_, i) => highest * (LOWEST / highest) ** (i / (LEVELS - 1)));
}

async function learn(images: Dataset): Promise<Basis> {
  const training = subset(images, { end: FASHION_TRAIN }, 'fashion-train');
  const { mean, covariance } = await computeMoments(training, {
    gram: gramKernel,
    onProgress: (done, total) => heard(done, total),
  });
  const { values, vectors } = eigh(covariance);
  return { mean, variances: values, vectors: vectors.data };
}

function projected({ mean, vectors }: Basis, gains: Float64Array, x: Float32Array): Float32Array {
  const D = mean.length;
  const out = Float64Array.from(mean);
  gains.forEach((gain, i) => {
    if (gain === 0) return;
    let along = 0;
    for (let j = 0; j < D; j++) along += (vectors[i * D + j] as number) * ((x[j] as number) - (mean[j] as number));
    for (let j = 0; j < D; j++) out[j] = (out[j] as number) + gain * along * (vectors[i * D + j] as number);
  });
  return Float32Array.from(out);
}
