import { measureDenoiserDistance, measureDenoisingGap } from '../../analysis/copying/denoising.ts';
import { complement } from '../../analysis/copying/interval.ts';
import type { Interval } from '../../analysis/copying/interval.ts';
import { measureCopies, paperThresholds } from '../../analysis/copying/rules.ts';
import type { CopyMeasure } from '../../analysis/copying/rules.ts';
import { scoreCopies } from '../../analysis/copying/scores.ts';
import { cosine, describeDataset } from '../../analysis/descriptors/descriptor.ts';
import { meanSample, pixelDescriptor } from '../../analysis/descriptors/pixels.ts';
import { inMemory } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Denoiser } from '../../denoisers/denoiser.ts';
import { fitEmpirical } from '../../denoisers/empirical.ts';
import { gaussianDenoiser } from '../../denoisers/gaussian.ts';
import { modelFiles, writeWeights } from '../../denoisers/network/model-file.ts';
import { permutation, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { dataMoments } from '../data-moments.ts';
import { drawSamples } from '../draw-samples.ts';
import type { JobFiles, JobRow, SweepJob } from '../jobs/job.ts';
import { trainedDenoiser } from '../network-model.ts';
import { openTrainingData, runTrain } from '../train.ts';
import type { TrainResult, TrainingData } from '../train.ts';
import { median } from '../median.ts';
import { resolveGeneralizationSpec } from './spec.ts';
import type { GeneralizationSpec } from './spec.ts';

/** Held-out images that calibrate thresholds and show null rates. */
const HELDOUT = 1000;
/** Share of the progress that training takes; drawing samples and measuring take the rest. */
const TRAINING = 0.85;

/**
 * Trains a denoiser on a part of a data set and measures whether it copies that part or generalizes: one row, the samples with their
 * nearest training images, and the model.
 * @source Zhang et al. 2023, arXiv 2310.05264 (size sweep); Kadkhodaie et al. 2024, arXiv 2310.02557; Gu et al. 2023, arXiv 2310.02664
 */
export const generalizationJob: SweepJob<GeneralizationSpec> = {
  name: 'generalization',
  resolve: resolveGeneralizationSpec,
  run: async (spec, { signal, onProgress }) => {
    const data = await loadAll(spec);
    const trained = await runTrain(spec.train, {
      data,
      signal,
      onProgress: ({ step, steps, loss }) =>
        onProgress?.(Math.round((TRAINING * 1000 * step) / steps), 1000, `${data.train.count} samples, loss ${loss.toFixed(4)}`),
    }); // prettier-ignore
    await using denoiser = trainedDenoiser(trained.sideCar.name, trained);
    onProgress?.(TRAINING * 1000, 1000, `${data.train.count} samples, measuring`);
    const measured = await measure(denoiser, data, spec, signal);
    return filesOf(spec, data, trained, measured);
  },
};

/** The data of the training, read once: small parts are gone through many times. */
async function loadAll({ train: spec }: GeneralizationSpec): Promise<TrainingData> {
  const { train, heldout } = await openTrainingData(spec);
  const load = async (data: Dataset, indices: Int32Array): Promise<Dataset> =>
    inMemory(data.name, await data.read(indices), data.range);
  const all = Int32Array.from({ length: train.count }, (_, i) => i);
  const some = permutation(randomKey(0, 'generalization-heldout'), heldout.count).slice(0, HELDOUT).sort();
  return { train: await load(train, all), heldout: await load(heldout, some) };
}

/** Everything that is measured of one model. */
interface Measured {
  /** [M, ...sampleShape] */
  readonly samples: Tensor<'float32'>;
  /** [M], place of the nearest training image of each, and the cosine with it, both less the mean of the held-out images. */
  readonly nearest: Int32Array;
  readonly cosines: Float64Array;
  readonly copies: readonly CopyMeasure[];
  /** Numbers by noise level. */
  readonly levels: JobRow;
}

async function measure(
  denoiser: Denoiser,
  { train, heldout }: TrainingData,
  spec: GeneralizationSpec,
  signal: AbortSignal | undefined,
): Promise<Measured> {
  const { samples: count, samplerSteps: steps, images, sigmas, falsePositives } = spec;
  const seed = spec.train.seed;
  const samples = await drawSamples(denoiser, { samples: count, steps, seed: 0, signal });
  const descriptor = pixelDescriptor({ sampleShape: train.sampleShape });
  const bank = describeDataset(train, descriptor);
  const fresh = await heldout.read(Int32Array.from({ length: heldout.count }, (_, i) => i));
  const own = await scoreCopies(samples, bank, descriptor, { signal });
  const copies = measureCopies(own, await scoreCopies(fresh, bank, descriptor, { signal }), {
    settings: [
      { rule: 'ratio', threshold: paperThresholds.ratio },
      { rule: 'distance', falsePositives },
    ],
    seed,
  });
  const pick = (data: Dataset): Promise<Tensor<'float32'>> =>
    data.read(Int32Array.from({ length: Math.max(2, Math.min(images, data.count)) }, (_, i) => i % data.count));
  const [known, unseen] = [await pick(train), await pick(heldout)];
  const watch = { sigmas, seed, signal };
  const gaps = await measureDenoisingGap(denoiser, known, unseen, { ...watch, range: train.range });
  const references = { gaussian: await gaussianOf(train, signal), empirical: await fitEmpirical(train, { name: 'empirical', ...(signal && { signal }) }) }; // prettier-ignore
  const distances = await measureDenoiserDistance(denoiser, references, unseen, watch);
  const levels = Object.fromEntries([
    ...gaps.flatMap(({ sigma, train: a, heldout: b }) => [[`psnrTrain_${sigma}`, a.value], [`psnrHeldout_${sigma}`, b.value]]),
    ...distances.flatMap(({ sigma, rmse }) =>
      Object.entries(rmse).map(([name, interval]) => [`${name}_${sigma}`, interval.value]),
    ),
  ]) as JobRow; // prettier-ignore
  return {
    samples,
    nearest: own.nearest,
    cosines: await cosinesOf(samples, own.nearest, train, fresh),
    copies,
    levels,
  };
}

async function gaussianOf(train: Dataset, signal: AbortSignal | undefined): Promise<Denoiser> {
  const { mean, eigen } = await dataMoments(train, signal);
  return gaussianDenoiser({ name: 'gaussian', sampleShape: train.sampleShape, mean, eigen });
}

async function cosinesOf(
  samples: Tensor<'float32'>,
  nearest: Int32Array,
  train: Dataset,
  heldout: Tensor<'float32'>,
): Promise<Float64Array> {
  const centred = pixelDescriptor({ sampleShape: train.sampleShape, mean: meanSample(heldout) });
  const own = await centred.describe(samples);
  const others = await centred.describe(await train.read(nearest));
  return Float64Array.from(nearest, (_, i) => cosine(slice(own, i, i + 1).data, slice(others, i, i + 1).data));
}

async function filesOf(
  { train: spec }: GeneralizationSpec,
  { train }: TrainingData,
  trained: TrainResult,
  { samples, nearest, cosines, copies, levels }: Measured,
): Promise<JobFiles> {
  const [ratio, distance] = (['ratio', 'distance'] as const).map((rule) => copies.find((copy) => copy.rule === rule));
  const row: JobRow = {
    data: spec.data,
    size: train.count,
    architecture: spec.architecture,
    channels: spec.channels.join(','),
    seed: spec.seed,
    parameters: trained.parameters,
    steps: trained.steps,
    seconds: trained.wallMs / 1000,
    loss: trained.losses.at(-1)?.loss ?? null,
    ...interval('memorized', ratio),
    ...interval('gl', ratio && complement(ratio)),
    memorizedNull: ratio?.null.value ?? null,
    ...interval('near', distance),
    nearThreshold: distance?.threshold ?? null,
    nearNull: distance?.null.value ?? null,
    cosine: median(cosines) ?? null,
    ...levels,
  };
  return {
    rows: [row],
    arrays: {
      samples,
      nearest: await train.read(nearest),
      cosines: tensor('float64', [cosines.length], cosines),
    },
    files: {
      [modelFiles.sideCar]: `${JSON.stringify(trained.sideCar, null, 2)}\n`,
      [modelFiles.weights]: writeWeights(trained.weights),
    },
  };
}

/** A rule has no rate where the training set, or the held-out one, is too small for it. */
function interval(name: string, found: Interval | undefined): JobRow {
  return {
    [name]: found?.value ?? null,
    [`${name}Low`]: found?.low ?? null,
    [`${name}High`]: found?.high ?? null,
  };
}
