import type { ValueRange } from '../../data/dataset.ts';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { assertShape, sameShape, showShape, tensor } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';

/** Options of `ssim` and `ssimMap`. */
export interface SsimOptions {
  /** Values of black and white. Default [-1, 1]. Values are counted from black, as the measure is defined for intensities >= 0. */
  readonly range?: ValueRange | undefined;
}

/** Half width of the 11 x 11 window; its Gaussian has a deviation of 1.5 pixels. */
const reach = 5;
const [k1, k2] = [0.01, 0.03];
const taps = gaussianWindow(1.5);

/**
 * Structural similarity of two images: mean of `ssimMap` over the places where the whole window lies inside the image. On an axis shorter
 * than the window that is the middle one or two places.
 * @param a  [C, H, W], data units; not consumed
 * @param b  of the same shape
 * @returns 1 for equal images, at least -1
 * @throws ShapeError, DomainError as `ssimMap`
 * @precision as `ssimMap`
 * @source Wang, Bovik, Sheikh and Simoncelli 2004, eq. 13 and 17; the same places as in their code, scikit-image (`gaussian_weights`, without
 * `use_sample_covariance`) and torchmetrics
 */
export function ssim(a: FloatTensor, b: FloatTensor, options: SsimOptions = {}): number {
  const map = ssimMap(a, b, options);
  const [height, width] = map.shape as [number, number];
  const [top, left] = [margin(height), margin(width)];
  let sum = 0;
  for (let y = top; y < height - top; y++) {
    for (let x = left; x < width - left; x++) sum += map.data[y * width + x] as number;
  }
  return sum / ((height - 2 * top) * (width - 2 * left));
}

/**
 * Structural similarity around every pixel, averaged over channels: Gaussian window of 11 x 11, deviation 1.5, K1 = 0.01, K2 = 0.03.
 * At the edge the image goes on mirrored (c b a | a b c). Costs 110 multiplications a number.
 * @param a  [C, H, W], data units, any size >= 1; not consumed
 * @param b  of the same shape
 * @returns [H, W]
 * @throws ShapeError unless both are [C, H, W] of one shape and not empty; DomainError for a range that is none
 * @precision float64: absolute 1e-11 for values in the range
 * @source as `ssim`; edges as in the full map of scikit-image
 */
export function ssimMap(
  a: FloatTensor,
  b: FloatTensor,
  { range = { low: -1, high: 1 } }: SsimOptions = {},
): Tensor<'float64'> {
  const { C = 0, H = 0, W = 0 } = assertShape('ssimMap', a, 'C H W');
  if (!sameShape(a.shape, b.shape) || a.data.length === 0) {
    const got = `${showShape(a.shape)} and ${showShape(b.shape)}`;
    throw new ShapeError('ssimMap', `expected two images of one shape, got ${got}.`);
  }
  const span = range.high - range.low;
  if (!(span > 0 && span < Infinity)) {
    throw new DomainError('ssimMap', `expected a finite range, low below high, got ${range.low} to ${range.high}.`);
  }
  const pixels = H * W;
  const blur = createBlur(H, W);
  const fromBlack = (x: FloatTensor, c: number): Float64Array =>
    new Float64Array(x.data.subarray(c * pixels, (c + 1) * pixels)).map((v) => v - range.low);
  const map = new Float64Array(pixels);
  for (let c = 0; c < C; c++) addSsim(map, fromBlack(a, c), fromBlack(b, c), blur, span);
  for (let i = 0; i < pixels; i++) map[i] = (map[i] as number) / C;
  return tensor('float64', [H, W], map);
}

/** Adds the similarity of two planes to `map`: their means, variances and covariance under the window, eq. 13. */
function addSsim(
  map: Float64Array,
  a: Float64Array,
  b: Float64Array,
  blur: (plane: Float64Array) => Float64Array,
  span: number,
): void {
  const [c1, c2] = [(k1 * span) ** 2, (k2 * span) ** 2];
  const [meanA, meanB] = [blur(a), blur(b)];
  const [squareA, squareB] = [blur(a.map((v) => v * v)), blur(b.map((v) => v * v))];
  const product = blur(a.map((v, i) => v * (b[i] as number)));
  for (let i = 0; i < map.length; i++) {
    const [ma, mb] = [meanA[i] as number, meanB[i] as number];
    // In this order equal planes give exactly 1.
    const variances = (squareA[i] as number) - ma * ma + ((squareB[i] as number) - mb * mb);
    const covariance = (product[i] as number) - ma * mb;
    const luminance = (2 * ma * mb + c1) / (ma * ma + mb * mb + c1);
    map[i] = (map[i] as number) + (luminance * (2 * covariance + c2)) / (variances + c2);
  }
}

/** The window on planes [H, W]: along the rows, then along the columns. */
function createBlur(H: number, W: number): (plane: Float64Array) => Float64Array {
  const [rows, columns] = [mirrored(H), mirrored(W)];
  const line = new Float64Array(W + 2 * reach);
  const narrow = new Float64Array(H * W);
  return (plane) => {
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < line.length; x++) line[x] = plane[y * W + (columns[x] as number)] as number;
      for (let x = 0; x < W; x++) {
        let sum = 0;
        for (let k = 0; k <= 2 * reach; k++) sum += (taps[k] as number) * (line[x + k] as number);
        narrow[y * W + x] = sum;
      }
    }
    const out = new Float64Array(H * W);
    for (let y = 0; y < H; y++) {
      for (let k = 0; k <= 2 * reach; k++) {
        const [weight, from] = [taps[k] as number, (rows[y + k] as number) * W];
        for (let x = 0; x < W; x++) out[y * W + x] = (out[y * W + x] as number) + weight * (narrow[from + x] as number);
      }
    }
    return out;
  };
}

/** Places -5 ... size + 4 of an axis mirrored at its ends, as often as a short one needs. */
function mirrored(size: number): Int32Array {
  return Int32Array.from({ length: size + 2 * reach }, (_, i) => {
    const place = (((i - reach) % (2 * size)) + 2 * size) % (2 * size);
    return place < size ? place : 2 * size - 1 - place;
  });
}

/** Places at either end of an axis whose window is not whole. */
function margin(size: number): number {
  return Math.min(reach, Math.floor((size - 1) / 2));
}

/** [11], sums to 1. */
function gaussianWindow(deviation: number): Float64Array {
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)),
  );
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => w / total);
}
