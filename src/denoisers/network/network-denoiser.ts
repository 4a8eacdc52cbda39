import type { Backend } from '../../engine/backend/session.ts';
import type { Executable } from '../../engine/compile.ts';
import { startBackend } from '../../engine/backend/start.ts';
import { compile, load } from '../../engine/compile.ts';
import { loadJax } from '../../engine/jax.ts';
import type { ArgumentSpec } from '../../engine/trace.ts';
import { edmPreconditioning } from '../../diffusion/edm.ts';
import type { LinearOperator } from '../../linalg/operator.ts';
import { allocate, assertFinite, castFloat, reshape, sizeOf, tensor } from '../../tensor/tensor.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';
import { checkBatch, checkPoint, checkVectors, Lifetime } from '../checks.ts';
import type { Denoiser, Sigma } from '../denoiser.ts';
import { noiseFeatures } from './features.ts';
import type { JaxArray, JaxLibrary, Network } from './network.ts';
import type { Weights } from './weights.ts';
import { orderedWeights } from './weights.ts';

/** What makes a denoiser of a network. */
export interface NetworkDenoiserOptions {
  readonly name: string;
  readonly network: Network;
  readonly weights: Weights;
  /** Standard deviation of the training data, for the EDM factors. */
  readonly sigmaData: number;
  /** Arithmetic of the graph; float64 is slow and for checks. Default float32. */
  readonly dtype?: FloatDType;
  /** Sizes for which graphs are compiled on demand; work is cut into the largest that fit, the rest padded. Default 1 and 16. */
  readonly blockSizes?: readonly number[];
  /**
   * Backends that take blocks in turn. By default one a core, up to four, each with one thread: on small networks two of them do 1.5
   * times the work of two threads inside every operator.
   */
  readonly backends?: readonly Backend[];
}

const epsilons = { float32: 2 ** -23, float64: 2 ** -52 } as const;

/**
 * A trained network as a denoiser D(x; sigma) = cSkip x + cOut F(cIn x; cNoise), its weights built into the graphs as constants.
 * The preconditioning factors and noise features are computed in float64 on the host and enter as arrays.
 * @throws ModelError, NumericalError where the weights do not fit the network or are not finite
 * @source Karras et al. 2022, arXiv 2206.00364, eq. 7 and Table 1
 */
export function networkDenoiser(options: NetworkDenoiserOptions): Denoiser {
  return new NetworkDenoiser(options);
}

type Kind = 'denoise' | 'jvp' | 'vjp';

class NetworkDenoiser implements Denoiser {
  readonly name: string;
  readonly sampleShape: readonly number[];
  readonly dtype: FloatDType;
  readonly #options: NetworkDenoiserOptions;
  readonly #weights: readonly FloatTensor[];
  readonly #sizes: readonly number[];
  readonly #graphs = new Map<string, Promise<Executable>>();
  readonly #compiled = new Map<string, Promise<Executable>>();
  #lanes: Promise<readonly Backend[]> | undefined;
  #nextLane = 0;
  readonly #lifetime: Lifetime;

  constructor(options: NetworkDenoiserOptions) {
    this.#options = options;
    this.name = options.name;
    this.sampleShape = options.network.sampleShape;
    this.dtype = options.dtype ?? 'float32';
    this.#sizes = [...(options.blockSizes ?? [1, 16])].sort((a, b) => b - a);
    this.#weights = orderedWeights(options.name, options.network, options.weights, this.dtype) as FloatTensor[];
    this.#lifetime = new Lifetime(options.name);
  }

  async denoise(x: FloatTensor, sigma: Sigma): Promise<FloatTensor> {
    this.#lifetime.assertAlive();
    const batch = checkBatch(`${this.name}.denoise`, x, sigma, this.sampleShape, this.dtype);
    const count = batch.sigmas.length;
    const result = allocate(this.dtype, batch.x.data.length);
    const dimension = sizeOf(this.sampleShape);
    const run = async ({ start, end, size }: Block): Promise<void> => {
      const executable = await this.#executable('denoise', size);
      const rows = this.#padded(batch.x.data.subarray(start * dimension, end * dimension), size);
      // Padding rows repeat the last noise level: any valid one will do.
      const sigmas = Float64Array.from(
        { length: size },
        (_, i) => batch.sigmas[Math.min(start + i, count - 1)] as number,
      );
      const [y] = (await executable.run(rows, ...this.#noise(sigmas))) as [FloatTensor];
      result.set(y.data.subarray(0, (end - start) * dimension), start * dimension);
    };
    await Promise.all(cut(count, this.#sizes).map(run));
    const output = tensor(this.dtype, [count, ...this.sampleShape], result) as FloatTensor;
    assertFinite(`${this.name}.denoise`, output, 'The network overflows there: check its weights and data range.');
    return output;
  }

  linearize(x: FloatTensor, sigma: number): LinearOperator {
    this.#lifetime.assertAlive();
    const point = checkPoint(`${this.name}.linearize`, x, sigma, this.sampleShape, this.dtype);
    // A copy: the caller may reuse the memory of x before the products are asked for.
    const primal = tensor(this.dtype, [1, ...this.sampleShape], point.data.slice()) as FloatTensor;
    const noise = this.#noise(Float64Array.of(sigma));
    const dimension = sizeOf(this.sampleShape);
    return {
      rows: dimension,
      columns: dimension,
      epsilon: epsilons[this.dtype],
      apply: (v) => this.#products('jvp', primal, noise, v),
      applyTranspose: (u) => this.#products('vjp', primal, noise, u),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#lifetime.end()) return;
    const executables = await Promise.all(this.#compiled.values());
    this.#compiled.clear();
    await Promise.all(executables.map((e) => e[Symbol.asyncDispose]()));
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
      const executable = await this.#executable(kind, size);
      const rows = this.#padded(v.data.subarray(start * dimension, end * dimension), size);
      const block = reshape<FloatDType>(rows, [size, 1, ...this.sampleShape]) as FloatTensor;
      const [y] = (await executable.run(primal, ...noise, block)) as [FloatTensor];
      result.set(y.data.subarray(0, (end - start) * dimension), start * dimension);
    };
    await Promise.all(cut(count, this.#sizes).map(run));
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

  /** The noise arguments of a graph: cSkip, cOut, cIn as [B, 1, ...] and the features [B, F]. */
  #noise(sigmas: Float64Array): FloatTensor[] {
    const factors = [...sigmas].map((s) => edmPreconditioning(s, this.#options.sigmaData));
    const column = (values: number[]): FloatTensor => {
      const data = allocate(this.dtype, values.length);
      data.set(values);
      return tensor(this.dtype, [values.length, ...this.sampleShape.map(() => 1)], data) as FloatTensor;
    };
    const features = noiseFeatures(
      Float64Array.from(factors, (f) => f.cNoise),
      this.#options.network.featureCount,
    );
    return [
      column(factors.map((f) => f.cSkip)),
      column(factors.map((f) => f.cOut)),
      column(factors.map((f) => f.cIn)),
      castFloat(features, this.dtype) as FloatTensor,
    ];
  }

  /** The graph of a kind and size on the backend whose turn it is. */
  async #executable(kind: Kind, size: number): Promise<Executable> {
    const lanes = await (this.#lanes ??= startLanes(this.#options.backends));
    const lane = this.#nextLane++ % lanes.length;
    const key = `${kind} ${size} ${lane}`;
    const known = this.#compiled.get(key) ?? this.#compile(kind, size, lanes[lane] as Backend);
    this.#compiled.set(key, known);
    return known;
  }

  async #compile(kind: Kind, size: number, backend: Backend): Promise<Executable> {
    const specs = this.#specs(kind, size);
    const threads = this.#options.backends === undefined ? { threads: 1 } : {};
    const key = `${kind} ${size}`;
    const first = this.#graphs.get(key);
    // Traced and lowered once, then loaded on every backend.
    if (first !== undefined) return load((await first).model, specs, { backend, ...threads });
    const compiled = loadJax().then((jax) => {
      const fn = (...inputs: JaxArray[]): JaxArray[] => [tracedKinds[kind](jax, this.#options.network, inputs)];
      return compile(fn, specs, { backend, ...threads });
    });
    this.#graphs.set(key, compiled);
    return compiled;
  }

  #specs(kind: Kind, size: number): ArgumentSpec[] {
    const { network } = this.#options;
    const samples = kind === 'denoise' ? size : 1;
    const ones = this.sampleShape.map(() => 1);
    const { dtype } = this;
    return [
      ...network.parameters.map(({ shape }, i) => ({ shape, dtype, value: this.#weights[i] as FloatTensor })),
      { shape: [samples, ...this.sampleShape], dtype },
      ...[0, 1, 2].map(() => ({ shape: [samples, ...ones], dtype })),
      { shape: [samples, network.featureCount], dtype },
      ...(kind === 'denoise' ? [] : [{ shape: [size, 1, ...this.sampleShape], dtype, linear: true }]),
    ];
  }
}

/** Most backends that a denoiser starts by itself; each holds its own copy of the weights. */
const maxLanes = 4;

async function startLanes(given: readonly Backend[] | undefined): Promise<readonly Backend[]> {
  if (given !== undefined) return given;
  const count = Math.max(1, Math.min(maxLanes, navigator.hardwareConcurrency));
  return Promise.all(Array.from({ length: count }, () => startBackend()));
}

interface Block {
  readonly start: number;
  readonly end: number;
  /** Size of the graph that runs it, at least end - start. */
  readonly size: number;
}

/** Cuts `count` rows into blocks: the largest size that is filled, then for the rest the smallest that holds it. */
function cut(count: number, descending: readonly number[]): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < count;) {
    const left = count - start;
    const filled = descending.find((size) => size <= left && (size > 1 || left === 1));
    const size: number = filled ?? (descending.findLast((s) => s >= left) as number);
    const end = Math.min(count, start + size);
    blocks.push({ start, end, size });
    start = end;
  }
  return blocks;
}

/** D at x for the traced arguments (weights, x, cSkip, cOut, cIn, features). */
function denoised(jax: JaxLibrary, network: Network, inputs: JaxArray[], x: JaxArray): JaxArray {
  const count = network.parameters.length;
  const p = Object.fromEntries(network.parameters.map(({ name }, i) => [name, inputs[i] as JaxArray]));
  const [cSkip, cOut, cIn, features] = inputs.slice(count + 1, count + 5).map((v) => v.ref) as [
    JaxArray,
    JaxArray,
    JaxArray,
    JaxArray,
  ];
  return cSkip.mul(x.ref).add(cOut.mul(network.apply(jax, p, cIn.mul(x), features)));
}

type TracedKind = (jax: JaxLibrary, network: Network, inputs: JaxArray[]) => JaxArray;

/** The three graphs of a denoiser: its value, J v and J^T u for blocks of vectors at one point. */
const tracedKinds: Record<Kind, TracedKind> = {
  denoise: (jax, network, inputs) =>
    denoised(jax, network, inputs, (inputs[network.parameters.length] as JaxArray).ref),
  jvp: (jax, network, inputs) => {
    const x = inputs[network.parameters.length] as JaxArray;
    const product = (v: JaxArray): JaxArray => {
      const [value, tangent] = jax.jvp((y: JaxArray) => denoised(jax, network, inputs, y), [x.ref], [v]);
      value.dispose();
      return tangent;
    };
    return jax.vmap(product)(inputs.at(-1) as JaxArray);
  },
  vjp: (jax, network, inputs) => {
    const x = inputs[network.parameters.length] as JaxArray;
    const [value, pull] = jax.vjp((y: JaxArray) => denoised(jax, network, inputs, y), [x.ref]);
    value.dispose();
    return jax.vmap((u: JaxArray) => pull(u)[0])(inputs.at(-1) as JaxArray);
  },
};
