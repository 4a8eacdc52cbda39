import { DomainError, ShapeError } from '../../errors/errors.ts';
import { showShape } from '../../tensor/tensor.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';

/** How one change compares with another that stands for it. */
export interface Agreement {
  /** Cosine of the angle between the two; 1 where both are zero, 0 where one is. */
  readonly cosine: number;
  /** Length of the change over that of the other; 1 where both are zero, Infinity where only the other is. */
  readonly normRatio: number;
}

/** How the change at one strength compares with strength times the predicted change. */
export interface StrengthAgreement extends Agreement {
  readonly strength: number;
}

/**
 * Change of the image at every strength against the linear model: strength times the change that J v predicts.
 * @param strengths  [S], in the unit of `predicted`; negative ones edit the other way, 0 must leave the image as it is
 * @param images     [S, ...], one at each strength, data units; not consumed
 * @param base       the image without an edit, as many numbers
 * @param predicted  J v, change a unit of strength, as many numbers
 * @returns one a strength, in order
 * @throws ShapeError where the sizes differ
 * @precision float64 sums; in float32 images the cosine has a floor near 1e-7 |base| / |change|
 * @source arXiv 2409.02374, section 3 (norm ratio and cosine), here of changes: those of images are blind to the size of the image
 */
export function effectLinearity(
  strengths: ArrayLike<number>,
  images: FloatTensor,
  base: FloatTensor,
  predicted: FloatTensor,
): StrengthAgreement[] {
  return changesFrom('effectLinearity', strengths, images, base, predicted).map(({ strength, change }) => {
    const model = Float64Array.from(predicted.data, (v) => strength * v);
    return { strength, ...compare(change, model) };
  });
}

/** Slope of the effect in the strength, beside the one that the linear model predicts. */
export interface SlopeMeasure {
  /** Least squares slope through 0 of the projections against the strengths. */
  readonly slope: number;
  /** |J v|, the slope of the linear model: the singular value, where v is a right singular vector. */
  readonly predicted: number;
  /** Share of the sum of squared projections that the line explains: 1 on a line through 0. */
  readonly rSquared: number;
  /** [S], change at each strength along the predicted one, data units. */
  readonly projections: Float64Array;
}

/**
 * Measured slope of the effect: change of the image, projected on the unit vector of the predicted change, against the strength.
 * Parameters as in `effectLinearity`.
 * @throws ShapeError where the sizes differ; DomainError for a predicted change of 0, or fewer than two strengths other than 0, through
 * which any line fits
 * @precision float64 sums
 * @source arXiv 2409.02374, eq. 6; R^2 about 0, as belongs to a line through 0
 */
export function measuredSlope(
  strengths: ArrayLike<number>,
  images: FloatTensor,
  base: FloatTensor,
  predicted: FloatTensor,
): SlopeMeasure {
  const where = 'measuredSlope';
  const changes = changesFrom(where, strengths, images, base, predicted);
  const useful = changes.filter(({ strength }) => strength !== 0).length;
  if (useful < 2) throw new DomainError(where, `expected two or more strengths other than 0, got ${useful}.`);
  const length = Math.sqrt(dot(predicted.data, predicted.data));
  if (!(length > 0)) throw new DomainError(where, `expected a predicted change other than 0, got length ${length}.`);
  const projections = Float64Array.from(changes, ({ change }) => dot(change, predicted.data) / length);
  const slope = dot(projections, strengths) / dot(strengths, strengths);
  const missed = projections.map((p, i) => p - slope * (strengths[i] as number));
  const total = dot(projections, projections);
  const rSquared = total === 0 ? 1 : 1 - dot(missed, missed) / total;
  return { slope, predicted: length, rSquared, projections };
}

/** How two edits made at once compare with the sum of both. */
export interface Composition {
  /** |both - (a + b)| / |a + b|, the cross term: 0 where the effects add up. */
  readonly remainder: number;
  /** Cosine of the angle between the change by both and the sum; as in `Agreement`. */
  readonly cosine: number;
}

/**
 * Whether the effects of two edits add up.
 * @param changeA   change by the first edit alone, n numbers in data units; not consumed
 * @param changeB   change by the second alone
 * @param changeAB  change by both at once
 * @returns remainder 0 where both sides are zero, Infinity where only the sum is
 * @throws ShapeError where the sizes differ
 * @source arXiv 2409.02374 (composition of directions)
 */
export function composability(changeA: FloatTensor, changeB: FloatTensor, changeAB: FloatTensor): Composition {
  checkSizes('composability', changeA, changeB, changeAB);
  const sum = Float64Array.from(changeA.data, (a, i) => a + (changeB.data[i] as number));
  const missed = Float64Array.from(changeAB.data, (ab, i) => ab - (sum[i] as number));
  const [short, length] = [Math.sqrt(dot(missed, missed)), Math.sqrt(dot(sum, sum))];
  return { remainder: short === 0 ? 0 : short / length, cosine: compare(changeAB.data, sum).cosine };
}

/**
 * How the change of another image by the same step compares with that of the image at which the direction was found.
 * @param changeSource  n numbers in data units; not consumed
 * @param changeTarget  as many
 * @returns normRatio of the target over the source
 * @throws ShapeError where the sizes differ
 * @source arXiv 2409.02374 (transfer, there rated by people)
 */
export function transferAgreement(changeSource: FloatTensor, changeTarget: FloatTensor): Agreement {
  checkSizes('transferAgreement', changeSource, changeTarget);
  return compare(changeTarget.data, changeSource.data);
}

/** The changes at every strength, float64. */
function changesFrom(
  where: string,
  strengths: ArrayLike<number>,
  images: FloatTensor,
  base: FloatTensor,
  predicted: FloatTensor,
): { strength: number; change: Float64Array }[] {
  checkSizes(where, base, predicted);
  const n = base.data.length;
  if (images.shape[0] !== strengths.length || images.data.length !== strengths.length * n) {
    const got = `${strengths.length} strengths and images ${showShape(images.shape)}`;
    throw new ShapeError(where, `expected one image of ${n} numbers a strength, got ${got}.`);
  }
  return Array.from(strengths, (strength, s) => ({
    strength,
    change: Float64Array.from(base.data, (b, i) => (images.data[s * n + i] as number) - b),
  }));
}

function checkSizes(where: string, ...arrays: readonly FloatTensor[]): void {
  if (arrays.every(({ data }) => data.length === arrays[0]?.data.length)) return;
  const got = arrays.map(({ shape }) => showShape(shape)).join(', ');
  throw new ShapeError(where, `expected arrays of one size, got ${got}.`);
}

function compare(a: ArrayLike<number>, b: ArrayLike<number>): Agreement {
  const [aa, bb] = [dot(a, a), dot(b, b)];
  if (aa === 0 || bb === 0) return { cosine: aa === bb ? 1 : 0, normRatio: aa === bb ? 1 : Math.sqrt(aa / bb) };
  const cosine = dot(a, b) / (Math.sqrt(aa) * Math.sqrt(bb));
  return { cosine: Math.min(1, Math.max(-1, cosine)), normRatio: Math.sqrt(aa / bb) };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
