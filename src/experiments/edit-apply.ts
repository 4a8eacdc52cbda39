import type { PerceptualDistance } from '../analysis/perceptual.ts';
import { composed } from '../editing/compose.ts';
import { moved, stepScale, toImages } from '../editing/edit-image.ts';
import type { EditPath } from '../editing/edit-image.ts';
import { composability } from '../editing/measures/effect.ts';
import { SpecError, throwIfAborted } from '../errors/errors.ts';
import { castFloat, reshape, row, sizeOf, slice, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { predictedChanges } from './edit-directions.ts';
import type { PartDirections } from './edit-directions.ts';
import { changeRatio, followDirection, measureChanges, transferCosine } from './edit-measure.ts';
import type { EditComposition, EditDirection } from './edit-result.ts';
import type { CompositionTerm } from './edit-spec.ts';
import type { EditSubject } from './edit-subject.ts';

/** All that is known once images are at the noise level; image 0 is edited, the others receive its directions. */
export interface EditStage {
  readonly subject: EditSubject;
  readonly path: EditPath;
  /** [1 + M, ...sampleShape] at the noise level. */
  readonly noisy: FloatTensor;
  /** The same brought back without an edit. */
  readonly back: FloatTensor;
  /** VP coordinates, ascending, with 0 among them. */
  readonly strengths: readonly number[];
  readonly perceptual?: PerceptualDistance | undefined;
}

/** One direction applied. */
export interface AppliedDirection {
  readonly row: EditDirection;
  /** [S, ...sampleShape] */
  readonly edits: FloatTensor;
  /** [M, 2, ...sampleShape]; undefined without other images. */
  readonly transfers?: FloatTensor | undefined;
  /** To apply it to one image at all strengths. */
  readonly seconds: number;
}

/** Applies every direction of every part, and measures what each changed. */
export async function applyDirections(parts: readonly PartDirections[], stage: EditStage): Promise<AppliedDirection[]> {
  const { subject } = stage;
  const total = parts.reduce((sum, { set }) => sum + set.values.length, 0);
  const applied: AppliedDirection[] = [];
  for (const [part, found] of parts.entries()) {
    const predicted = await predictedChanges(subject.denoiser, imageAt(stage.noisy, 0), found.set);
    for (let k = 0; k < found.set.values.length; k++) {
      throwIfAborted('edit', subject.signal);
      subject.onProgress?.({ label: 'editing', done: applied.length, total, unit: 'directions' });
      const direction = vectorAt(found, k);
      const change = predicted.subarray(k * direction.length, (k + 1) * direction.length);
      applied.push(await applyOne({ found, part, k, number: applied.length + 1, direction, predicted: change }, stage));
    }
  }
  return applied;
}

interface OneDirection {
  readonly found: PartDirections;
  readonly part: number;
  readonly k: number;
  readonly number: number;
  readonly direction: Float64Array;
  readonly predicted: Float64Array;
}

async function applyOne(one: OneDirection, stage: EditStage): Promise<AppliedDirection> {
  const { subject, path, noisy, back, strengths, perceptual } = stage;
  const { denoiser, signal, heldout } = subject;
  const { set, mask } = one.found;
  const { direction, k } = one;
  const begun = performance.now();
  const edits = await toImages(denoiser, moved(imageAt(noisy, 0), direction, strengths, path.sigma), path, { signal });
  const seconds = (performance.now() - begun) / 1000;
  const ends = [strengths[0] as number, strengths.at(-1) as number] as const;
  const count = (noisy.shape[0] as number) - 1;
  const others = slice(noisy as Tensor<'float64'>, 1, 1 + count);
  const transfers =
    count > 0 ? await toImages(denoiser, moved(others, direction, ends, path.sigma), path, { signal }) : undefined;
  const effect = await followDirection(denoiser, { noisy: imageAt(noisy, 0), sigma: path.sigma }, one, strengths);
  const changes = await measureChanges(imageAt(back, 0), edits, strengths, { mask, range: heldout.range, perceptual });
  const row: EditDirection = {
    number: one.number,
    part: one.part,
    method: set.method,
    value: finite(set.values[k]),
    residual: finite(set.residuals[k]),
    kept: set.kept[k] as number,
    gain: set.gains[k] as number,
    leak: set.leaks[k] as number,
    ...effect,
    changes,
    ratio: changeRatio(changes),
    transfer: transferCosine(
      ends,
      imageAt(back, 0),
      endsOf(edits),
      transfers,
      slice(back as Tensor<'float64'>, 1, 1 + count),
    ),
  };
  return { row, edits, seconds, ...(transfers && { transfers: reshape(transfers as Tensor<'float64'>, [count, 2, ...denoiser.sampleShape]) }) }; // prettier-ignore
}

/** Several directions at once, and whether their effects add up. */
export interface Composed {
  readonly row: EditComposition;
  /** [T + 1, ...sampleShape]: each term alone, then all at once. */
  readonly images: FloatTensor;
}

/**
 * Applies directions one by one and all at once.
 * @throws SpecError for a number beyond the run's directions
 */
export async function composeDirections(
  terms: readonly CompositionTerm[],
  parts: readonly PartDirections[],
  { subject, path, noisy, back }: EditStage,
): Promise<Composed> {
  const { denoiser, signal } = subject;
  const numbered = parts.flatMap(({ set }) => Array.from(set.values, (_, index) => ({ set, index })));
  const chosen = terms.map(({ direction, strength }) => {
    const found = numbered[direction - 1];
    if (found === undefined) throw new SpecError('edit', `expected directions 1 to ${numbered.length} for --compose, got ${direction}.`); // prettier-ignore
    return { ...found, weight: strength * stepScale(path.sigma) };
  });
  const steps = [...chosen.map((one) => composed([one])), composed(chosen)];
  const n = sizeOf(denoiser.sampleShape);
  const start = Float64Array.from({ length: steps.length * n }, (_, i) => {
    const [s, j] = [Math.floor(i / n), i % n];
    return (noisy.data[j] as number) + (steps[s]?.data[j] as number);
  });
  const images = await toImages(denoiser, tensor('float64', [steps.length, ...denoiser.sampleShape], start), path, { signal }); // prettier-ignore
  const base = castFloat(back, 'float64').data;
  const change = (s: number): Float64Array =>
    castFloat(images, 'float64').data.slice(s * n, (s + 1) * n).map((v, j) => v - (base[j] as number)); // prettier-ignore
  const sum = new Float64Array(n);
  for (let s = 0; s < terms.length; s++) change(s).forEach((v, j) => (sum[j] = (sum[j] as number) + v));
  const vector = (data: Float64Array): Tensor<'float64'> => tensor('float64', [n], data);
  const { remainder, cosine } = composability(vector(sum), vector(new Float64Array(n)), vector(change(terms.length)));
  return { row: { terms, remainder, cosine }, images };
}

/** Image i of a batch as a batch of one. */
export function imageAt(x: FloatTensor, i: number): FloatTensor {
  return slice(x as Tensor<'float64'>, i, i + 1);
}

/** Direction k of a part, [n]. */
export function vectorAt({ set }: PartDirections, k: number): Float64Array {
  return row(set.vectors, k).data;
}

/** First and last of a batch, [2, ...]. */
function endsOf(x: FloatTensor): Tensor<'float64'> {
  const [count = 0, ...shape] = x.shape;
  const { data } = castFloat(x, 'float64');
  const n = sizeOf(shape);
  const ends = new Float64Array(2 * n);
  ends.set(data.subarray(0, n));
  ends.set(data.subarray((count - 1) * n), n);
  return tensor('float64', [2, ...shape], ends);
}

/** JSON has no not-a-number. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
