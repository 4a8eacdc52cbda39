import type { Parameterization } from '../../diffusion/parameterization.ts';
import type { PixelRange } from '../../diffusion/side-car.ts';
import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';
import { onnxFunction } from '../../engine/onnx/function.ts';
import type { HostArray, OnnxModel } from '../../engine/onnx/model.ts';
import { ModelError } from '../../errors/errors.ts';
import { allocate, castFloat, showShape, sizeOf, tensor } from '../../tensor/tensor.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';
import type { Denoiser } from '../denoiser.ts';
import { GraphPool } from '../traced/graph-pool.ts';
import type { PoolOptions } from '../traced/graph-pool.ts';
import { noiseColumn, TracedDenoiser } from '../traced/traced-denoiser.ts';
import type { TracedModel } from '../traced/traced-model.ts';
import { conditionOf } from './condition.ts';
import type { Condition } from './condition.ts';
import { pixelMap } from './pixel-map.ts';
import type { OnnxRoles } from './roles.ts';

/** What a foreign network is, before it is said how its output becomes a denoiser. */
export interface OnnxNetworkOptions extends PoolOptions {
  readonly name: string;
  readonly model: OnnxModel;
  readonly roles: OnnxRoles;
  /** Shape of one sample, every size known. */
  readonly sampleShape: readonly number[];
  readonly condition?: Condition | undefined;
  /** Values of the inputs that `roles.fixed` names. */
  readonly fixed?: Readonly<Record<string, HostArray>> | undefined;
  /** Arithmetic of the graphs; float64 is slow and for checks. Default float32. */
  readonly dtype?: FloatDType | undefined;
  /** As for every traced denoiser; default 1, 4, 8 and 16, fewer for large samples. */
  readonly blockSizes?: readonly number[] | undefined;
}

/** How the output of a network becomes D(x; sigma). */
export interface OnnxReading {
  readonly parameterization: Parameterization;
  /** Values of black and white that the network was trained on. Default [-1, 1]. */
  readonly modelRange?: PixelRange | undefined;
  /** Values of black and white in the denoiser's samples. Default [-1, 1], as the house counts. */
  readonly dataRange?: PixelRange | undefined;
}

/**
 * A foreign graph F(x, time) whose graphs are compiled once and then read in any parameterization: all that distinguishes one reading from
 * another are coefficients, which are run-time arguments. D = cSkip x + cOut F(cIn x + inShift, time) + outShift.
 */
export class OnnxNetwork implements AsyncDisposable {
  readonly #options: OnnxNetworkOptions;
  readonly #dtype: FloatDType;
  readonly #weights: readonly FloatTensor[];
  readonly #pool: GraphPool;

  /** @throws ModelError naming, all at once, the nodes whose operators cannot be read */
  constructor(options: OnnxNetworkOptions) {
    const { weights } = onnxFunction(options.model, { name: options.name });
    this.#options = options;
    this.#dtype = options.dtype ?? 'float32';
    this.#weights = weights.map(({ value }) => castFloat(value, this.#dtype) as FloatTensor);
    this.#pool = new GraphPool(
      this.#traced(() => []),
      options,
    );
  }

  /** Number of weights. */
  get weightCount(): number {
    return this.#weights.reduce((sum, w) => sum + sizeOf(w.shape), 0);
  }

  /**
   * The network in one reading; it shares the compiled graphs, which live until this network is disposed.
   * @param release  called when the denoiser is disposed
   */
  denoiser(reading: OnnxReading, release?: () => Promise<void>): Denoiser {
    const { sampleShape, blockSizes } = this.#options;
    const { parameterization } = reading;
    const map = pixelMap(reading.modelRange, reading.dataRange);
    const noise = (sigmas: Float64Array): FloatTensor[] => {
      const rows = Array.from(sigmas, (s) => map.coefficients(parameterization.coefficients(s / map.scale)));
      const column = (key: 'cSkip' | 'cOut' | 'cIn' | 'inShift' | 'outShift'): FloatTensor =>
        noiseColumn(
          this.#dtype,
          rows.map((row) => row[key]),
          sampleShape,
        );
      const times = allocate(this.#dtype, rows.length);
      times.set(rows.map((row) => row.time));
      const time = tensor(this.#dtype, [rows.length], times) as FloatTensor;
      return [column('cSkip'), column('cOut'), column('cIn'), column('inShift'), column('outShift'), time];
    };
    const sizes = blockSizes ?? defaultSizes(sizeOf(sampleShape));
    return new TracedDenoiser(this.#traced(noise), { blockSizes: sizes, pool: this.#pool, release });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.dispose();
  }

  #traced(noise: TracedModel['noise']): TracedModel {
    const { name, sampleShape } = this.#options;
    const ones = sampleShape.map(() => 1);
    return {
      name,
      sampleShape,
      dtype: this.#dtype,
      weights: this.#weights,
      noiseShapes: (batch) => [...[0, 1, 2, 3, 4].map(() => [batch, ...ones]), [batch]],
      noise,
      denoised: (jax, weights, x, arguments_) => {
        const [cSkip, cOut, cIn, inShift, outShift, time] = arguments_.map((v) => v.ref) as Coefficients;
        const output = this.#network(jax, weights, cIn.mul(x.ref).add(inShift), time);
        return cSkip.mul(x.ref).add(cOut.mul(output)).add(outShift);
      },
    };
  }

  /** F for a batch: all at once where the graph takes batches with a time each, else sample by sample under vmap. */
  #network(jax: JaxLibrary, weights: readonly JaxArray[], x: JaxArray, time: JaxArray): JaxArray {
    const { roles } = this.#options;
    const batch = x.shape[0] as number;
    if (roles.batched || batch === 1) return this.#apply(jax, weights, x, time, batch);
    const one = (sample: JaxArray, t: JaxArray): JaxArray => {
      const single = this.#apply(jax, weights, sample.reshape([1, ...x.shape.slice(1)]), t.reshape([1]), 1);
      return single.reshape([...single.shape.slice(1)]);
    };
    return jax.vmap(one)(x, time);
  }

  #apply(jax: JaxLibrary, weights: readonly JaxArray[], x: JaxArray, time: JaxArray, batch: number): JaxArray {
    const { name, model, roles, sampleShape, condition, fixed = {} } = this.#options;
    const held = { ...fixed, ...conditionOf(name, roles, condition, batch) };
    const inputs: Record<string, JaxArray> = { [roles.sample.name]: x };
    if (roles.time !== undefined) inputs[roles.time.name] = roles.time.shape?.length === 0 ? time.reshape([]) : time;
    const fn = onnxFunction(model, { dtype: this.#dtype, fixed: held });
    const [output] = fn.apply(jax, weights, inputs, [roles.output.name]) as [JaxArray];
    return meanChannels(name, output, [batch, ...sampleShape]);
  }
}

type Coefficients = [JaxArray, JaxArray, JaxArray, JaxArray, JaxArray, JaxArray];

/** The first half of the channels where the network also learned a variance. @throws ModelError for another shape */
function meanChannels(name: string, output: JaxArray, wanted: readonly number[]): JaxArray {
  const [batch, channels, ...rest] = wanted as [number, number, ...number[]];
  const fits = output.shape.length === wanted.length && output.shape.every((d, i) => i === 1 || d === wanted[i]);
  if (fits && output.shape[1] === channels) return output;
  if (fits && output.shape[1] === 2 * channels) {
    return output.slice(...[batch, channels, ...rest].map((d): [number, number] => [0, d]));
  }
  throw new ModelError(
    name,
    `its output has shape ${showShape(output.shape)} for samples ${showShape(wanted)}. A denoiser gives back what it takes (or twice the channels with a learned variance): name another output with --output-name.`,
  );
}

/** Sizes of the compiled blocks: activations of 16 images of 128x128 and more would fill the memory. */
function defaultSizes(dimension: number): readonly number[] {
  if (dimension <= 3 * 64 * 64) return [1, 4, 8, 16];
  return dimension <= 3 * 128 * 128 ? [1, 4] : [1];
}
