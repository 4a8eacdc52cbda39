import type { Backend } from '../../engine/backend/session.ts';
import { compile } from '../../engine/compile.ts';
import type { Executable } from '../../engine/compile.ts';
import { loadJax } from '../../engine/jax.ts';
import type { JaxArray } from '../../engine/jax.ts';
import { onnxFunction } from '../../engine/onnx/function.ts';
import type { OnnxModel } from '../../engine/onnx/model.ts';
import { ModelError, ShapeError } from '../../errors/errors.ts';
import { allocate, castFloat, sameShape, showShape, sizeOf, tensor } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';

/** The networks around a latent denoiser and the units of its latents. */
export interface AutoencoderOptions {
  readonly name: string;
  /** Image [b, c, h, w] to the latent's mean, or to mean and log variance one after the other in the channels. */
  readonly encoder?: OnnxModel | undefined;
  readonly decoder?: OnnxModel | undefined;
  /** Of one sample of the denoiser. */
  readonly latentShape: readonly number[];
  /** The denoiser sees (z - shiftFactor) scalingFactor. Default 1. */
  readonly scalingFactor?: number | undefined;
  /** Default 0. */
  readonly shiftFactor?: number | undefined;
  readonly backend?: Backend | undefined;
}

/** Images to the latents that a denoiser sees, and back. Runs one image at a time. */
export class Autoencoder implements AsyncDisposable {
  readonly #options: AutoencoderOptions;
  readonly #compiled = new Map<string, Promise<Executable>>();

  constructor(options: AutoencoderOptions) {
    this.#options = options;
  }

  /**
   * @param images  [B, c, h, w], values as the encoder was trained on
   * @returns [B, ...latentShape], the means
   * @throws ModelError without an encoder, or where its output is no latent
   */
  async encode(images: FloatTensor): Promise<Tensor<'float32'>> {
    const { name, encoder, latentShape, scalingFactor = 1, shiftFactor = 0 } = this.#options;
    if (encoder === undefined)
      throw new ModelError(name, 'has no encoder, so images have no latents. Name it in the side-car.');
    const means = await this.#map('encoder', encoder, images);
    const [batch = 0, channels = 0, ...rest] = means.shape;
    const [wanted = 0, ...spatial] = latentShape;
    if (!sameShape(rest, spatial) || (channels !== wanted && channels !== 2 * wanted)) {
      throw new ShapeError(
        name,
        `expected latents ${showShape(latentShape)} of an image ${showShape(images.shape.slice(1))}, got ${showShape(means.shape.slice(1))}. Choose images of the size that the model was trained on.`,
      );
    }
    const size = sizeOf(latentShape);
    const latents = new Float32Array(batch * size);
    for (let b = 0; b < batch; b++) {
      const at = b * channels * sizeOf(spatial);
      for (let i = 0; i < size; i++) {
        latents[b * size + i] = ((means.data[at + i] as number) - shiftFactor) * scalingFactor;
      }
    }
    return tensor('float32', [batch, ...latentShape], latents);
  }

  /**
   * @param latents  [B, ...latentShape] as the denoiser sees them
   * @returns [B, c, h, w]
   * @throws ModelError without a decoder
   */
  async decode(latents: FloatTensor): Promise<Tensor<'float32'>> {
    const { name, decoder, scalingFactor = 1, shiftFactor = 0 } = this.#options;
    if (decoder === undefined)
      throw new ModelError(name, 'has no decoder, so latents have no images. Name it in the side-car.');
    const data = Float32Array.from(latents.data, (z) => z / scalingFactor + shiftFactor);
    return this.#map('decoder', decoder, tensor('float32', latents.shape, data));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const executables = await Promise.all(this.#compiled.values());
    this.#compiled.clear();
    await Promise.all(executables.map((e) => e[Symbol.asyncDispose]()));
  }

  async #map(part: string, model: OnnxModel, x: FloatTensor): Promise<Tensor<'float32'>> {
    const [batch = 0, ...shape] = x.shape;
    const key = `${part} ${shape.join('x')}`;
    const known = this.#compiled.get(key) ?? this.#compile(part, model, shape);
    this.#compiled.set(key, known);
    const executable = await known;
    const rows = castFloat(x, 'float32').data;
    const size = sizeOf(shape);
    let result: Float32Array | undefined;
    let outShape: readonly number[] = [];
    for (let b = 0; b < batch; b++) {
      const one = tensor('float32', [1, ...shape], rows.slice(b * size, (b + 1) * size));
      const [y] = (await executable.run(one)) as [Tensor<'float32'>];
      outShape = y.shape.slice(1);
      result ??= allocate('float32', batch * y.data.length);
      result.set(y.data, b * y.data.length);
    }
    return tensor('float32', [batch, ...outShape], result ?? new Float32Array(0));
  }

  async #compile(part: string, model: OnnxModel, shape: readonly number[]): Promise<Executable> {
    const { name, backend } = this.#options;
    const [input, ...surplus] = model.inputs;
    const output = model.outputs[0];
    if (input === undefined || output === undefined || surplus.length > 0) {
      throw new ModelError(
        `${name}: ${part}`,
        `expected one input and an output, got ${model.inputs.length} inputs. Export the ${part} alone.`,
      );
    }
    const jax = await loadJax();
    const fn = onnxFunction(model);
    const count = fn.weights.length;
    return compile(
      (...args) => fn.apply(jax, args.slice(0, count), { [input.name]: args.at(-1) as JaxArray }, [output.name]),
      [...fn.weights.map(({ value }) => ({ shape: value.shape, value })), { shape: [1, ...shape] }],
      backend === undefined ? {} : { backend },
    );
  }
}
