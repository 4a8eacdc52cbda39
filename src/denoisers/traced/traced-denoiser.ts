import type { LinearOperator } from '../../linalg/operator.ts';
import { allocate, assertFinite, reshape, sizeOf, tensor } from '../../tensor/tensor.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';
import { checkBatch, checkPoint, checkVectors, Lifetime } from '../checks.ts';
import type { Denoiser, Sigma } from '../denoiser.ts';
import { cutBlocks } from './blocks.ts';
import type { Block } from './blocks.ts';
import { GraphPool } from './graph-pool.ts';
import type { PoolOptions } from './graph-pool.ts';
import type { TracedModel } from './traced-model.ts';

/** How the graphs of a traced denoiser are run. */
export interface TracedDenoiserOptions extends PoolOptions {
  /** Sizes for which graphs are compiled on demand; work is cut into the largest that fit, the rest padded. Default 1, 4, 8 and 16. */
  readonly blockSizes?: readonly number[] | undefined;
  /** Graphs that several denoisers of one traced function share; whoever made the pool disposes it. */
  readonly pool?: GraphPool | undefined;
  /** Called when this denoiser is disposed, such as to dispose the pool. */
  readonly release?: (() => Promise<void>) | undefined;
}

const epsilons = { float32: 2 ** -23, float64: 2 ** -52 } as const;

/** A traced model as a denoiser: batches and blocks of vectors cut to the sizes of a few compiled graphs. */
export class TracedDenoiser implements Denoiser {
  readonly name: string;
  readonly sampleShape: readonly number[];
  readonly dtype: FloatDType;
  readonly #model: TracedModel;
  readonly #sizes: readonly number[];
  readonly #pool: GraphPool;
  readonly #release: (() => Promise<void>) | undefined;
  readonly #lifetime: Lifetime;

  constructor(model: TracedModel, options: TracedDenoiserOptions = {}) {
    this.#model = model;
    this.name = model.name;
    this.sampleShape = model.sampleShape;
    this.dtype = model.dtype;
    this.#sizes = options.blockSizes ?? [1, 4, 8, 16];
    this.#pool = options.pool ?? new GraphPool(model, options);
    this.#release = options.pool === undefined ? () => this.#pool.dispose() : options.release;
    this.#lifetime = new Lifetime(model.name);
  }

  get runtime(): string | undefined {
    return this.#pool.runtime;
  }

  async denoise(x: FloatTensor, sigma: Sigma): Promise<FloatTensor> {
    this.#lifetime.assertAlive();
    const batch = checkBatch(`${this.name}.denoise`, x, sigma, this.sampleShape, this.dtype);
    const count = batch.sigmas.length;
    const result = allocate(this.dtype, batch.x.data.length);
    const dimension = sizeOf(this.sampleShape);
    const run = async ({ start, end, size }: Block): Promise<void> => {
      const executable = await this.#pool.take('denoise', size);
      const rows = this.#padded(batch.x.data.subarray(start * dimension, end * dimension), size);
      // Padding rows repeat the last noise level: any valid one will do.
      const sigmas = Float64Array.from(
        { length: size },
        (_, i) => batch.sigmas[Math.min(start + i, count - 1)] as number,
      );
      const [y] = (await executable.run(rows, ...this.#model.noise(sigmas))) as [FloatTensor];
      result.set(y.data.subarray(0, (end - start) * dimension), start * dimension);
    };
    await Promise.all(cutBlocks(count, this.#sizes).map(run));
    const output = tensor(this.dtype, [count, ...this.sampleShape], result) as FloatTensor;
    assertFinite(`${this.name}.denoise`, output, 'The network overflows there: check its weights and data range.');
    return output;
  }

  linearize(x: FloatTensor, sigma: number): LinearOperator {
    this.#lifetime.assertAlive();
    const point = checkPoint(`${this.name}.linearize`, x, sigma, this.sampleShape, this.dtype);
    // A copy: the caller may reuse the memory of x before the products are asked for.
    const primal = tensor(this.dtype, [1, ...this.sampleShape], point.data.slice()) as FloatTensor;
    const noise = this.#model.noise(Float64Array.of(sigma));
    const dimension = sizeOf(this.sampleShape);
    return {
      rows: dimension,
      columns: dimension,
      epsilon: epsilons[this.dtype],
      apply: (v) => this.#products('jvp', primal, noise, v),
      applyTranspose: (u) => this.#products('vjp', primal, noise, u),
    };
  }

  async prepare(calls: 'denoise' | 'products', count: number): Promise<void> {
    this.#lifetime.assertAlive();
    const sizes = new Set(cutBlocks(count, this.#sizes).map(({ size }) => size));
    const kinds = calls === 'denoise' ? (['denoise'] as const) : (['jvp', 'vjp'] as const);
    await Promise.all(kinds.flatMap((kind) => Array.from(sizes, (size) => this.#pool.prepare(kind, size))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lifetime.end()) await this.#release?.();
  }

  async #products(
    kind: 'jvp' | 'vjp',
    primal: FloatTensor,
    noise: readonly FloatTensor[],
    vectors: FloatTensor,
  ): Promise<FloatTensor> {
    this.#lifetime.assertAlive();
    const dimension = sizeOf(this.sampleShape);
    const v = checkVectors(`${this.name}.${kind}`, vectors, dimension, this.dtype);
    const count = v.shape[0] as number;
    const result = allocate(this.dtype, v.data.length);
    const run = async ({ start, end, size }: Block): Promise<void> => {
      const executable = await this.#pool.take(kind, size);
      const rows = this.#padded(v.data.subarray(start * dimension, end * dimension), size);
      const block = reshape<FloatDType>(rows, [size, 1, ...this.sampleShape]) as FloatTensor;
      const [y] = (await executable.run(primal, ...noise, block)) as [FloatTensor];
      result.set(y.data.subarray(0, (end - start) * dimension), start * dimension);
    };
    await Promise.all(cutBlocks(count, this.#sizes).map(run));
    const output = tensor(this.dtype, [count, dimension], result) as FloatTensor;
    assertFinite(`${this.name}.${kind}`, output, 'The derivative overflows there: check the weights and data range.');
    return output;
  }

  /** [size, ...sampleShape] from up to `size` flat rows. */
  #padded(rows: Float32Array | Float64Array, size: number): FloatTensor {
    const data = allocate(this.dtype, size * sizeOf(this.sampleShape));
    data.set(rows);
    return tensor(this.dtype, [size, ...this.sampleShape], data) as FloatTensor;
  }
}

/** The values as an array [B, 1, ...] that multiplies samples. */
export function noiseColumn(dtype: FloatDType, values: readonly number[], sampleShape: readonly number[]): FloatTensor {
  const data = allocate(dtype, values.length);
  data.set(values);
  return tensor(dtype, [values.length, ...sampleShape.map(() => 1)], data) as FloatTensor;
}
