import { measureLinearity } from '../analysis/linearity.ts';
import type { PerceptualDistance } from '../analysis/perceptual.ts';
import type { ValueRange } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { stepScale } from '../editing/edit-image.ts';
import type { Mask } from '../editing/mask.ts';
import { changeInside } from '../editing/measures/change.ts';
import { measuredSlope, transferAgreement } from '../editing/measures/effect.ts';
import { ssim } from '../editing/measures/ssim.ts';
import { castFloat, reshape, row, slice, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { EditChange } from './edit-result.ts';
import { median } from './median.ts';

/** How the posterior mean follows one direction. */
export interface DirectionEffect {
  readonly slope: number;
  readonly rSquared: number;
  /** Least cosine between the posterior mean and its linear model over the strengths. */
  readonly linearity: number;
}

/**
 * Follows the posterior mean along a direction: its slope against the one that J v predicts, and its linearity.
 * @param noisy  [1, ...sampleShape] at sigma
 * @param direction  [n], unit
 * @param predicted  [n], J v
 * @param strengths  VP coordinates, with 0 among them
 */
export async function followDirection(
  denoiser: Denoiser,
  { noisy, sigma }: { readonly noisy: FloatTensor; readonly sigma: number },
  { direction, predicted }: { readonly direction: Float64Array; readonly predicted: Float64Array },
  strengths: readonly number[],
): Promise<DirectionEffect> {
  const lengths = strengths.filter((s) => s !== 0).map((s) => s * stepScale(sigma));
  const directions = tensor('float64', [1, direction.length], direction);
  const [measures = []] = await measureLinearity(denoiser, noisy, sigma, { directions, lengths });
  const steps = Float64Array.from({ length: lengths.length * direction.length }, (_, i) => {
    const [s, j] = [Math.floor(i / direction.length), i % direction.length];
    return (noisy.data[j] as number) + (lengths[s] as number) * (direction[j] as number);
  });
  const means = await denoiser.denoise(tensor('float64', [lengths.length, ...denoiser.sampleShape], steps), sigma);
  const base = await denoiser.denoise(noisy, sigma);
  const line = measuredSlope(lengths, means, base, tensor('float64', [direction.length], predicted));
  return {
    slope: line.slope,
    rSquared: line.rSquared,
    linearity: Math.min(...measures.map(({ cosine }) => cosine)),
  };
}

/** What a change is measured by. */
export interface ChangeMeasures {
  readonly mask?: Mask | undefined;
  readonly range: ValueRange;
  readonly perceptual?: PerceptualDistance | undefined;
}

/**
 * What edits changed, against the image without an edit.
 * @param before  [1, ...sampleShape]
 * @param after   [S, ...sampleShape], one a strength
 */
export async function measureChanges(
  before: FloatTensor,
  after: FloatTensor,
  strengths: readonly number[],
  { mask, range, perceptual }: ChangeMeasures,
): Promise<EditChange[]> {
  const distances = perceptual && (await perceptual.compare(repeated(before, strengths.length), castFloat(after, 'float32'))); // prettier-ignore
  const base = row(before as Tensor<'float64'>, 0);
  return strengths.map((strength, s) => {
    const image = row(after as Tensor<'float64'>, s);
    const isImage = base.shape.length === 3;
    const split = mask && changeInside(base, image, mask, { range });
    return {
      strength,
      inside: split?.inside.mse ?? meanSquare(base, image),
      outside: split?.outside.mse ?? null,
      ssim: isImage ? ssim(base, image, { range }) : null,
      ssimOutside: split?.outside.ssim ?? null,
      ...(distances && { perceptual: distances[s] as number }),
    };
  });
}

/**
 * Inside over outside at the two ends of the strengths, as a mean of both; null without a mask, or where the outside keeps every bit.
 * @param changes  by ascending strength
 */
export function changeRatio(changes: readonly EditChange[]): number | null {
  const ends = [changes[0], changes.at(-1)].filter((c) => c !== undefined && c.strength !== 0) as EditChange[];
  const sum = (of: (c: EditChange) => number | null): number => ends.reduce((all, c) => all + (of(c) ?? NaN), 0);
  const ratio = sum(({ inside }) => inside) / sum(({ outside }) => outside);
  return Number.isFinite(ratio) ? ratio : null;
}

/**
 * Median cosine between the change of the image and those of the others, over the ends of the strengths that are not 0; null without others.
 * @param strengths  of the two ends
 * @param ends  [2, ...]: the image at the lowest and highest strength
 * @param others  [M, 2, ...sampleShape]
 */
export function transferCosine(
  strengths: readonly [number, number],
  base: FloatTensor,
  ends: FloatTensor,
  others: FloatTensor | undefined,
  othersBase: FloatTensor,
): number | null {
  const count = othersBase.shape[0] ?? 0;
  if (others === undefined || count === 0) return null;
  const size = base.data.length;
  const change = (data: ArrayLike<number>, at: number, from: ArrayLike<number>, fromAt: number): Tensor<'float64'> =>
    tensor('float64', [size], Float64Array.from({ length: size }, (_, i) => (data[at + i] as number) - (from[fromAt + i] as number))); // prettier-ignore
  const cosines = Array.from({ length: 2 * count }, (_, k) => {
    const [m, end] = [Math.floor(k / 2), k % 2];
    if (strengths[end] === 0) return [];
    const source = change(ends.data, end * size, base.data, 0);
    return transferAgreement(source, change(others.data, k * size, othersBase.data, m * size)).cosine;
  }).flat();
  return median(cosines) ?? null;
}

function repeated(x: FloatTensor, count: number): Tensor<'float32'> {
  const { data } = castFloat(slice(x as Tensor<'float64'>, 0, 1), 'float32');
  const out = new Float32Array(count * data.length);
  for (let i = 0; i < count; i++) out.set(data, i * data.length);
  return reshape(tensor('float32', [out.length], out), [count, ...x.shape.slice(1)]);
}

function meanSquare(a: FloatTensor, b: FloatTensor): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += ((a.data[i] as number) - (b.data[i] as number)) ** 2;
  return sum / a.data.length;
}
