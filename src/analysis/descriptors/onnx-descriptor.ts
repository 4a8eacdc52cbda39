import type { ValueRange } from '../../data/dataset.ts';
import type { OnnxFile } from '../../data/onnx-files.ts';
import type { Backend } from '../../engine/backend/session.ts';
import { compile } from '../../engine/compile.ts';
import type { Executable } from '../../engine/compile.ts';
import { loadJax } from '../../engine/jax.ts';
import type { JaxArray } from '../../engine/jax.ts';
import { onnxFunction } from '../../engine/onnx/function.ts';
import type { OnnxModel } from '../../engine/onnx/model.ts';
import { readOnnx } from '../../engine/onnx/read/read-onnx.ts';
import { ModelError, ShapeError, throwIfAborted } from '../../errors/errors.ts';
import { showShape, sizeOf, slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { assertSamples } from './descriptor.ts';
import type { Descriptor } from './descriptor.ts';
import { resample } from './resample.ts';

/** A user's network as a descriptor. */
export interface OnnxDescriptorOptions {
  /** For tables and messages. */
  readonly name: string;
  /** The graph: image [b, c, h, w] to description [b, l]. */
  readonly file: OnnxFile;
  /** [C, H, W] of the images to describe. */
  readonly sampleShape: readonly number[];
  /** Values of black and white in those images. Default [-1, 1]. */
  readonly range?: ValueRange | undefined;
  /** Height and width that the network takes, where the graph leaves them open. */
  readonly size?: readonly [height: number, width: number] | undefined;
  /** Taken from pixels in [0, 1], one a channel of the network. Default: that of ImageNet for 3 channels, else 0.5. */
  readonly mean?: readonly number[] | undefined;
  /** Divides what is left. Default: that of ImageNet for 3 channels, else 0.5. */
  readonly std?: readonly number[] | undefined;
  /** Whether descriptions are brought to unit length. Default true; networks that do it themselves are left as they are. */
  readonly normalize?: boolean | undefined;
  /** Where the graph runs; default the CPU. */
  readonly backend?: Backend | undefined;
}

/** torchvision's constants, with which SSCD, CLIP's kin and most others were trained. */
const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** ITU-R BT.601, as Pillow turns RGB to grey. */
const luma = [0.299, 0.587, 0.114];
/** Images in one run of a graph that takes any number. */
const usualBatch = 8;

/**
 * Opens a user's copy-detection or embedding network (SSCD, DINO, ...) as a descriptor compared by cosine. Images are stretched to its size,
 * repeated or averaged over channels to its colours, and scaled by mean and std. Runs forward only, on ONNX Runtime.
 * @throws ModelError for a graph that does not take one batch of images of 1 or 3 channels, leaves its size open, cannot be read, or gives
 * no vector; ShapeError for samples that are no images; BackendError
 * @source Pizzi et al. 2022, arXiv 2202.10261 (SSCD), for the usual case
 */
export async function openOnnxDescriptor(options: OnnxDescriptorOptions): Promise<Descriptor & AsyncDisposable> {
  const { name, sampleShape, file, normalize = true, backend } = options;
  assertImages(name, sampleShape);
  const model = await readOnnx(name, file.bytes, { readExternal: file.readExternal });
  const input = inputOf(model, options);
  const scaling = scalingOf(input.channels, options);
  const executable = await compileForward(name, model, [input.batch, input.channels, ...input.size], backend);
  const length = sizeOf((executable.model.outputs[0]?.shape ?? []).slice(1));
  if (executable.model.outputs[0]?.shape[0] !== input.batch || length < 1) {
    await executable[Symbol.asyncDispose]();
    throw new ModelError(name, `expected descriptions [${input.batch}, L], got ${showShape(executable.model.outputs[0]?.shape ?? [])}. Export the part up to the embedding.`); // prettier-ignore
  }
  return {
    name,
    length,
    similarity: 'cosine',
    async describe(x, { signal } = {}) {
      const count = assertSamples(name, x, sampleShape);
      const out = new Float32Array(count * length);
      for (let start = 0; start < count; start += input.batch) {
        throwIfAborted(name, signal);
        const some = slice(x, start, Math.min(start + input.batch, count));
        const [y] = (await executable.run(prepare(some, input, scaling, options.range))) as [Tensor<'float32'>];
        out.set(y.data.subarray(0, Math.min(input.batch, count - start) * length), start * length);
      }
      if (normalize) toUnitLength(out, length);
      return tensor('float32', [count, length], out);
    },
    [Symbol.asyncDispose]: () => executable[Symbol.asyncDispose](),
  };
}

/** @throws ShapeError unless samples are images of 1 or 3 channels */
export function assertImages(name: string, sampleShape: readonly number[]): void {
  const [channels = 0] = sampleShape;
  if (sampleShape.length !== 3 || (channels !== 1 && channels !== 3)) {
    throw new ShapeError(name, `expected images [1 or 3, H, W], got ${showShape(sampleShape)}.`);
  }
}

/** Images as a network takes them. */
export interface ImageInput {
  /** Images in one run; a last, smaller batch is filled up with black ones. */
  readonly batch: number;
  readonly channels: 1 | 3;
  readonly size: readonly [number, number];
}

/**
 * What a graph of `count` inputs takes as images, all of one shape.
 * @throws ModelError for other inputs, and where neither the graph nor `size` says the size
 */
export function inputOf({ inputs }: OnnxModel, { name, size }: OnnxDescriptorOptions, count: 1 | 2 = 1): ImageInput {
  const [shape, ...rest] = inputs.map((i) => i.shape?.map((d) => (typeof d === 'number' ? d : undefined)));
  const [batch, channels, height, width] = shape ?? [];
  const isBatch = shape?.length === 4 && rest.every((other) => other?.length === 4 && other.every((d, i) => d === shape[i])); // prettier-ignore
  if (inputs.length !== count || !isBatch || (channels !== 1 && channels !== 3)) {
    const got = inputs.map((i) => `'${i.name}' [${i.shape?.join(', ') ?? '?'}]`).join(', ') || 'none';
    const [wanted, remedy] =
      count === 1
        ? ['one input', 'Export the embedding of one batch of images.']
        : ['two equal inputs', 'Export the distance of two batches of images, or the features of one.'];
    throw new ModelError(name, `expected ${wanted} [batch, 1 or 3, height, width], got ${got}. ${remedy}`);
  }
  const [h, w] = [height ?? size?.[0], width ?? size?.[1]];
  if (h === undefined || w === undefined) {
    throw new ModelError(name, `leaves the size of its images open. Say it (SSCD: 288 x 288).`);
  }
  return { batch: batch ?? usualBatch, channels, size: [h, w] };
}

/** How pixels in [0, 1] are scaled, a number a channel of the network. */
export interface Scaling {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The stated scaling, or the usual one. @throws ModelError unless it has a mean and a positive deviation a channel */
export function scalingOf(channels: number, { name, mean, std }: OnnxDescriptorOptions): Scaling {
  const usual = channels === 3 ? imageNet : { mean: [0.5], std: [0.5] };
  const scaling = { mean: mean ?? usual.mean, std: std ?? usual.std };
  const fits = scaling.mean.length === channels && scaling.std.length === channels;
  if (!fits || !scaling.mean.every(Number.isFinite) || !scaling.std.every((s) => s > 0 && s < Infinity)) {
    throw new ModelError(
      name,
      `expected ${channels} means and positive deviations, one a channel, got ${scaling.mean.join(', ')} and ${scaling.std.join(', ')}.`,
    );
  }
  return scaling;
}

/** The first output of a graph of images, from the prepared images of every input in order. */
export async function compileForward(
  name: string,
  model: OnnxModel,
  shape: readonly number[],
  backend: Backend | undefined,
): Promise<Executable> {
  const jax = await loadJax();
  const fn = onnxFunction(model, { name });
  const count = fn.weights.length;
  const output = model.outputs[0]?.name as string;
  const imagesOf = (args: JaxArray[]): Record<string, JaxArray> =>
    Object.fromEntries(model.inputs.map(({ name }, i) => [name, args[count + i] as JaxArray]));
  return compile(
    (...args) => fn.apply(jax, args.slice(0, count), imagesOf(args), [output]),
    [...fn.weights.map(({ value }) => ({ shape: value.shape, value })), ...model.inputs.map(() => ({ shape }))],
    backend === undefined ? {} : { backend },
  );
}

/** Images as the network takes them: its colours, its size, its scale, its number. */
export function prepare(
  x: Tensor<'float32'>,
  { batch, channels, size }: ImageInput,
  { mean, std }: Scaling,
  { low, high }: ValueRange = { low: -1, high: 1 },
): Tensor<'float32'> {
  const [count, own, height, width] = x.shape as [number, number, number, number];
  const planes = own === 3 && channels === 1 ? toGrey(x.data, height * width) : x.data;
  const resized = resample(planes, [height, width], size);
  const pixels = size[0] * size[1];
  const held = resized.length / (count * pixels);
  const data = new Float32Array(batch * channels * pixels);
  for (let b = 0; b < count; b++) {
    for (let c = 0; c < channels; c++) {
      const from = (b * held + Math.min(c, held - 1)) * pixels;
      const to = (b * channels + c) * pixels;
      const [m, s] = [mean[c] as number, std[c] as number];
      for (let i = 0; i < pixels; i++) {
        data[to + i] = (((resized[from + i] as number) - low) / (high - low) - m) / s;
      }
    }
  }
  return tensor('float32', [batch, channels, ...size], data);
}

/** [B, 3, H, W] flat to [B, H, W] flat. */
function toGrey(planes: Float32Array, pixels: number): Float32Array {
  return Float32Array.from({ length: planes.length / 3 }, (_, i) => {
    const from = Math.floor(i / pixels) * 3 * pixels + (i % pixels);
    return luma.reduce((sum, weight, c) => sum + weight * (planes[from + c * pixels] as number), 0);
  });
}

function toUnitLength(rows: Float32Array, length: number): void {
  for (let at = 0; at < rows.length; at += length) {
    const row = rows.subarray(at, at + length);
    const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
    if (norm > 0) row.forEach((v, i) => (row[i] = v / norm));
  }
}
