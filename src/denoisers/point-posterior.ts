import { matmul } from '../linalg/matmul.ts';
import { slice, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** Log-weights this far below the largest count as weight 0: exp(-80) = 2e-35 is nothing beside 1, however many points. */
const negligible = 80;

/** Log-weights whose rounding is below this need no second look. */
const fineEnough = 1e-10;

/** Points a block: 256 rows of 784 in float64 are 1.6 MB, a size that stays in the cache. */
const blockRows = 256;

/** The posterior over a finite set of points given noisy samples, computed block by block. */
export class PointPosterior {
  readonly #points: FloatTensor;
  readonly #squares: Float64Array;
  readonly #largestSquare: number;

  /** @param points  [N, dimension], kept and never written */
  constructor(points: FloatTensor) {
    const [count, dimension] = points.shape as [number, number];
    this.#points = points;
    this.#squares = new Float64Array(count);
    for (let i = 0; i < count; i++) this.#squares[i] = squaredNorm(points.data, i * dimension, dimension);
    this.#largestSquare = this.#squares.reduce((a, b) => Math.max(a, b), 0);
  }

  /**
   * Posterior weights: softmax over points of -|x - y_i|^2 / (2 sigma^2).
   * Distances come from one matrix product; where their rounding would show (small sigma), those that matter are taken again
   * relative to the nearest point, from coordinate differences that are exact for near-duplicates.
   * @param x  [B, dimension]
   * @returns [B, N] flat, each row summing to 1
   */
  weights(x: Tensor<'float64'>, sigmas: Float64Array): Float64Array {
    const [count, dimension] = this.#points.shape as [number, number];
    const logits = new Float64Array(sigmas.length * count);
    for (let start = 0; start < count; start += blockRows) {
      const rows = this.rows(range(start, Math.min(start + blockRows, count)));
      const products = matmul(x, rows, { transposeB: true });
      const width = rows.shape[0] as number;
      for (let i = 0; i < products.data.length; i++) {
        const at = start + (i % width);
        // |x|^2 is common to all points and left out
        logits[Math.floor(i / width) * count + at] = (products.data[i] as number) - (this.#squares[at] as number) / 2;
      }
    }
    sigmas.forEach((sigma, b) => {
      const own = logits.subarray(b * count, (b + 1) * count);
      for (let i = 0; i < count; i++) own[i] = (own[i] as number) / (sigma * sigma);
      const size = squaredNorm(x.data, b * dimension, dimension) + this.#largestSquare;
      // A sum of n rounded products errs by about sqrt(n) eps of its scale; 4 for safety.
      const error = (4 * Math.sqrt(dimension) * Number.EPSILON * size) / (sigma * sigma);
      if (error > fineEnough) this.#refine(x.data.subarray(b * dimension, (b + 1) * dimension), sigma, own, error);
      normalize(own);
    });
    return logits;
  }

  /** The points of the given numbers, in float64. */
  rows(numbers: Int32Array): Tensor<'float64'> {
    const dimension = this.#points.shape[1] as number;
    const rows = zeros('float64', [numbers.length, dimension]);
    numbers.forEach((i, r) => rows.data.set(slice(this.#points, i, i + 1).data, r * dimension));
    return rows;
  }

  /** Splits the points of non-zero weight for any of the samples into blocks. @param weights  [B, N] flat */
  *support(weights: Float64Array): Generator<Int32Array> {
    const count = this.#squares.length;
    const chosen = range(0, count).filter((i) => {
      for (let at = i; at < weights.length; at += count) if (weights[at] !== 0) return true; // also not-a-number
      return false;
    });
    for (let start = 0; start < chosen.length; start += blockRows) yield chosen.slice(start, start + blockRows);
  }

  #refine(x: Float64Array, sigma: number, logits: Float64Array, error: number): void {
    const points = this.#points.data;
    const dimension = x.length;
    let nearest = 0;
    for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[nearest] as number)) nearest = i;
    const least = (logits[nearest] as number) - negligible - 2 * error;
    const offset = x.map((value, j) => value - (points[nearest * dimension + j] as number));
    for (let i = 0; i < logits.length; i++) {
      if ((logits[i] as number) < least) {
        logits[i] = -Infinity;
        continue;
      }
      let gain = 0; // |x - nearest|^2 - |x - y_i|^2
      for (let j = 0; j < dimension; j++) {
        const step = (points[i * dimension + j] as number) - (points[nearest * dimension + j] as number);
        gain += step * (2 * (offset[j] as number) - step);
      }
      logits[i] = gain / (2 * sigma * sigma);
    }
  }
}

function range(start: number, end: number): Int32Array {
  return Int32Array.from({ length: end - start }, (_, i) => start + i);
}

function squaredNorm(data: Float32Array | Float64Array, start: number, length: number): number {
  let sum = 0;
  for (let j = start; j < start + length; j++) sum += (data[j] as number) ** 2;
  return sum;
}

function normalize(logits: Float64Array): void {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const below = (logits[i] as number) - largest;
    sum += logits[i] = below < -negligible ? 0 : Math.exp(below);
  }
  for (let i = 0; i < logits.length; i++) (logits[i] as number) /= sum;
}
