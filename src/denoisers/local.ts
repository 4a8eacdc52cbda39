import { DomainError, ShapeError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { allocate, assertFinite, assertFloat, assertShape, reshape, sizeOf, tensor, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { checkBatch, checkPoint, checkVectors, Lifetime } from './checks.ts';
import type { Denoiser, Sigma } from './denoiser.ts';
import { patchClasses, singlePlace } from './patches.ts';
import type { Boundary, PatchClass } from './patches.ts';
import { PointPosterior } from './point-posterior.ts';

/** `LS` compares a patch with the training patches at the same place, `ELS` with those at every place. */
export type LocalMachine = 'LS' | 'ELS';

/** A local denoiser of a finite training set. */
export interface LocalOptions {
  readonly name: string;
  /** [N, C, H, W] with N >= 1; kept, not copied, so leave it unchanged. */
  readonly images: FloatTensor;
  readonly machine: LocalMachine;
  /** Side P of the square patch about each pixel; one that covers the image makes LS the ideal denoiser of the set. */
  readonly patch: number;
  /** Default `circular`; `zero` lets only patches with the same overlap with the border compete (boundary-broken). */
  readonly boundary?: Boundary;
}

/** Weights held at once, 16 MB of float64. */
const weightsHeld = 2 ** 21;

/**
 * The local score machines of Kamb and Ganguli as a denoiser: the best denoiser of a training set that sees P x P patches only.
 * D(x)(q) = sum_p w(p | x, q) p(centre), w = softmax of -|x_patch(q) - p|^2 / (2 sigma^2) over training patches p: VE form of M_t.
 * Row q of its Jacobian is Cov_w(centre, patch) / sigma^2 on the patch about q; unlike a posterior covariance it is not symmetric.
 * ELS holds all N H W patches in memory and weighs each for every pixel; LS weighs N a pixel.
 * @throws ShapeError unless images are [N >= 1, C, H, W]; DomainError for a patch that is none; NumericalError if a value is not finite
 * @precision as `empiricalDenoiser`: weights to 1e-10 relative
 * @source Kamb and Ganguli 2024, arXiv 2412.20292, LS, ELS and boundary-broken ELS machines (s = 1, g = sigma)
 */
export function localDenoiser({ name, images, machine, patch, boundary = 'circular' }: LocalOptions): Denoiser {
  assertFloat(name, images);
  assertShape(name, images, 'N C H W');
  const shape = images.shape.slice(1) as [number, number, number];
  if (images.data.length === 0) {
    throw new ShapeError(name, `expected images [N >= 1, C, H, W], got [${images.shape.join(', ')}].`);
  }
  if (machine !== 'LS' && machine !== 'ELS') throw new DomainError(name, `expected LS or ELS, got ${String(machine)}.`);
  assertFinite(name, images, 'Check the data set.');
  const classes = patchClasses({ shape, patch, boundary });
  const everywhere = machine === 'ELS' ? classes.map((own) => new PatchGroup(images, own)) : undefined;
  // The candidates of one place are quickly gathered, and those of all places together would be P^2 times the data.
  const groups = everywhere ? (): Iterable<PatchGroup> => everywhere : () => placeByPlace(images, classes);
  return new LocalDenoiser(name, shape, groups);
}

function* placeByPlace(images: FloatTensor, classes: readonly PatchClass[]): Generator<PatchGroup> {
  for (const own of classes) {
    for (let at = 0; at < own.places.length; at++) yield new PatchGroup(images, singlePlace(own, at));
  }
}

/** The pixels of one class with the training patches that compete for them. */
class PatchGroup {
  readonly own: PatchClass;
  readonly count: number;
  readonly posterior: PointPosterior;
  readonly #patches: FloatTensor;

  constructor(images: FloatTensor, own: PatchClass) {
    const [N = 0] = images.shape;
    const size = sizeOf(images.shape.slice(1));
    this.own = own;
    this.count = N * own.places.length;
    const data = allocate(images.dtype, N * own.elements.length);
    let at = 0;
    for (let i = 0; i < N; i++) for (const e of own.elements) data[at++] = images.data[i * size + e] as number;
    this.#patches = { shape: [this.count, own.size], dtype: images.dtype, data } as FloatTensor;
    this.posterior = new PointPosterior(this.#patches);
  }

  /** Value of the centre pixel of each candidate in channel c is at `centre(j, c)`. */
  centre(j: number, c: number): number {
    return this.#patches.data[j * this.own.size + (this.own.centres[c] as number)] as number;
  }

  /** Patches of x [B, D] about the pixels of this class, as rows (b, place), some at a time. */
  *chunks(x: Tensor<'float64'>): Generator<{ first: number; patches: Tensor<'float64'> }> {
    const [B, D] = x.shape as [number, number];
    const { places, elements, size } = this.own;
    const total = B * places.length;
    const step = Math.max(1, Math.floor(weightsHeld / this.count));
    for (let first = 0; first < total; first += step) {
      const rows = Math.min(step, total - first);
      const patches = zeros('float64', [rows, size]);
      for (let r = 0; r < rows; r++) {
        const b = Math.floor((first + r) / places.length);
        const from = ((first + r) % places.length) * size;
        for (let k = 0; k < size; k++) {
          patches.data[r * size + k] = x.data[b * D + (elements[from + k] as number)] as number;
        }
      }
      yield { first, patches };
    }
  }
}

/** Nonzero entries of some rows of a Jacobian: row `output[i]` has `values[i * size + k]` in column `elements[i * size + k]`. */
interface SparseRows {
  readonly outputs: Int32Array;
  readonly elements: Int32Array;
  readonly values: Float64Array;
  readonly size: number;
}

class LocalDenoiser implements Denoiser {
  readonly name: string;
  readonly sampleShape: readonly number[];
  readonly dtype = 'float64';
  readonly #groups: () => Iterable<PatchGroup>;
  readonly #lifetime: Lifetime;

  constructor(name: string, sampleShape: readonly [number, number, number], groups: () => Iterable<PatchGroup>) {
    this.name = name;
    this.sampleShape = sampleShape;
    this.#groups = groups;
    this.#lifetime = new Lifetime(name);
  }

  async denoise(x: FloatTensor, sigma: Sigma): Promise<Tensor<'float64'>> {
    this.#lifetime.assertAlive();
    const batch = checkBatch(`${this.name}: denoise`, x, sigma, this.sampleShape, 'float64');
    const mean = zeros('float64', batch.x.shape);
    for (const group of this.#groups()) addMeans(group, batch.x, batch.sigmas, mean);
    return reshape(mean, x.shape);
  }

  linearize(x: FloatTensor, sigma: number): LinearOperator {
    this.#lifetime.assertAlive();
    const point = checkPoint(`${this.name}: linearize`, x, sigma, this.sampleShape, 'float64');
    const own: Tensor<'float64'> = { ...point, data: point.data.slice() }; // products come later; the caller may reuse x
    const dimension = own.data.length;
    let rows: SparseRows[] | undefined;
    const multiply = async (v: FloatTensor, transpose: boolean): Promise<Tensor<'float64'>> => {
      this.#lifetime.assertAlive();
      const vectors = checkVectors(`${this.name}: Jacobian`, v, dimension, 'float64');
      rows ??= [...this.#groups()].map((group) => jacobianRows(group, own, sigma));
      return multiplyRows(rows, vectors, transpose);
    };
    return {
      rows: dimension,
      columns: dimension,
      epsilon: Number.EPSILON,
      apply: (v) => multiply(v, false),
      applyTranspose: (u) => multiply(u, true),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.end();
  }
}

/** Writes the means of the centre pixels of one group into `mean` [B, D]. */
function addMeans(group: PatchGroup, x: Tensor<'float64'>, sigmas: Float64Array, mean: Tensor<'float64'>): void {
  const { places, centres } = group.own;
  const D = x.shape[1] as number;
  const area = D / centres.length;
  for (const { first, patches } of group.chunks(x)) {
    const rows = patches.shape[0] as number;
    const levels = Float64Array.from(
      { length: rows },
      (_, r) => sigmas[Math.floor((first + r) / places.length)] as number,
    );
    const weights = group.posterior.weights(patches, levels);
    for (let r = 0; r < rows; r++) {
      const b = Math.floor((first + r) / places.length);
      const place = places[(first + r) % places.length] as number;
      const own = weights.subarray(r * group.count, (r + 1) * group.count);
      for (let c = 0; c < centres.length; c++) mean.data[b * D + c * area + place] = centreMean(group, own, c);
    }
  }
}

function centreMean(group: PatchGroup, weights: Float64Array, c: number): number {
  let sum = 0;
  for (let j = 0; j < weights.length; j++) {
    const w = weights[j] as number;
    if (w !== 0) sum += w * group.centre(j, c);
  }
  return sum;
}

/** Cov_w(centre, patch) / sigma^2 at x [1, D] for the pixels of one group; centred first, so that little cancels. */
function jacobianRows(group: PatchGroup, x: Tensor<'float64'>, sigma: number): SparseRows {
  const { places, elements, size, centres } = group.own;
  const channels = centres.length;
  const area = x.data.length / channels;
  const outputs = new Int32Array(places.length * channels);
  const values = new Float64Array(outputs.length * size);
  const wide = new Int32Array(values.length);
  for (const { first, patches } of group.chunks(x)) {
    const rows = patches.shape[0] as number;
    const weights = group.posterior.weights(patches, new Float64Array(rows).fill(sigma));
    for (let c = 0; c < channels; c++) {
      const centred = centredWeights(group, weights, c);
      const covariance = zeros('float64', [rows, size]);
      for (const numbers of group.posterior.support(weights)) addProduct(covariance, centred, group, numbers);
      for (let r = 0; r < rows; r++) {
        const a = first + r;
        const out = a * channels + c;
        outputs[out] = c * area + (places[a] as number);
        for (let k = 0; k < size; k++) {
          values[out * size + k] = (covariance.data[r * size + k] as number) / (sigma * sigma);
          wide[out * size + k] = elements[a * size + k] as number;
        }
      }
    }
  }
  return { outputs, elements: wide, values, size };
}

/** w_j (centre_j - mean centre), row by row. */
function centredWeights(group: PatchGroup, weights: Float64Array, c: number): Float64Array {
  const centred = new Float64Array(weights.length);
  for (let start = 0; start < weights.length; start += group.count) {
    const mean = centreMean(group, weights.subarray(start, start + group.count), c);
    for (let j = 0; j < group.count; j++) {
      const w = weights[start + j] as number;
      if (w !== 0) centred[start + j] = w * (group.centre(j, c) - mean);
    }
  }
  return centred;
}

/** sum += weights [R, count] restricted to some candidates, times their patches. */
function addProduct(sum: Tensor<'float64'>, weights: Float64Array, group: PatchGroup, numbers: Int32Array): void {
  const [rows] = sum.shape as [number, number];
  const some = zeros('float64', [rows, numbers.length]);
  for (let r = 0; r < rows; r++) {
    numbers.forEach((j, i) => (some.data[r * numbers.length + i] = weights[r * group.count + j] as number));
  }
  const part = matmul(some, group.posterior.rows(numbers)).data;
  for (let i = 0; i < part.length; i++) (sum.data[i] as number) += part[i] as number;
}

function multiplyRows(parts: readonly SparseRows[], v: Tensor<'float64'>, transpose: boolean): Tensor<'float64'> {
  const [K, D] = v.shape as [number, number];
  const out = new Float64Array(K * D);
  for (const { outputs, elements, values, size } of parts) {
    for (let o = 0; o < outputs.length; o++) {
      const row = outputs[o] as number;
      for (let at = o * size; at < (o + 1) * size; at++) {
        const [value, column] = [values[at] as number, elements[at] as number];
        const [to, from] = transpose ? [column, row] : [row, column];
        for (let k = 0; k < K; k++) (out[k * D + to] as number) += value * (v.data[k * D + from] as number);
      }
    }
  }
  return tensor('float64', [K, D], out);
}
