import { compareOutputs } from '../analysis/gaussianity.ts';
import type { Closeness } from '../analysis/gaussianity.ts';
import { linearityScore } from '../analysis/linearity.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { distillLinear } from '../denoisers/distill.ts';
import { SpecError, throwIfAborted } from '../errors/errors.ts';
import { normal, permutation, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { dataMoments } from './data-moments.ts';
import { gaussianityFigures } from './gaussianity-figures.ts';
import { gaussianityModels } from './gaussianity-models.ts';
import type { ModelName } from './gaussianity-models.ts';
import type { PlainFigure } from './plain-figure.ts';

/** Which denoiser is compared with which models, and where. */
export interface GaussianityOptions {
  readonly denoiser: Denoiser;
  /** Data that the models are made of. */
  readonly train: Dataset;
  /** Data whose samples are noised. */
  readonly heldout: Dataset;
  readonly models: readonly ModelName[];
  readonly sigmas: readonly number[];
  /** Held-out samples at each noise level. */
  readonly samples: number;
  /** Pairs of noisy samples of the linearity score. */
  readonly pairs: number;
  /** Pairs a noise level of the distilled model. */
  readonly draws: number;
  readonly ridge: number;
  /** Rank of the low-rank Gaussian. */
  readonly rank: number;
  /** Side of the local machines' patches. */
  readonly patch: number;
  /** Most training images of LS, which weighs one patch of each for a pixel. */
  readonly lsImages: number;
  /** Most training images of ELS, which weighs every patch of each for a pixel. */
  readonly elsImages: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number, label: string) => void) | undefined;
}

/** One model beside the denoiser at one noise level. */
export interface ModelCloseness extends Closeness {
  readonly model: ModelName;
  readonly sigma: number;
}

/** What holds of the denoiser itself at one noise level. */
export interface LevelFacts {
  readonly sigma: number;
  /** E |cos(D(a x1 + b x2), a D(x1) + b D(x2))|, a = b = 1 / sqrt(2). */
  readonly linearity: number;
  /** Root of its mean squared error a coordinate against the clean samples. */
  readonly error: number;
  /** Fit of the distilled model: rmse on its own pairs and condition; absent without it. */
  readonly distilled?: { readonly residual: number; readonly condition: number };
}

/** How Gaussian a denoiser is: plain data, arrays and figures. */
export interface Gaussianity {
  readonly result: {
    readonly model: string;
    readonly train: { readonly name: string; readonly hash: string };
    readonly heldout: { readonly name: string; readonly hash: string };
    readonly settings: Pick<
      GaussianityOptions,
      'models' | 'samples' | 'pairs' | 'draws' | 'ridge' | 'rank' | 'patch' | 'lsImages' | 'elsImages' | 'seed'
    >;
    readonly sigmas: readonly number[];
    readonly levels: readonly LevelFacts[];
    readonly closeness: readonly ModelCloseness[];
  };
  readonly arrays: Readonly<Record<string, Tensor>>;
  readonly figures: Readonly<Record<string, PlainFigure>>;
}

/**
 * Compares a denoiser with Gaussian, linear, low-rank, empirical and local ones on noisy held-out samples, level by level.
 * @throws SpecError for more samples than there are; CancelledError; whatever the denoisers throw
 * @source arXiv 2410.24060 (linearity score, D_L, D_G, rmse); arXiv 2412.09726 (explained variances); arXiv 2412.20292 (local machines)
 */
export async function measureGaussianity(options: GaussianityOptions): Promise<Gaussianity> {
  const { denoiser, train, heldout, sigmas, models: names, signal, onProgress } = options;
  const clean = await heldoutSamples(options);
  const distilled = names.includes('linear') ? await distil(options) : undefined;
  const moments = await dataMoments(train, signal);
  const models = await gaussianityModels(options, moments, distilled?.denoiser);
  const levels: LevelFacts[] = [];
  const closeness: ModelCloseness[] = [];
  const outputs = new Map<string, Float64Array>();
  const [, ...shape] = clean.shape;
  for (const [i, sigma] of sigmas.entries()) {
    throwIfAborted('gaussianity', signal);
    const x = addNoise(clean, sigma, options.seed);
    const net = await inBatches(denoiser, x, sigma, signal);
    keep(outputs, 'network', i, sigmas.length, net);
    levels.push({
      sigma,
      linearity: await linearityAt(options, clean, sigma),
      error: rootMeanSquare(net.data.map((v, j) => v - (clean.data[j] as number))),
      ...(distilled && { distilled: fitAt(distilled, i) }),
    });
    for (const { name, denoiser: model } of models) {
      const out = await inBatches(model, x, sigma, signal);
      keep(outputs, name, i, sigmas.length, out);
      closeness.push({ model: name, sigma, ...compareOutputs(x, net, out) });
    }
    onProgress?.(i + 1, sigmas.length, 'comparing');
  }
  const { samples, pairs, draws, ridge, rank, patch, lsImages, elsImages, seed } = options;
  const result = {
    model: denoiser.name,
    train: { name: train.name, hash: await train.hash() },
    heldout: { name: heldout.name, hash: await heldout.hash() },
    settings: { models: names, samples, pairs, draws, ridge, rank, patch, lsImages, elsImages, seed },
    sigmas,
    levels,
    closeness,
  };
  const arrays: Record<string, Tensor> = {
    sigmas: tensor('float64', [sigmas.length], Float64Array.from(sigmas)),
    clean,
  };
  for (const [name, data] of outputs) {
    arrays[`denoised_${name.replaceAll('-', '_')}`] = tensor('float64', [sigmas.length, ...clean.shape], data);
  }
  return { result, arrays, figures: gaussianityFigures(levels, closeness, outputs, shape, heldout.range) };
}

async function heldoutSamples({ heldout, samples, seed }: GaussianityOptions): Promise<Tensor<'float32'>> {
  if (!Number.isInteger(samples) || samples < 1 || samples > heldout.count) {
    throw new SpecError(
      'gaussianity',
      `expected samples to be an integer from 1 to ${heldout.count}, those of ${heldout.name}, got ${samples}.`,
    );
  }
  return heldout.read(permutation(randomKey(seed, 'heldout'), heldout.count).slice(0, samples));
}

async function distil(options: GaussianityOptions): Promise<Awaited<ReturnType<typeof distillLinear>>> {
  const { denoiser, train, sigmas, draws, ridge, seed, signal, onProgress } = options;
  const indices = permutation(randomKey(seed, 'distill-samples'), train.count).slice(0, Math.min(draws, train.count));
  return distillLinear(denoiser, {
    clean: await train.read(indices),
    sigmas, draws, ridge, seed, signal,
    onProgress: (done, total) => onProgress?.(done, total, 'distilling'),
  }); // prettier-ignore
}

function fitAt(
  { levels }: Awaited<ReturnType<typeof distillLinear>>,
  i: number,
): { residual: number; condition: number } {
  const level = levels[i] as (typeof levels)[number];
  return { residual: level.residual, condition: level.condition };
}

/** One noise draw a sample, scaled to every level. */
function addNoise(clean: FloatTensor, sigma: number, seed: number, path: string = 'noise'): Tensor<'float64'> {
  const z = normal(randomKey(seed, 'gaussianity', path), clean.shape);
  return { ...z, data: z.data.map((v, i) => (clean.data[i] as number) + sigma * v) };
}

/** Pairs of the clean samples with fresh noise, taken round and round. */
async function linearityAt(
  { denoiser, pairs, seed }: GaussianityOptions,
  clean: FloatTensor,
  sigma: number,
): Promise<number> {
  const [count = 1, ...shape] = clean.shape;
  const size = clean.data.length / count;
  const pick = (offset: number): Tensor<'float64'> => {
    const data = new Float64Array(pairs * size);
    for (let p = 0; p < pairs; p++) {
      const from = ((2 * p + offset) % count) * size;
      data.set(clean.data.subarray(from, from + size), p * size);
    }
    return addNoise(tensor('float64', [pairs, ...shape], data), sigma, seed, `pair ${offset}`);
  };
  return linearityScore(denoiser, pick(0), pick(1), sigma);
}

/** Samples handed to a denoiser at once. */
const batchSize = 16;

async function inBatches(
  denoiser: Denoiser,
  x: Tensor<'float64'>,
  sigma: number,
  signal: AbortSignal | undefined,
): Promise<Tensor<'float64'>> {
  const [count = 0, ...shape] = x.shape;
  const size = x.data.length / count;
  const data = new Float64Array(x.data.length);
  for (let first = 0; first < count; first += batchSize) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // closed forms never wait: let an interrupt be heard
    throwIfAborted('gaussianity', signal);
    const end = Math.min(first + batchSize, count);
    const part = tensor('float64', [end - first, ...shape], x.data.subarray(first * size, end * size));
    data.set((await denoiser.denoise(part, sigma)).data, first * size);
  }
  return { ...x, data };
}

function keep(
  outputs: Map<string, Float64Array>,
  name: string,
  level: number,
  levels: number,
  { data }: Tensor<'float64'>,
): void {
  const all = outputs.get(name) ?? new Float64Array(levels * data.length);
  all.set(data, level * data.length);
  outputs.set(name, all);
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
}
