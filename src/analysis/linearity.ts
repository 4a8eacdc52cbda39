import type { Denoiser } from '../denoisers/denoiser.ts';
import { ShapeError, throwIfAborted } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { allocate, castFloat, reshape, sameShape, showShape, sizeOf, slice, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';

/** How well the linear model l = D(x) + length J v tells D(x + length v), |v| = 1. */
export interface LinearityMeasure {
  /** Length of the step in data units. */
  readonly length: number;
  /** Cosine of the angle between D(x + length v) and l. */
  readonly cosine: number;
  /** |D(x + length v)| / |l|. */
  readonly normRatio: number;
  /** |D(x + length v) - l| over the larger of |D(x + length v) - D(x)| and |length J v|: 0 if linear, at most 2. */
  readonly remainder: number;
}

/** Options of `measureLinearity`. */
export interface LinearityOptions extends WatchOptions {
  /** [P, n] unit directions. */
  directions: FloatTensor;
  /** Step lengths in data units. */
  lengths: readonly number[];
  /** The Jacobian at x, where it is at hand; `denoiser.linearize(x, sigma)` otherwise. */
  op?: LinearOperator | undefined;
  /** Points evaluated in one batch. */
  batchSize?: number | undefined;
}

/**
 * Local linearity of a denoiser around a point, for each direction and step length.
 * @param denoiser  D(x; sigma)
 * @param x         one sample, [...sampleShape] or [1, ...sampleShape], in data units; not consumed
 * @param sigma     noise level in data units
 * @returns one list a direction, in the order of `lengths`
 * @throws ShapeError if the directions are not [P, n]; CancelledError between batches; whatever the denoiser throws
 * @precision that of the denoiser: in float32 the remainder has a floor near 1e-7 |D(x)| / |D(x + length v) - D(x)|
 * @source arXiv 2409.02374 section 3 (norm ratio and cosine); the remainder is ours: it is blind to the size of D(x)
 */
export async function measureLinearity(
  denoiser: Denoiser,
  x: FloatTensor,
  sigma: number,
  options: LinearityOptions,
): Promise<LinearityMeasure[][]> {
  const { directions, lengths, signal, onProgress, batchSize = 64 } = options;
  const n = sizeOf(denoiser.sampleShape);
  const [count = 0] = directions.shape;
  if (!sameShape(directions.shape, [count, n])) {
    throw new ShapeError('measureLinearity', `expected directions [P, ${n}], got ${showShape(directions.shape)}.`);
  }
  const op = options.op ?? denoiser.linearize(x, sigma);
  const changes = castFloat(await op.apply(directions), 'float64');
  // Row 0 is x itself, then every direction at every length.
  const points = stepsFrom(castFloat(x, 'float64').data, directions, lengths);
  const total = points.shape[0] as number;
  const outputs = new Float64Array(total * n);
  for (let first = 0; first < total; first += batchSize) {
    throwIfAborted('measureLinearity', signal);
    const batch = slice(points, first, Math.min(first + batchSize, total));
    const shaped = reshape(batch, [batch.shape[0] as number, ...denoiser.sampleShape]);
    outputs.set((await denoiser.denoise(shaped, sigma)).data, first * n);
    onProgress?.(Math.min(first + batchSize, total), total);
  }
  const output = (i: number): Float64Array => outputs.subarray(i * n, (i + 1) * n);
  return Array.from({ length: count }, (_, p) =>
    lengths.map((length, s) => {
      const change = changes.data.subarray(p * n, (p + 1) * n);
      return compareStep(length, output(0), change, output(1 + p * lengths.length + s));
    }),
  );
}

/** Options of `linearityScore`. */
export interface LinearityScoreOptions {
  /** Weights a and b of the two points; 1/sqrt(2) each keeps the noise level. */
  weights?: readonly [number, number] | undefined;
}

/**
 * Linearity score of a denoiser at one noise level: mean of |cos(D(a x1 + b x2), a D(x1) + b D(x2))| over pairs of noisy points.
 * @param x1  [B, ...sampleShape] noisy samples at `sigma`; not consumed
 * @param x2  as many others
 * @returns in [0, 1]; 1 for a linear denoiser
 * @throws ShapeError if the two batches differ in shape
 * @source arXiv 2410.24060 (hidden Gaussian structure), linearity score LS
 */
export async function linearityScore(
  denoiser: Denoiser,
  x1: FloatTensor,
  x2: FloatTensor,
  sigma: number,
  options: LinearityScoreOptions = {},
): Promise<number> {
  const [a, b] = options.weights ?? [Math.SQRT1_2, Math.SQRT1_2];
  if (!sameShape(x1.shape, x2.shape)) {
    throw new ShapeError(
      'linearityScore',
      `expected two batches of one shape, got ${showShape(x1.shape)} and ${showShape(x2.shape)}.`,
    );
  }
  const mixed = combine(a, x1, b, x2);
  const [d1, d2, dMixed] = await Promise.all([
    denoiser.denoise(x1, sigma),
    denoiser.denoise(x2, sigma),
    denoiser.denoise(mixed, sigma),
  ]);
  const model = combine(a, d1, b, d2);
  const [count = 0] = x1.shape;
  const n = sizeOf(x1.shape.slice(1));
  let sum = 0;
  for (let k = 0; k < count; k++) {
    sum += Math.abs(cosine(dMixed.data.subarray(k * n, (k + 1) * n), model.data.subarray(k * n, (k + 1) * n)));
  }
  return sum / count;
}

function combine(a: number, x: FloatTensor, b: number, y: FloatTensor): Tensor<'float64'> {
  const data = new Float64Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = a * (x.data[i] as number) + b * (y.data[i] as number);
  return tensor('float64', x.shape, data);
}

/** [1 + P L, n]: x, then x + length v for every direction and, within it, every length. */
function stepsFrom(x: Float64Array, directions: FloatTensor, lengths: readonly number[]): Tensor<'float64'> {
  const n = x.length;
  const [count = 0] = directions.shape;
  const data = allocate('float64', (1 + count * lengths.length) * n);
  data.set(x);
  let at = n;
  for (let p = 0; p < count; p++) {
    for (const length of lengths) {
      for (let i = 0; i < n; i++) data[at + i] = (x[i] as number) + length * (directions.data[p * n + i] as number);
      at += n;
    }
  }
  return tensor('float64', [1 + count * lengths.length, n], data);
}

function compareStep(
  length: number,
  center: Float64Array,
  change: Float64Array,
  moved: Float64Array,
): LinearityMeasure {
  const model = center.map((c, i) => c + length * (change[i] as number));
  const missed = norm(moved.map((m, i) => m - (model[i] as number)));
  const actual = norm(moved.map((m, i) => m - (center[i] as number)));
  return {
    length,
    cosine: cosine(moved, model),
    normRatio: ratio(norm(moved), norm(model)),
    remainder: missed === 0 ? 0 : missed / Math.max(actual, Math.abs(length) * norm(change)),
  };
}

/** a / b, and 1 where both are zero: two zero outputs agree. */
function ratio(a: number, b: number): number {
  return a === 0 && b === 0 ? 1 : a / b;
}

/** Cosine of the angle between two vectors; 1 where both are zero, 0 where one is. */
function cosine(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  const [normA, normB] = [norm(a), norm(b)];
  if (normA === 0 || normB === 0) return normA === normB ? 1 : 0;
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += ((a[i] as number) / normA) * ((b[i] as number) / normB);
  return Math.min(1, Math.max(-1, dot));
}

function norm(a: Float32Array | Float64Array): number {
  let sum = 0;
  for (const v of a) sum += v * v;
  return Math.sqrt(sum);
}
