import { measureDenoiserDistance } from '../analysis/copying/denoising.ts';
import type { DenoiserDistance } from '../analysis/copying/denoising.ts';
import { cosineHistogram } from '../analysis/copying/histogram.ts';
import type { CosineHistogram } from '../analysis/copying/histogram.ts';
import type { Rate } from '../analysis/copying/interval.ts';
import { measureReproducibility } from '../analysis/copying/reproducibility.ts';
import type { Reproducibility } from '../analysis/copying/reproducibility.ts';
import type { ThresholdSource } from '../analysis/copying/rules.ts';
import { describeAll, describeDataset } from '../analysis/descriptors/descriptor.ts';
import type { Descriptor } from '../analysis/descriptors/descriptor.ts';
import { nearestNeighbors } from '../analysis/neighbors.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { ShapeError, SpecError } from '../errors/errors.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { sameShape, showShape, takeRows } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CompareSpec } from './compare-spec.ts';
import { defaultDescriptors, openDescriptors } from './copy-descriptors.ts';
import { drawSamples } from './draw-samples.ts';
import { fitDataset } from './fit-dataset.ts';
import type { OpenModel } from './open-model.ts';

/** RP score by one descriptor. */
export interface CompareRate extends Rate {
  readonly descriptor: string;
  readonly threshold: number;
  readonly source: ThresholdSource;
  /** Median cosine. */
  readonly median: number;
}

/** Everything that `compare` prints. */
export interface CompareResult {
  readonly job: 'compare';
  readonly spec: CompareSpec;
  readonly models: readonly [string, string];
  readonly data: string;
  /** Held-out images that were noised: fewer than the spec's where the data have fewer. */
  readonly images: number;
  readonly sampleShape: readonly number[];
  readonly valueRange: readonly [number, number];
  /** RP: pairs of samples from the same noise that count as the same. */
  readonly reproducibility: readonly CompareRate[];
  /** The same of samples from different noise. */
  readonly null: readonly CompareRate[];
  /** Cosines `same noise`, `other noise`, and of each model's samples with their nearest training image. */
  readonly histograms: readonly CosineHistogram[];
  /** RMSE of the two denoisers on noised held-out images, over noise. */
  readonly denoisers: readonly DenoiserDistance[];
  /** Number of the latent and cosine of its two samples, the least alike first. */
  readonly pairs: readonly { readonly sample: number; readonly cosine: number }[];
  readonly notes: readonly string[];
  readonly seed: number;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly wallMs: number;
  readonly files: readonly string[];
}

/** What a run of `compare` found. */
export interface CompareRun {
  readonly result: CompareResult;
  /** Samples [M, ...sampleShape] of both models, by latent. */
  readonly samples: readonly [Tensor<'float32'>, Tensor<'float32'>];
}

/** Surroundings of a comparison. */
export interface CompareOptions {
  readonly command: string;
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((label: string, done: number, total: number) => void) | undefined;
}

/**
 * Whether two models draw the same samples from the same noise, and how far their denoisers are apart.
 * @param models  opened by `openDenoiser`; not disposed here
 * @throws ShapeError for models of different shapes; SpecError for descriptors without cosine; whatever models and data throw
 * @source Zhang et al. 2023, arXiv 2310.05264 (RP score); Kadkhodaie et al. 2024, arXiv 2310.02557 (histograms of cosines)
 */
export async function runCompare(
  spec: CompareSpec,
  models: readonly [OpenModel, OpenModel],
  options: CompareOptions,
): Promise<CompareRun> {
  const startedAt = new Date();
  const { signal, onProgress } = options;
  const [a, b] = [models[0].denoiser, models[1].denoiser];
  if (!sameShape(a.sampleShape, b.sampleShape)) {
    const shapes = `${showShape(a.sampleShape)} and ${showShape(b.sampleShape)}`;
    throw new ShapeError(
      'compare',
      `expected two models of one shape, got ${shapes}. Choose models of one resolution.`,
    );
  }
  const trains = models.map(({ train }) => train && fitDataset(train, a.sampleShape));
  const heldout = fitDataset(models[0].heldout, a.sampleShape);
  await using open = await openDescriptors(descriptorsOf(spec, a), trains[0] ?? trains[1] ?? heldout, signal);
  checkDescriptors(open.descriptors);
  const draw = (denoiser: Denoiser): Promise<Tensor<'float32'>> =>
    drawSamples(denoiser, {
      ...spec,
      signal,
      onProgress: (done, total) => onProgress?.(`sampling ${denoiser.name}`, done, total),
    });
  const samples = [await draw(a), await draw(b)] as const;
  const { measured, counted } = await compareSamples(spec, samples, trains, open.descriptors, options);
  const images = await heldout.read(permutation(randomKey(spec.seed, 'compare'), heldout.count).slice(0, spec.images));
  const denoisers = await measureDenoiserDistance(a, { [spec.b]: b }, images, {
    sigmas: spec.sigmas,
    seed: spec.seed,
    signal,
    onProgress: (done, total) => onProgress?.('denoising', done, total),
  });
  const pairs = Array.from((measured[0] as Reproducibility).pairs, (value, n) => ({ sample: n, cosine: value }));
  return {
    result: {
      job: 'compare',
      spec,
      models: [spec.a, spec.b],
      data: heldout.name,
      images: images.shape[0] as number,
      sampleShape: a.sampleShape,
      valueRange: [heldout.range.low, heldout.range.high],
      reproducibility: measured.map((found) => rateOf(found, found, found.pairs)),
      null: measured.map((found) => rateOf(found, found.null, found.shuffled)),
      histograms: counted,
      denoisers,
      pairs: pairs.sort((p, q) => p.cosine - q.cosine),
      notes: notesOf(trains, heldout),
      seed: spec.seed,
      command: options.command,
      versions: { eigenlens: options.version, node: process.versions.node },
      startedAt: startedAt.toISOString(),
      wallMs: Date.now() - startedAt.getTime(),
      files: [],
    },
    samples,
  };
}

function notesOf(trains: readonly (Dataset | undefined)[], heldout: Dataset): string[] {
  const notes = heldout.note === undefined ? [] : [heldout.note];
  if (trains.every((train) => train !== undefined)) return notes;
  return [...notes, 'A model does not say what it was trained on: its samples have no nearest training images.'];
}

function descriptorsOf({ descriptors }: CompareSpec, { sampleShape }: Denoiser): readonly string[] {
  return descriptors ?? defaultDescriptors(sampleShape, 'centred');
}

function checkDescriptors(descriptors: readonly Descriptor[]): void {
  const other = descriptors.find(({ similarity }) => similarity !== 'cosine');
  if (other === undefined) return;
  throw new SpecError('compare', `compares by cosine, which ${other.name} has not. Take centred, pca, gradients or an ONNX file.`); // prettier-ignore
}

async function compareSamples(
  spec: CompareSpec,
  samples: CompareRun['samples'],
  trains: readonly (Dataset | undefined)[],
  descriptors: readonly Descriptor[],
  options: CompareOptions,
): Promise<{ measured: Reproducibility[]; counted: CosineHistogram[] }> {
  const measured: Reproducibility[] = [];
  const counted: CosineHistogram[] = [];
  for (const descriptor of descriptors) {
    const alike =
      spec.similarity === undefined ? { falsePositives: spec.falsePositives } : { threshold: spec.similarity };
    const found = await measureReproducibility(...samples, descriptor, {
      alike,
      seed: spec.seed,
      signal: options.signal,
    });
    measured.push(found);
    const nearest = await Promise.all(
      trains.map(async (train, m) => train && cosinesWithNearest(samples[m as 0 | 1], train, descriptor, options)),
    );
    counted.push(countCosines(found, [spec.a, spec.b], nearest));
  }
  return { measured, counted };
}

async function cosinesWithNearest(
  samples: Tensor<'float32'>,
  train: Dataset,
  descriptor: Descriptor,
  { signal, onProgress }: CompareOptions,
): Promise<Float64Array> {
  const queries = await describeAll(samples, descriptor, { signal });
  const { distances } = await nearestNeighbors(queries, describeDataset(train, descriptor), {
    metric: 'cosine',
    signal,
    onProgress: (done, total) => onProgress?.(`comparing ${descriptor.name}`, done, total),
  });
  return distances.data.map((d) => 1 - d);
}

function countCosines(
  { pairs, shuffled, descriptor }: Reproducibility,
  names: readonly [string, string],
  nearest: readonly (Float64Array | undefined)[],
): CosineHistogram {
  const sets: Record<string, Float64Array> = { 'same noise': pairs, 'other noise': shuffled };
  nearest.forEach((values, m) => {
    // Two names may be equal: a model may be compared with itself.
    if (values !== undefined)
      sets[`${names[m]}${names[0] === names[1] ? ` ${m + 1}` : ''} and nearest training image`] = values;
  });
  return cosineHistogram(descriptor, sets);
}

function rateOf({ descriptor, threshold, source }: Reproducibility, rate: Rate, cosines: Float64Array): CompareRate {
  const { value, low, high, hits, count } = rate;
  const sorted = cosines.toSorted();
  const median = ((sorted[(count - 1) >> 1] as number) + (sorted[count >> 1] as number)) / 2;
  return { descriptor, threshold, source, value, low, high, hits, count, median };
}

/** The samples of both models, pairs in the order of `result.pairs`. */
export function orderedPairs({ result, samples }: CompareRun): [Tensor<'float32'>, Tensor<'float32'>] {
  const order = result.pairs.map(({ sample: n }) => n);
  return [takeRows(samples[0], order), takeRows(samples[1], order)];
}
