import type { Executable } from '../engine/compile.ts';
import type { OnnxModel } from '../engine/onnx/model.ts';
import { readOnnx } from '../engine/onnx/read/read-onnx.ts';
import { ModelError, ShapeError, throwIfAborted } from '../errors/errors.ts';
import { assertFinite, showShape, sizeOf, slice, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { assertSamples, describeAll } from './descriptors/descriptor.ts';
import type { DescribeOptions } from './descriptors/descriptor.ts';
import {
  assertImages,
  compileForward,
  inputOf,
  openOnnxDescriptor,
  prepare,
  scalingOf,
} from './descriptors/onnx-descriptor.ts';
import type { ImageInput, OnnxDescriptorOptions } from './descriptors/onnx-descriptor.ts';

/** A user's network as a distance of images. */
export interface PerceptualOptions extends Omit<OnnxDescriptorOptions, 'normalize'> {
  /** The graph: two inputs [b, c, h, w] to one distance a pair, or one input to features [b, ...]. Its first output counts. */
  readonly file: OnnxDescriptorOptions['file'];
  /** Height and width that the network takes, where the graph leaves them open. Default: those of the images. */
  readonly size?: OnnxDescriptorOptions['size'];
  /** Taken from pixels in [0, 1]. Default 0.5 for two inputs, as LPIPS takes [-1, 1]; for one as `openOnnxDescriptor`. */
  readonly mean?: OnnxDescriptorOptions['mean'];
  /** Divides what is left. Default as that of `mean`. */
  readonly std?: OnnxDescriptorOptions['std'];
}

/** How far two images are from each other in the eyes of a network. A number means nothing without the name of the network. */
export interface PerceptualDistance extends AsyncDisposable {
  /** For tables and files. */
  readonly name: string;
  /** `pair`: the graph gives the distance. `features`: it is the mean squared difference of the features that the graph gives. */
  readonly kind: 'pair' | 'features';
  /**
   * @param a  [B, ...sampleShape], data units; not consumed
   * @param b  as many others
   * @returns [B], one a pair, in order
   * @throws ShapeError for other samples; NumericalError for a distance that is not finite; CancelledError; BackendError
   * @precision float32 in the network, float64 in the mean over features
   */
  compare(a: Tensor<'float32'>, b: Tensor<'float32'>, options?: DescribeOptions): Promise<Float64Array>;
}

/**
 * Opens a user's network as a perceptual distance: LPIPS exported with its two images as inputs, or any network of features. Images are
 * prepared as for a descriptor: stretched to its size, repeated or averaged over channels to its colours, scaled by mean and std.
 * @throws ModelError for a graph that takes neither one nor two equal batches of images of 1 or 3 channels, gives no number a pair, has a
 * distance that one of the images does not enter, or cannot be read; ShapeError for samples that are no images; BackendError
 * @source Zhang et al. 2018, arXiv 1801.03924 (LPIPS)
 */
export async function openPerceptualDistance(options: PerceptualOptions): Promise<PerceptualDistance> {
  const { name, file, sampleShape } = options;
  assertImages(name, sampleShape);
  const [, height, width] = sampleShape as [number, number, number];
  const sized = { ...options, size: options.size ?? ([height, width] as const) };
  const model = await readOnnx(name, file.bytes, { readExternal: file.readExternal });
  return model.inputs.length === 1 ? openFeatures(sized) : openPair(model, sized);
}

async function openFeatures(options: PerceptualOptions): Promise<PerceptualDistance> {
  const descriptor = await openOnnxDescriptor({ ...options, normalize: false });
  const { name, length } = descriptor;
  return {
    name,
    kind: 'features',
    async compare(a, b, watch) {
      const count = countPairs(options, a, b);
      const [own, other] = [await describeAll(a, descriptor, watch), await describeAll(b, descriptor, watch)];
      const out = new Float64Array(count);
      own.data.forEach((v, i) => {
        const at = Math.floor(i / length);
        out[at] = (out[at] as number) + (v - (other.data[i] as number)) ** 2 / length;
      });
      return finite(name, out);
    },
    [Symbol.asyncDispose]: () => descriptor[Symbol.asyncDispose](),
  };
}

async function openPair(model: OnnxModel, options: PerceptualOptions): Promise<PerceptualDistance> {
  const { name, range, backend } = options;
  const input = inputOf(model, options, 2);
  const half = Array<number>(input.channels).fill(0.5);
  const scaling = scalingOf(input.channels, { ...options, mean: options.mean ?? half, std: options.std ?? half });
  const executable = await compileForward(name, model, [input.batch, input.channels, ...input.size], backend);
  const fault = faultOf(executable, input);
  if (fault !== undefined) {
    await executable[Symbol.asyncDispose]();
    throw new ModelError(name, fault);
  }
  return {
    name,
    kind: 'pair',
    async compare(a, b, { signal } = {}) {
      const count = countPairs(options, a, b);
      const out = new Float64Array(count);
      for (let start = 0; start < count; start += input.batch) {
        throwIfAborted(name, signal);
        const end = Math.min(start + input.batch, count);
        const images = [a, b].map((x) => prepare(slice(x, start, end), input, scaling, range));
        const [y] = (await executable.run(...images)) as [Tensor<'float32'>];
        out.set(y.data.subarray(0, end - start), start);
      }
      return finite(name, out);
    },
    [Symbol.asyncDispose]: () => executable[Symbol.asyncDispose](),
  };
}

/** What keeps a graph of two images from being a distance. */
function faultOf({ model }: Executable, { batch }: ImageInput): string | undefined {
  const shape = model.outputs[0]?.shape ?? [];
  if (sizeOf(shape) !== batch || (shape[0] ?? batch) !== batch) {
    return `expected one distance a pair, [${batch}] or [${batch}, 1, 1, 1], got ${showShape(shape)}. Export the mean over places and none over pairs.`; // prettier-ignore
  }
  if (model.inputs.length < 2) return 'expected a distance of two images, got one that does not depend on both.';
  return undefined;
}

function countPairs({ name, sampleShape }: PerceptualOptions, a: Tensor, b: Tensor): number {
  const counts = [assertSamples(name, a, sampleShape), assertSamples(name, b, sampleShape)] as const;
  if (counts[0] === counts[1]) return counts[0];
  throw new ShapeError(name, `expected as many images on both sides, got ${counts.join(' and ')}.`);
}

function finite(name: string, distances: Float64Array): Float64Array {
  assertFinite(name, tensor('float64', [distances.length], distances), 'Check the graph and its scaling.');
  return distances;
}
