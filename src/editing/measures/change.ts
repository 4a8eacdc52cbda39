import type { ValueRange } from '../../data/dataset.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { checkMask } from '../mask.ts';
import type { Mask } from '../mask.ts';
import { ssimMap } from './ssim.ts';
import type { SsimOptions } from './ssim.ts';

/** How much two images differ on some pixels. */
export interface RegionChange {
  readonly pixels: number;
  /** Mean of the squared difference over these pixels and all channels, data units squared. */
  readonly mse: number;
  /** 10 log10(span of the range squared / mse), dB; Infinity where nothing changed. */
  readonly psnr: number;
  /** Mean of `ssimMap` over these pixels. Its window reaches 5 pixels over the edge of the mask. */
  readonly ssim: number;
}

/** Change of an image inside and outside a mask. */
export interface MaskedChange {
  readonly inside: RegionChange;
  readonly outside: RegionChange;
  /** Mean squared difference inside over outside: above 1 for a local edit, Infinity where the outside kept, NaN where nothing changed. */
  readonly ratio: number;
}

/**
 * Change of an image by an edit, inside and outside its mask. Values outside the range count as they are.
 * @param before  [C, H, W], data units; not consumed
 * @param after   of the same shape
 * @throws ShapeError where the images or the mask differ in shape; DomainError for an empty or full mask, or a range that is none
 * @precision sums in float64; `ssim` as `ssimMap`
 * @source arXiv 2409.02374 rates edits by the SSIM of whole images; the split by the mask is ours
 */
export function changeInside(
  before: FloatTensor,
  after: FloatTensor,
  mask: Mask,
  { range = { low: -1, high: 1 } }: SsimOptions = {},
): MaskedChange {
  const similarity = ssimMap(before, after, { range }).data;
  const [C, H, W] = before.shape as [number, number, number];
  checkMask('changeInside', mask, before.shape);
  const squares = new Float64Array(H * W);
  for (let i = 0; i < before.data.length; i++) {
    const at = i % squares.length;
    squares[at] = (squares[at] as number) + ((after.data[i] as number) - (before.data[i] as number)) ** 2 / C;
  }
  const over = (flag: 0 | 1): RegionChange => regionChange(mask, flag, squares, similarity, range);
  const [inside, outside] = [over(1), over(0)];
  return { inside, outside, ratio: inside.mse / outside.mse };
}

function regionChange(
  { inside }: Mask,
  flag: 0 | 1,
  squares: Float64Array,
  similarity: Float64Array,
  { low, high }: ValueRange,
): RegionChange {
  let [pixels, error, alike] = [0, 0, 0];
  inside.forEach((value, i) => {
    if (value !== flag) return;
    pixels++;
    error += squares[i] as number;
    alike += similarity[i] as number;
  });
  const mse = error / pixels;
  return { pixels, mse, psnr: 10 * Math.log10((high - low) ** 2 / mse), ssim: alike / pixels };
}
