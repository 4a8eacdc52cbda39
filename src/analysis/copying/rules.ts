import { DomainError } from '../../errors/errors.ts';
import { permutation, randomKey } from '../../tensor/random.ts';
import { exactRate } from './interval.ts';
import type { Rate } from './interval.ts';
import type { CopyScores } from './scores.ts';

/** By what an image counts as a copy: cosine above, distance ratio below, or distance below a threshold. */
export type CopyRule = 'similarity' | 'ratio' | 'distance';

/** Every rule, in the order of reports. */
export const copyRules: readonly CopyRule[] = ['similarity', 'ratio', 'distance'];

/** Thresholds of the papers. SSCD's holds for SSCD alone: under other descriptors unrelated images may well be above it. */
export const paperThresholds: {
  /** Of SSCD's inner product. @source Zhang et al. 2023, arXiv 2310.05264 */
  readonly similarity: number;
  /** Of the distances of raw pixels to the nearest and the second nearest training image. @source Gu et al. 2023, arXiv 2310.02664 */
  readonly ratio: number;
} = { similarity: 0.6, ratio: 1 / 3 };

/** Where a threshold comes from: stated beforehand, or a quantile of held-out images that are not counted again in the null rate. */
export type ThresholdSource =
  { readonly kind: 'stated' } | { readonly kind: 'held-out'; readonly falsePositives: number; readonly images: number };

/** A memorized fraction with all that it means. */
export interface CopyMeasure extends Rate {
  readonly rule: CopyRule;
  readonly threshold: number;
  readonly source: ThresholdSource;
  readonly descriptor: string;
  /** The same rule on held-out images, none of which was used for the threshold. */
  readonly null: Rate;
}

/** Whether a score on this side of the threshold is a copy; never on it. */
export function isCopy(rule: CopyRule, score: number, threshold: number): boolean {
  return rule === 'similarity' ? score > threshold : score < threshold;
}

/** Rate of copies among scores, with its exact interval. @throws DomainError without scores */
export function copyRate(rule: CopyRule, scores: Float64Array, threshold: number): Rate {
  let hits = 0;
  for (const score of scores) if (isCopy(rule, score, threshold)) hits++;
  return exactRate(hits, scores.length);
}

/**
 * The threshold at which a rule takes no more than a stated part of fresh held-out images for copies.
 * With n scores it is the floor(a (n + 1))-th most copy-like: of n + 1 exchangeable images each is as likely to be the one that comes last,
 * so the chance that it lies beyond is at most a, and equal to floor(a (n + 1)) / (n + 1) where no two scores are equal.
 * @param heldout  scores of images that the model was not made from
 * @param falsePositives  a, in (0, 1)
 * @returns undefined where 1 / a - 1 exceeds the number of scores: too few to promise such a rate
 * @source Vovk, Gammerman and Shafer 2005, conformal prediction, as a one-sided test
 */
export function calibrateThreshold(rule: CopyRule, heldout: Float64Array, falsePositives: number): number | undefined {
  if (!(falsePositives > 0 && falsePositives < 1)) {
    throw new DomainError('calibrateThreshold', `expected a rate in (0, 1), got ${falsePositives}.`);
  }
  // 1e-9: 0.01 * 100 must not round to just below 1.
  const allowed = Math.floor(falsePositives * (heldout.length + 1) + 1e-9);
  if (allowed < 1) return undefined;
  const sorted = heldout.toSorted();
  return rule === 'similarity' ? sorted[sorted.length - allowed] : sorted[allowed - 1];
}

/** Splits held-out images into those that calibrate and those that show the rate, by a seed; the first have the odd one. */
export function splitHeldout(count: number, seed: number): { calibrate: Int32Array; show: Int32Array } {
  const order = permutation(randomKey(seed, 'copy-calibration'), count);
  const half = Math.ceil(count / 2);
  return { calibrate: order.slice(0, half), show: order.slice(half) };
}

/** The scores of some of the images. */
export function pickScores(scores: CopyScores, indices: Int32Array): CopyScores {
  const pick = (all: Float64Array): Float64Array => Float64Array.from(indices, (i) => all[i] as number);
  return {
    descriptor: scores.descriptor,
    nearest: indices.map((i) => scores.nearest[i] as number),
    distance: pick(scores.distance),
    ...(scores.similarity && { similarity: pick(scores.similarity) }),
    ...(scores.ratio && { ratio: pick(scores.ratio) }),
  };
}

/** One rule to apply: at a stated threshold, or at one that held-out images give. */
export type RuleSetting = { readonly rule: CopyRule } & (
  { readonly threshold: number } | { readonly falsePositives: number }
);

/** Options of `measureCopies`. */
export interface MeasureOptions {
  /** Default: the ratio at 1/3, and every rule at a threshold with 1 % false positives. */
  readonly settings?: readonly RuleSetting[] | undefined;
  /** Decides which half of the held-out images calibrates. */
  readonly seed: number;
}

const usualSettings: readonly RuleSetting[] = [
  { rule: 'ratio', threshold: paperThresholds.ratio },
  ...copyRules.map((rule) => ({ rule, falsePositives: 0.01 })),
];

/**
 * The memorized fraction of samples by each rule, beside what the same rule says of held-out images.
 * Half of the held-out images calibrate thresholds; the null rates are those of the other half, for stated thresholds too.
 * @param samples  of the model
 * @param heldout  of images like those that it was trained on, at least two
 * @returns one measure a setting; settings are left out where the rule has no scores, or where there are too few held-out images for the rate
 * @throws DomainError for scores of different descriptors, or fewer than two held-out images
 */
export function measureCopies(samples: CopyScores, heldout: CopyScores, options: MeasureOptions): CopyMeasure[] {
  const { settings = usualSettings, seed } = options;
  if (samples.descriptor !== heldout.descriptor || heldout.nearest.length < 2) {
    const got = `${samples.descriptor} and ${heldout.nearest.length} by ${heldout.descriptor}`;
    throw new DomainError('measureCopies', `expected samples and at least two held-out images by one descriptor, got ${got}.`); // prettier-ignore
  }
  const { calibrate, show } = splitHeldout(heldout.nearest.length, seed);
  const [calibration, shown] = [pickScores(heldout, calibrate), pickScores(heldout, show)];
  return settings.flatMap((setting): CopyMeasure[] => {
    const { rule } = setting;
    const [own, unseen, known] = [samples, shown, calibration].map((scores) => scores[rule]);
    if (own === undefined || unseen === undefined || known === undefined) return [];
    const stated = 'threshold' in setting;
    const threshold = stated ? setting.threshold : calibrateThreshold(rule, known, setting.falsePositives);
    if (threshold === undefined) return [];
    const source: ThresholdSource = stated
      ? { kind: 'stated' }
      : { kind: 'held-out', falsePositives: setting.falsePositives, images: known.length };
    const rate = copyRate(rule, own, threshold);
    return [
      { rule, threshold, source, descriptor: samples.descriptor, ...rate, null: copyRate(rule, unseen, threshold) },
    ];
  });
}
