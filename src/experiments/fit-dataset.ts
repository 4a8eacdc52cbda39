import { datasetFrom } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { cropAndResize } from '../data/resize.ts';
import { DatasetError } from '../errors/errors.ts';
import { sameShape, sizeOf } from '../tensor/tensor.ts';

/**
 * A data set as samples of the shape that a model takes: images are cut to its proportions, averaged to its size and made grey or
 * coloured; points with as many numbers as a sample are taken as samples, row by row.
 * @returns the data set itself where its shape is right already; otherwise one whose name says the shape
 * @throws DatasetError for data of any other shape, saying what would do
 */
export function fitDataset(dataset: Dataset, sampleShape: readonly number[]): Dataset {
  if (sameShape(dataset.sampleShape, sampleShape)) return dataset;
  const [given, wanted] = [dataset.sampleShape.join('x'), sampleShape.join('x')];
  const { count, range, labels, classNames, leftOut } = dataset;
  const fitted = (load: (indices: Int32Array) => Promise<Float32Array>): Dataset => {
    const note = `The samples, ${given} as stored, are made ${wanted} to fit.`;
    return datasetFrom({
      name: `${dataset.name}-${wanted}`,
      count,
      sampleShape,
      range,
      labels,
      classNames,
      leftOut,
      note: [dataset.note, note].filter((s) => s !== undefined).join(' '),
      load,
    });
  };
  if (dataset.sampleShape.length === 1 && dataset.sampleShape[0] === sizeOf(sampleShape)) {
    return fitted(async (indices) => (await dataset.read(indices)).data);
  }
  const [from, to] = [imageSize(dataset.sampleShape), imageSize(sampleShape)];
  if (from === undefined || to === undefined) {
    const remedy =
      from !== undefined && sampleShape.length === 3
        ? `Where these are latents, name the encoder in the side-car (docs/your-model.md) or give latents as rows [N, ${sizeOf(sampleShape)}].`
        : 'Give samples of that shape.';
    throw new DatasetError(dataset.name, `expected samples of ${wanted}, as the model takes, got ${given}. ${remedy}`);
  }
  return fitted(async (indices) => {
    const { data } = await dataset.read(indices);
    const out = new Float32Array(indices.length * sizeOf(sampleShape));
    indices.forEach((_, b) => {
      const image = data.subarray(b * sizeOf(dataset.sampleShape), (b + 1) * sizeOf(dataset.sampleShape));
      out.set(resized(image, from, to), b * sizeOf(sampleShape));
    });
    return out;
  });
}

interface ImageSize {
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
}

function imageSize(shape: readonly number[]): ImageSize | undefined {
  const [channels, height, width] = shape;
  if (height === undefined || width === undefined || (channels !== 1 && channels !== 3)) return undefined;
  return { channels, height, width };
}

/** Planes of one image to planes of another size and number. */
function resized(image: Float32Array, from: ImageSize, to: ImageSize): Float32Array {
  const { height, width } = from;
  const area = height * width;
  const planes = Array.from({ length: from.channels }, (_, c) => image.subarray(c * area, (c + 1) * area));
  const coloured =
    from.channels === to.channels ? planes : from.channels === 1 ? [0, 1, 2].map(() => image) : [luma(planes)];
  const out = new Float32Array(to.channels * to.height * to.width);
  coloured.forEach((data, c) => {
    const plane = cropAndResize({ width, height, channels: 1, max: 1, data }, to.width, to.height);
    out.set(plane.data, c * to.height * to.width);
  });
  return out;
}

/** Rec. 601, as folders of images are read. */
function luma([red, green, blue]: readonly Float32Array[]): Float32Array {
  return Float32Array.from(
    red as Float32Array,
    (r, p) => 0.299 * r + 0.587 * (green?.[p] as number) + 0.114 * (blue?.[p] as number),
  );
}
