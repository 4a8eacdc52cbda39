import { cosineHistogram } from '../analysis/copying/histogram.ts';
import type { CosineHistogram } from '../analysis/copying/histogram.ts';
import { complement } from '../analysis/copying/interval.ts';
import type { Rate } from '../analysis/copying/interval.ts';
import { copyRules, measureCopies, paperThresholds, pickScores } from '../analysis/copying/rules.ts';
import type { CopyMeasure, RuleSetting } from '../analysis/copying/rules.ts';
import { scoreCopies } from '../analysis/copying/scores.ts';
import type { CopyScores, NeighborSearch } from '../analysis/copying/scores.ts';
import { sweepThresholds } from '../analysis/copying/sweep.ts';
import { describeDataset } from '../analysis/descriptors/descriptor.ts';
import type { Descriptor } from '../analysis/descriptors/descriptor.ts';
import { findDuplicates } from '../analysis/duplicates.ts';
import { nearestNeighbors } from '../analysis/neighbors.ts';
import type { Dataset } from '../data/dataset.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { takeRows, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { measureDenoising } from './audit-denoising.ts';
import { freshPlaces, heldoutNotes, readHeldout, uncalibrated } from './audit-heldout.ts';
import type { Heldout } from './audit-heldout.ts';
import type { AuditArrays, AuditData, AuditDuplicates, AuditPair, AuditRate, AuditResult, AuditSweep } from './audit-result.ts'; // prettier-ignore
import type { AuditSpec } from './audit-spec.ts';
import type { AuditSubject } from './audit-subject.ts';
import { verdictOf } from './audit-verdict.ts';
import { defaultDescriptors, openDescriptors } from './copy-descriptors.ts';
import { drawSamples } from './draw-samples.ts';

/** Surroundings of an audit. */
export interface AuditOptions {
  /** The command line that makes this run again. */
  readonly command: string;
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((label: string, done: number, total: number) => void) | undefined;
}

/** The two halves of what an audit found. */
export interface AuditRun {
  readonly result: AuditResult;
  readonly arrays: AuditArrays;
}

/** Groups of duplicates that are listed. */
const GROUPS = 100;

/**
 * Whether samples of a model, or given images, copy training images.
 * @param subject  opened by `openAuditSubject`; not disposed here
 * @throws DatasetError for too few images; CancelledError; whatever denoiser, descriptors and data throw
 */
export async function runAudit(spec: AuditSpec, subject: AuditSubject, options: AuditOptions): Promise<AuditRun> {
  const startedAt = new Date();
  const { train } = subject;
  const { signal, onProgress } = options;
  const descriptors = spec.descriptors ?? defaultDescriptors(train.sampleShape);
  await using open = await openDescriptors(descriptors, train, signal);
  const samples = await samplesOf(spec, subject, options);
  const heldout = await readHeldout(subject, spec.seed);
  const scored = await scoreSamples(spec, subject, samples, heldout, open.descriptors, options);
  const { measures, pairs } = scored;
  const duplicates = await duplicatesOf(spec, train, options);
  const denoiser = subject.denoiser && (await measureDenoising(subject.denoiser, subject, { ...options, seed: spec.seed })); // prettier-ignore
  const ratio = measures.find(({ rule, descriptor }) => rule === 'ratio' && descriptor === 'pixels');
  const notes = [...heldout.notes, ...scored.notes, ...(denoiser?.notes ?? [])];
  onProgress?.('done', 1, 1);
  return {
    result: {
      job: 'audit',
      spec,
      ...verdictOf(measures, spec.tolerance),
      subject: {
        name: spec.subject,
        kind: subject.denoiser ? 'model' : 'images',
        samples: samples.shape[0] as number,
        leftOut: subject.images?.leftOut ?? [],
      },
      train: await describeData(train),
      ...(subject.holdout && { holdout: await describeData(subject.holdout) }),
      sampleShape: train.sampleShape,
      valueRange: [train.range.low, train.range.high],
      descriptors,
      ...ratesOf(measures),
      ...(ratio && { generalization: complement(ratio) }),
      duplicates,
      ...(denoiser?.denoising && { denoising: denoiser.denoising }),
      ...(denoiser?.closeness && { closeness: denoiser.closeness }),
      pairs,
      sweeps: scored.sweeps,
      histograms: scored.histograms,
      notes: [...notes, ...datasetNotes(subject)],
      seed: spec.seed,
      command: options.command,
      versions: { eigenlens: options.version, node: process.versions.node },
      startedAt: startedAt.toISOString(),
      wallMs: Date.now() - startedAt.getTime(),
      files: [],
    },
    arrays: {
      samples: takeRows(
        samples,
        pairs.map(({ sample: m }) => m),
      ),
      nearest: await train.read(pairs.map(({ nearest }) => nearest)),
      scores: scored.scores,
    },
  };
}

async function samplesOf(spec: AuditSpec, subject: AuditSubject, options: AuditOptions): Promise<Tensor<'float32'>> {
  const { denoiser, images } = subject;
  const { signal, onProgress } = options;
  if (denoiser === undefined) {
    const all = images as Dataset;
    const order = permutation(randomKey(spec.seed, 'audit-images'), all.count);
    return all.read(order.slice(0, spec.samples).sort());
  }
  return drawSamples(denoiser, {
    ...spec,
    signal,
    onProgress: (done, total) => onProgress?.('sampling', done, total),
  });
}

/** How samples and held-out images compare with a training set. */
export interface ScoredSamples extends Pick<AuditResult, 'pairs' | 'sweeps' | 'histograms' | 'notes'> {
  /** One a rule and descriptor. */
  readonly measures: readonly CopyMeasure[];
  readonly scores: AuditArrays['scores'];
}

/** How a comparison is watched and stopped. */
type ScoreWatch = Pick<AuditOptions, 'signal' | 'onProgress'>;

/**
 * Compares samples and held-out images with a training set by every descriptor.
 * @param samples  [M, ...sampleShape], not consumed
 * @param heldout  from `readHeldout`
 * @throws DatasetError where fewer than two held-out images equal no training image; CancelledError
 */
export async function scoreSamples(
  spec: AuditSpec,
  subject: AuditSubject,
  samples: Tensor<'float32'>,
  heldout: Heldout,
  descriptors: readonly Descriptor[],
  options: ScoreWatch,
): Promise<ScoredSamples> {
  const measures: CopyMeasure[] = [];
  const sweeps: AuditSweep[] = [];
  const histograms: CosineHistogram[] = [];
  const scores: Record<string, Tensor<'float64'>> = {};
  const left: RuleSetting[] = [];
  let pairs: AuditPair[] = [];
  let fresh: Int32Array | undefined;
  for (const descriptor of descriptors) {
    const all = await scoreBoth(samples, heldout, subject.train, descriptor, options);
    if (pairs.length === 0) pairs = pairsOf(all.samples);
    fresh ??= await freshPlaces(heldout, all.heldout, subject);
    const found = { samples: all.samples, heldout: pickScores(all.heldout, fresh) };
    const settings = settingsOf(spec, descriptor);
    const measured = measureCopies(found.samples, found.heldout, { settings, seed: spec.seed });
    left.push(...uncalibrated(settings, measured));
    measures.push(...measured);
    sweeps.push(...sweepsOf(found));
    histograms.push(...cosinesOf(found));
    Object.assign(scores, arraysOf(descriptor.name, found));
  }
  return { measures, pairs, sweeps, histograms, scores, notes: heldoutNotes(heldout, fresh, left) };
}

interface BothScores {
  readonly samples: CopyScores;
  readonly heldout: CopyScores;
}

/** Samples and held-out images in one pass over the training set. */
async function scoreBoth(
  samples: Tensor<'float32'>,
  heldout: Heldout,
  train: Dataset,
  descriptor: Descriptor,
  { signal, onProgress }: ScoreWatch,
): Promise<BothScores> {
  const [M, H] = [samples.shape[0] as number, heldout.images.shape[0] as number];
  const { places } = heldout;
  const search: NeighborSearch = (queries, bank, own) =>
    nearestNeighbors(queries, bank, {
      ...own,
      ...(places && { exclude: (query: number, index: number) => query >= M && places[query - M] === index }),
    });
  const all = await scoreCopies(concat(samples, heldout.images), describeDataset(train, descriptor), descriptor, {
    search,
    signal,
    onProgress: (done, total) => onProgress?.(`comparing ${descriptor.name}`, done, total),
  });
  const range = (start: number, count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => start + i);
  return { samples: pickScores(all, range(0, M)), heldout: pickScores(all, range(M, H)) };
}

/** Rules that apply to a descriptor: the papers' thresholds where they were stated for it, and calibrated ones. */
function settingsOf(spec: AuditSpec, descriptor: Descriptor): RuleSetting[] {
  const { falsePositives, similarity, ratio } = spec;
  const foreign = /\.onnx$/i.test(descriptor.name);
  return [
    ...(descriptor.name === 'pixels' ? [{ rule: 'ratio', threshold: ratio } as const] : []),
    ...(descriptor.similarity === 'cosine' && (foreign || similarity !== undefined)
      ? [{ rule: 'similarity', threshold: similarity ?? paperThresholds.similarity } as const]
      : []),
    // Distances of unit vectors order images as their cosines do: one calibrated rule is enough.
    { rule: descriptor.similarity === 'cosine' ? 'similarity' : 'distance', falsePositives },
  ];
}

function sweepsOf({ samples, heldout }: BothScores): AuditSweep[] {
  return copyRules.flatMap((rule) => {
    const swept = sweepThresholds(rule, samples, heldout);
    if (swept === undefined) return [];
    const { descriptor, thresholds } = swept;
    return [{ rule, descriptor, thresholds: [...thresholds], samples: swept.samples, null: swept.heldout }];
  });
}

/** Cosines with the nearest training image, where the descriptor has them. */
function cosinesOf({ samples, heldout }: BothScores): CosineHistogram[] {
  if (samples.similarity === undefined || heldout.similarity === undefined) return [];
  return [cosineHistogram(samples.descriptor, { samples: samples.similarity, 'held-out images': heldout.similarity })];
}

/** What readers concluded by themselves of each data set; each sentence once. */
function datasetNotes({ train, holdout, images }: AuditSubject): string[] {
  const said = [images, train, holdout].flatMap((data) =>
    data?.note === undefined ? [] : [`${data.name}: ${data.note}`],
  );
  return [...new Set(said)];
}

function arraysOf(name: string, { samples, heldout }: BothScores): Record<string, Tensor<'float64'>> {
  const stem = name.replace(/[^A-Za-z0-9-]/g, '_');
  const entries = copyRules.flatMap((rule) =>
    ([['samples', samples], ['null', heldout]] as const).flatMap(([set, { [rule]: values }]) =>
      values === undefined ? [] : [[`${stem}_${rule}_${set}`, tensor('float64', [values.length], values)] as const],
    ),
  ); // prettier-ignore
  return Object.fromEntries(entries);
}

/** Every sample with its nearest training image, the closest first: by ratio, and by distance where there is none. */
function pairsOf({ nearest, distance, ratio }: CopyScores): AuditPair[] {
  const pairs = Array.from(nearest, (place, m): AuditPair => {
    const own = ratio?.[m];
    return { sample: m, nearest: place, distance: distance[m] as number, ...(own !== undefined && { ratio: own }) };
  });
  return pairs.sort((a, b) => (a.ratio ?? 0) - (b.ratio ?? 0) || a.distance - b.distance);
}

function concat(a: Tensor<'float32'>, b: Tensor<'float32'>): Tensor<'float32'> {
  const data = new Float32Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return tensor('float32', [(a.shape[0] as number) + (b.shape[0] as number), ...a.shape.slice(1)], data);
}

/** Rates of copies among samples and among held-out images, row by row of the same rules. */
export function ratesOf(measures: readonly CopyMeasure[]): Pick<AuditResult, 'memorized' | 'null'> {
  return {
    memorized: measures.map((measure) => rateOf(measure, measure)),
    null: measures.map((measure) => rateOf(measure, measure.null)),
  };
}

function rateOf({ rule, threshold, source, descriptor }: CopyMeasure, rate: Rate): AuditRate {
  const { value, low, high, hits, count } = rate;
  return { rule, threshold, source, descriptor, value, low, high, hits, count };
}

async function duplicatesOf(
  { duplicates: threshold }: AuditSpec,
  train: Dataset,
  { signal, onProgress }: AuditOptions,
): Promise<AuditDuplicates> {
  const { exact, near } = await findDuplicates(train, {
    threshold,
    signal,
    onProgress: (done, total) => onProgress?.('duplicates', done, total),
  });
  return { exact: exact.copies, near: near.copies, threshold, groups: near.groups.slice(0, GROUPS) };
}

/** A data set of an audit, for its result. */
export async function describeData(data: Dataset): Promise<AuditData> {
  const { name, count, leftOut = [] } = data;
  return { name, count, hash: await data.hash(), leftOut };
}
