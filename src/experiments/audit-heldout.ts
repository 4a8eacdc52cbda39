import type { CopyMeasure, RuleSetting } from '../analysis/copying/rules.ts';
import type { CopyScores } from '../analysis/copying/scores.ts';
import { DatasetError } from '../errors/errors.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { slice } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { AuditSubject } from './audit-subject.ts';

/** Images that stand for what a model that copies nothing would draw. */
export interface Heldout {
  readonly images: Tensor<'float32'>;
  /** Places in the training set, where they were taken from it; each is then compared with all others. */
  readonly places?: Int32Array;
  readonly notes: readonly string[];
}

/** Held-out images that give null rates: half calibrate and half show. */
const MOST_HELDOUT = 1000;

/** Reads held-out images, or training images in their stead. @throws DatasetError for fewer than two */
export async function readHeldout({ train, holdout }: AuditSubject, seed: number): Promise<Heldout> {
  const from = holdout ?? train;
  const places = permutation(randomKey(seed, 'audit-heldout'), from.count).slice(0, MOST_HELDOUT).sort();
  if (places.length < 2) throw tooFew(from.name, places.length);
  const images = await from.read(places);
  if (holdout !== undefined) return { images, notes: [] };
  return {
    images,
    places,
    notes: ['No held-out images are known: training images, each compared with all others, stand for them. Name some with --holdout.'], // prettier-ignore
  };
}

/**
 * Places of the held-out images that equal no training image: one that does was trained on, whoever held it out, and says nothing of
 * images that were not.
 * @param scores  of the held-out images by any descriptor
 * @throws DatasetError where fewer than two are left
 */
export async function freshPlaces(
  { images }: Heldout,
  scores: CopyScores,
  { train, holdout }: AuditSubject,
): Promise<Int32Array> {
  const all = Int32Array.from(scores.nearest, (_, i) => i);
  const near = all.filter((i) => scores.distance[i] === 0);
  if (near.length === 0) return all;
  const others = await train.read(near.map((i) => scores.nearest[i] as number));
  const equal = new Set(near.filter((i, r) => {
    const other = slice(others, r, r + 1).data;
    return slice(images, i, i + 1).data.every((v, p) => v === other[p]);
  })); // prettier-ignore
  const fresh = all.filter((i) => !equal.has(i));
  if (fresh.length < 2) throw tooFew((holdout ?? train).name, fresh.length);
  return fresh;
}

function tooFew(name: string, count: number): DatasetError {
  return new DatasetError(
    name,
    `expected at least two held-out images that equal no training image, got ${count}. Name others with --holdout.`,
  );
}

/** What must be said of the null rates: images that were left out, and rules that so few images cannot calibrate. */
export function heldoutNotes(
  { images }: Heldout,
  fresh: Int32Array | undefined,
  left: readonly RuleSetting[],
): string[] {
  if (fresh === undefined) return [];
  const count = images.shape[0] as number;
  const equal = count - fresh.length;
  const notes: string[] = [];
  if (equal > 0) notes.push(`${equal} of ${count} held-out images equal training images and are left out of the null rates.`); // prettier-ignore
  const rates = left.flatMap((setting) => ('falsePositives' in setting ? [setting.falsePositives] : []));
  if (rates.length > 0) {
    notes.push(`${fresh.length} held-out images are too few to calibrate thresholds at a rate of ${rates[0]}: calibrated rules are left out. Name more with --holdout, or raise --false-positives.`); // prettier-ignore
  }
  return notes;
}

/** Settings whose threshold could not be calibrated. */
export function uncalibrated(settings: readonly RuleSetting[], measures: readonly CopyMeasure[]): RuleSetting[] {
  const found = (rule: string): boolean => measures.some((m) => m.rule === rule && m.source.kind === 'held-out');
  return settings.filter((setting) => 'falsePositives' in setting && !found(setting.rule));
}
