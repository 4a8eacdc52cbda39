import { checkReading } from '../analysis/self-check.ts';
import type { SelfCheck } from '../analysis/self-check.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { alternatives, labelOf } from '../diffusion/alternatives.ts';
import type { Alternative, Reading } from '../diffusion/alternatives.ts';
import { parameterization } from '../diffusion/parameterization.ts';
import { usualRange } from '../diffusion/side-car.ts';
import { NumericalError } from '../errors/errors.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { sizeOf } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { ForeignNetwork } from './foreign-network.ts';

/** A reading of a foreign network as real images judge it. */
export interface JudgedReading {
  /** Errors of the stated reading and of the others that were tried. */
  readonly check: SelfCheck;
  /** The best of the readings. */
  readonly best: Alternative;
  /** What is stated, undefined where nothing is. */
  readonly stated: Alternative | undefined;
  readonly images: number;
}

/** How long and how widely other readings are tried. */
export interface JudgeOptions {
  /** Default Infinity. */
  readonly budgetMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * The network as a denoiser of house images in one reading; points and latents have no black and white to map.
 * @param release  called when the denoiser is disposed
 */
export function denoiserOf(foreign: ForeignNetwork, reading: Reading, release?: () => Promise<void>): Denoiser {
  const modelRange = hasPixels(foreign) ? reading.range : usualRange;
  return foreign.network.denoiser(
    { parameterization: parameterization(reading.parameterization), modelRange },
    release,
  );
}

function hasPixels({ sampleShape, autoencoder }: ForeignNetwork): boolean {
  return sampleShape.length === 3 && autoencoder === undefined;
}

/** The reading to begin with: what is stated, or what most models are. */
export function firstReading({ facts, roles }: ForeignNetwork): Reading {
  if (facts.reading !== undefined) return facts.reading;
  return {
    parameterization: { kind: roles.time === undefined ? 'residual' : 'epsilon' },
    range: facts.wishes.range ?? usualRange,
  };
}

/**
 * Tries the stated reading and others on noisy images.
 * @param images  [N, ...sampleShape], clean, in house units
 */
export async function judgeReading(
  foreign: ForeignNetwork,
  images: FloatTensor,
  options: JudgeOptions = {},
): Promise<JudgedReading> {
  const first = firstReading(foreign);
  const isImage = hasPixels(foreign);
  const others = alternatives(first, foreign.roles.time !== undefined).filter(
    ({ range }) => isImage || (range.low === first.range.low && range.high === first.range.high),
  );
  const all: Alternative[] = [{ ...first, label: labelOf(first) }, ...others];
  const readings = all.map((reading) => ({ label: reading.label, denoiser: denoiserOf(foreign, reading) }));
  const check = await checkReading(images, readings, { ...options, sigmas: levelsFor(foreign, first, isImage) }).catch(
    (cause: unknown) => {
      if (!(cause instanceof NumericalError)) throw cause;
      throw new NumericalError(
        `model '${foreign.facts.name}'`,
        'gives no finite values under any reading. Check its weights, and export it in float32.',
        { cause },
      );
    },
  );
  const best = all.find(({ label }) => label === check.best.label) as Alternative;
  return { check, best, stated: foreign.facts.reading && all[0], images: images.shape[0] as number };
}

/** Few enough images that a large network answers in seconds: 16 up to 3x32x32, 4 up to 3x64x64, then 2. */
export async function imagesForCheck(dataset: Dataset): Promise<FloatTensor> {
  const dimension = sizeOf(dataset.sampleShape);
  const count = dimension <= 3072 ? 16 : dimension <= 12_288 ? 4 : 2;
  const order = permutation(randomKey(0, 'self-check-images'), dataset.count);
  return dataset.read(order.slice(0, Math.min(count, dataset.count)));
}

/** Three noise levels in house units, inside what the network was trained on; blind networks know small noise only. */
function levelsFor({ roles }: ForeignNetwork, reading: Reading, isImage: boolean): number[] {
  const { min, max } = parameterization(reading.parameterization).sigmaRange;
  const scale = isImage ? (usualRange.high - usualRange.low) / (reading.range.high - reading.range.low) : 1;
  const levels = roles.time === undefined ? [0.1, 0.2, 0.4] : [0.2, 0.6, 2];
  return levels.map((sigma) => Math.min(Math.max(sigma, min * scale), max * scale));
}
