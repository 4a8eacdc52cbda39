import { openOnnxDescriptor } from '../analysis/descriptors/onnx-descriptor.ts';
import type { Descriptor } from '../analysis/descriptors/descriptor.ts';
import { gradientDescriptor } from '../analysis/descriptors/gradients.ts';
import { pixelDescriptor } from '../analysis/descriptors/pixels.ts';
import { principalDescriptor } from '../analysis/descriptors/principal.ts';
import { leadingComponents } from '../analysis/principal-components.ts';
import type { Dataset } from '../data/dataset.ts';
import { openOnnxFile } from '../data/onnx-files.ts';
import { SpecError } from '../errors/errors.ts';
import { sizeOf } from '../tensor/tensor.ts';

/** Descriptors that need no file. */
export const descriptorNames = ['pixels', 'centred', 'pca', 'gradients'] as const;

/** Descriptors by the names of a spec, with whatever they keep open. */
export interface OpenDescriptors extends AsyncDisposable {
  readonly descriptors: readonly Descriptor[];
}

/** Images below this are too small for histograms of gradients. */
const LEAST_SIDE = 8;

/** Descriptors of an audit that names none: `pixels`, and of images of 8 x 8 or more `gradients`. */
export function defaultDescriptors(
  sampleShape: readonly number[],
  pixels: 'pixels' | 'centred' = 'pixels',
): readonly string[] {
  const [, height = 0, width = 0] = sampleShape;
  return sampleShape.length === 3 && Math.min(height, width) >= LEAST_SIDE ? [pixels, 'gradients'] : [pixels];
}

/** Components of the descriptor `pca`. */
const COMPONENTS = 64;

/**
 * Opens descriptors: `pixels` (by distance), `centred` (pixels less the mean, by cosine), `pca`, `gradients`, or the path of an ONNX graph.
 * @param train  means and components are taken of it
 * @throws SpecError for a name that is none; ModelError for a graph that is no descriptor
 */
export async function openDescriptors(
  names: readonly string[],
  train: Dataset,
  signal: AbortSignal | undefined,
): Promise<OpenDescriptors> {
  await using open = new AsyncDisposableStack();
  const descriptors: Descriptor[] = [];
  const { sampleShape, range } = train;
  for (const name of new Set(names)) {
    if (/\.onnx$/i.test(name)) {
      const file = await openOnnxFile(name);
      descriptors.push(open.use(await openOnnxDescriptor({ name, file, sampleShape, range })));
    } else if (name === 'pixels') descriptors.push(pixelDescriptor({ sampleShape }));
    else if (name === 'gradients') descriptors.push(gradientDescriptor(sampleShape));
    else if (name === 'centred') descriptors.push(pixelDescriptor({ sampleShape, mean: await meanOf(train, signal) }));
    else if (name === 'pca') {
      const count = Math.min(COMPONENTS, train.count, sizeOf(sampleShape));
      const components = await leadingComponents(train, { count, ...(signal && { signal }) });
      descriptors.push(principalDescriptor({ sampleShape, components }));
    } else {
      throw new SpecError('descriptors', `expected ${descriptorNames.join(', ')} or an ONNX file, got '${name}'.`);
    }
  }
  const kept = open.move();
  return { descriptors, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function meanOf(dataset: Dataset, signal: AbortSignal | undefined): Promise<Float64Array> {
  const size = sizeOf(dataset.sampleShape);
  const mean = new Float64Array(size);
  for await (const { x } of dataset.batches({ size: 256, ...(signal && { signal }) })) {
    x.data.forEach((v, i) => (mean[i % size] = (mean[i % size] as number) + v / dataset.count));
  }
  return mean;
}
