import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import type { DirectionMethod, DirectionSet } from '../editing/direction-set.ts';
import { editPath, moved, toImages, toNoise } from '../editing/edit-image.ts';
import type { EditPath } from '../editing/edit-image.ts';
import { boxMask } from '../editing/mask.ts';
import type { Box, Mask } from '../editing/mask.ts';
import { changeInside } from '../editing/measures/change.ts';
import { ssim } from '../editing/measures/ssim.ts';
import { throwIfAborted } from '../errors/errors.ts';
import { castFloat, row, slice } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { imageAt } from './edit-apply.ts';
import { searchDirections } from './edit-directions.ts';
import { median } from './median.ts';

/** Whoever tells attributes from images. */
export interface Judge {
  readonly names: readonly string[];
  /** [A], standard deviations in the data. */
  readonly deviations: ArrayLike<number>;
  /** [B, A] of images [B, ...sampleShape]. */
  judge(images: FloatTensor): Promise<Float64Array> | Float64Array;
}

/** A part of all images with the attributes that belong to it. */
export interface BenchmarkRegion {
  readonly name: string;
  /** Pixels. */
  readonly box: Box;
  readonly attributes: readonly string[];
}

/** What is compared, and on what. */
export interface BenchmarkOptions {
  readonly denoiser: Denoiser;
  /** Images to edit, and to transfer to. */
  readonly heldout: Dataset;
  /** For the baseline of principal components. */
  readonly train: Dataset;
  readonly judge: Judge;
  readonly regions: readonly BenchmarkRegion[];
  readonly methods: readonly DirectionMethod[];
  /** Images edited, the first of the held-out ones. */
  readonly images: number;
  /** Images that each direction is transferred to: those after the edited one. */
  readonly targets: number;
  /** Directions a region and image. */
  readonly directions: number;
  /** Leading directions of the outside that `loco` projects out. */
  readonly nullRank: number;
  readonly sigma: number;
  readonly steps: number;
  /** Strengths tried, VP coordinates, each with both signs; a method is rated at the one that suits it best. */
  readonly strengths: readonly number[];
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** One method at one strength. */
export interface MethodScore {
  readonly method: DirectionMethod;
  readonly strength: number;
  /** Directions rated. */
  readonly directions: number;
  /** Share of directions whose edit is local and changes an attribute of its region, and of transfers that do the same. */
  readonly localSuccess: number;
  readonly transferSuccess: number;
  /** Mean squared error outside of the region, mean over directions and signs; median ratio of inside to outside. */
  readonly outside: number;
  readonly ratio: number;
  readonly ssim: number;
  /** Seconds, medians: to find the directions of one region of one image, and to apply one to one image. */
  readonly learnSeconds: number;
  readonly applySeconds: number;
  /** Attributes that successful directions changed, with how many did. */
  readonly changed: Readonly<Record<string, number>>;
  /** Local success by region. */
  readonly regions: Readonly<Record<string, number>>;
  /** Directions that failed by each test; one may fail several. */
  readonly failures: Readonly<Record<Failure, number>>;
}

/** Why an edit failed: its attribute is another region's, changes too little, others change too, or the outside does. */
export type Failure = 'elsewhere' | 'weak' | 'spill' | 'outside';

/** Attribute shift from the negative to the positive strength, in standard deviations, that counts as an edit. */
const LEAST_SHIFT = 1;
/** Other regions' attributes may change by this part of it. */
const SPILL = 0.5;
/** The inside must change this many times as much as the outside. */
const LEAST_RATIO = 3;

/** One direction applied to one image with both signs. */
interface Rated {
  readonly success: boolean;
  readonly failures: readonly Failure[];
  readonly attribute: string;
  /** Signed, in standard deviations. */
  readonly shift: number;
  readonly outside: number;
  readonly ratio: number;
  readonly ssim: number;
}

/** Everything known of one direction: ratings by strength. */
interface Trial {
  readonly region: string;
  readonly source: readonly Rated[];
  /** By strength, then target. */
  readonly targets: readonly (readonly Rated[])[];
  readonly learnSeconds: number;
  readonly applySeconds: number;
}

/**
 * Rates edit methods by a judge, as the paper lets people rate them: a direction succeeds where the attribute that it changes most belongs to
 * its region, changes by a standard deviation between the two signs, other regions' attributes change by at most half as much, and pixels
 * inside change three times as much as those outside; a transfer succeeds where that attribute of another image changes in the same sense.
 * @returns scores by method at each method's best strength
 * @throws CancelledError; whatever denoiser and data throw
 * @source the form of arXiv 2409.02374, table 1; the automatic judge is ours
 */
export async function runEditingBenchmark(options: BenchmarkOptions): Promise<MethodScore[]> {
  const { methods, strengths } = options;
  const scores: MethodScore[] = [];
  for (const [m, method] of methods.entries()) {
    const total = options.images * options.regions.length;
    const trials = await runMethod(method, options, (done) =>
      options.onProgress?.(m * total + done, methods.length * total),
    );
    const byStrength = strengths.map((strength, s) => scoreOf(method, strength, s, trials));
    scores.push(byStrength.reduce((best, score) => (score.localSuccess > best.localSuccess ? score : best)));
  }
  return scores;
}

async function runMethod(
  method: DirectionMethod,
  options: BenchmarkOptions,
  onDone: (done: number) => void,
): Promise<Trial[]> {
  const { denoiser, heldout, train, images, targets, directions, nullRank, sigma, steps, seed, signal } = options;
  const path = editPath({ sigma, steps, seed });
  const clean = await heldout.read(Array.from({ length: images + targets }, (_, i) => i));
  const noisy = await toNoise(denoiser, clean, path, { signal });
  const back = await toImages(denoiser, noisy, path, { signal });
  const trials: Trial[] = [];
  // Principal components know no image: they are found once a region.
  const shared = new Map<string, { set: DirectionSet; seconds: number }>();
  for (let i = 0; i < images; i++) {
    for (const [r, region] of options.regions.entries()) {
      throwIfAborted('editing benchmark', signal);
      const mask = regionMask(region, denoiser.sampleShape);
      const begun = performance.now();
      const known = method === 'pca' ? shared.get(region.name) : undefined;
      const search = { denoiser, train, noisy: imageAt(noisy, i), sigma, signal };
      const spec = { method, directions, nullRank, seed: seed + i };
      const set = known?.set ?? (await searchDirections(spec, mask, search));
      const learnSeconds = known?.seconds ?? (performance.now() - begun) / 1000;
      if (method === 'pca') shared.set(region.name, { set, seconds: learnSeconds });
      for (let k = 0; k < directions; k++) {
        const direction = row(set.vectors, k).data;
        const span = { noisy: slice(noisy as Tensor<'float64'>, i, i + 1 + targets), back: slice(back as Tensor<'float64'>, i, i + 1 + targets) }; // prettier-ignore
        trials.push({
          ...(await tryDirection(direction, { region, mask, path, ...span }, options)),
          region: region.name,
          learnSeconds,
        });
      }
      onDone(i * options.regions.length + r + 1);
    }
  }
  return trials;
}

/** Where a direction is tried: image 0 is the one it was found at, the others are targets. */
interface TrialStage {
  readonly region: BenchmarkRegion;
  readonly mask: Mask;
  readonly path: EditPath;
  readonly noisy: FloatTensor;
  readonly back: FloatTensor;
}

async function tryDirection(
  direction: Float64Array,
  { region, mask, path, noisy, back }: TrialStage,
  { denoiser, heldout, judge, strengths, signal }: BenchmarkOptions,
): Promise<Omit<Trial, 'learnSeconds' | 'region'>> {
  const signed = strengths.flatMap((s) => [-s, s]);
  const begun = performance.now();
  const edits = await toImages(denoiser, moved(noisy, direction, signed, path.sigma), path, { signal });
  const count = noisy.shape[0] as number;
  const applySeconds = (performance.now() - begun) / 1000 / (count * signed.length);
  const judged = await judge.judge(edits);
  const A = judge.names.length;
  const rate = (b: number, s: number, wanted?: Rated): Rated => {
    const at = (b * strengths.length + s) * 2;
    const shifts = judge.names.map(
      (_, a) =>
        ((judged[(at + 1) * A + a] as number) - (judged[at * A + a] as number)) / (judge.deviations[a] as number),
    );
    const base = row(castFloat(back, 'float64'), b);
    const pair = [at, at + 1].map((j) => row(castFloat(edits, 'float64'), j));
    const changes = pair.map((image) => changeInside(base, image, mask, { range: heldout.range }));
    const mean = (of: (j: number) => number): number => (of(0) + of(1)) / 2;
    const outside = mean((j) => changes[j]?.outside.mse ?? NaN);
    const ratio = mean((j) => changes[j]?.inside.mse ?? NaN) / outside;
    const similarity = mean((j) => ssim(base, pair[j] as Tensor<'float64'>, { range: heldout.range }));
    return { ...verdict(shifts, judge.names, region, ratio, wanted), outside, ratio, ssim: similarity };
  };
  const source = strengths.map((_, s) => rate(0, s));
  const targets = strengths.map((_, s) => Array.from({ length: count - 1 }, (__, b) => rate(b + 1, s, source[s])));
  return { source, targets, applySeconds };
}

/** Whether shifts of all attributes are a local edit of the region; of `wanted`'s attribute and sense, where given. */
function verdict(
  shifts: readonly number[],
  names: readonly string[],
  region: BenchmarkRegion,
  ratio: number,
  wanted: Rated | undefined,
): Pick<Rated, 'success' | 'failures' | 'attribute' | 'shift'> {
  const belongs = (a: number): boolean => region.attributes.includes(names[a] as string);
  const most = shifts.reduce((best, v, a) => (Math.abs(v) > Math.abs(shifts[best] as number) ? a : best), 0);
  const chosen = wanted === undefined ? most : names.indexOf(wanted.attribute);
  const shift = shifts[chosen] as number;
  const spill = Math.max(0, ...shifts.filter((_, a) => !belongs(a)).map(Math.abs));
  const meant = wanted === undefined ? belongs(chosen) : wanted.success && shift * wanted.shift > 0;
  const failures: Failure[] = [
    ...(meant ? [] : (['elsewhere'] as const)),
    ...(Math.abs(shift) >= LEAST_SHIFT ? [] : (['weak'] as const)),
    ...(spill <= SPILL * Math.abs(shift) ? [] : (['spill'] as const)),
    ...(ratio >= LEAST_RATIO ? [] : (['outside'] as const)),
  ];
  return { success: failures.length === 0, failures, attribute: names[chosen] as string, shift };
}

function scoreOf(method: DirectionMethod, strength: number, s: number, trials: readonly Trial[]): MethodScore {
  const sources = trials.map(({ source }) => source[s] as Rated);
  const targets = trials.flatMap((trial) => trial.targets[s] as readonly Rated[]);
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const successes = sources.filter(({ success }) => success);
  return {
    method,
    strength,
    directions: trials.length,
    localSuccess: mean(sources.map(({ success }) => Number(success))),
    transferSuccess: targets.length === 0 ? NaN : mean(targets.map(({ success }) => Number(success))),
    outside: mean(sources.map((r) => r.outside)),
    ratio: median(sources.map((r) => r.ratio)) ?? NaN,
    ssim: mean(sources.map((r) => r.ssim)),
    learnSeconds: median(trials.map((t) => t.learnSeconds)) ?? NaN,
    applySeconds: median(trials.map((t) => t.applySeconds)) ?? NaN,
    changed: countsOf(successes.map(({ attribute }) => attribute)),
    regions: Object.fromEntries(
      [...Map.groupBy(trials, ({ region }) => region)].map(([name, all]) => [
        name,
        mean(all.map(({ source }) => Number(source[s]?.success))),
      ]),
    ),
    failures: { elsewhere: 0, weak: 0, spill: 0, outside: 0, ...countsOf(sources.flatMap(({ failures }) => failures)) },
  };
}

function countsOf(names: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}

function regionMask({ box }: BenchmarkRegion, sampleShape: readonly number[]): Mask {
  const [, height = 0, width = 0] = sampleShape;
  return boxMask({ height, width }, box);
}
