import { DatasetError } from '../errors/errors.ts';
import { showShape, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { inMemoryBytes } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { gunzip, isGzip } from './gzip.ts';

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes, the format of MNIST and its kin; the result shares memory with `bytes`.
 * @param where  what the bytes are, for messages
 * @throws DatasetError if the magic number, the element type or the length is wrong
 * @source http://yann.lecun.com/exdb/mnist: 0, 0, type, number of axes, sizes as big-endian uint32, elements
 */
export function parseIdx(where: string, bytes: Uint8Array): Tensor<'uint8'> {
  const [zero0, zero1, type, axes = 0] = bytes;
  if (bytes.length < 4 || zero0 !== 0 || zero1 !== 0) {
    throw new DatasetError(where, 'expected an IDX file (magic 00 00 08), got something else. Give an idx-ubyte file.');
  }
  if (type !== UNSIGNED_BYTE) {
    throw new DatasetError(
      where,
      `expected IDX elements of type 0x08 (unsigned byte), got type 0x${(type ?? 0).toString(16)}. Convert the file to NPY.`,
    );
  }
  const start = 4 + 4 * axes;
  if (axes < 1 || bytes.length < start) {
    throw new DatasetError(
      where,
      `expected an IDX header of ${start} bytes, got ${bytes.length}. Fetch the file again.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((product, d) => product * d, 1);
  if (bytes.length - start !== size) {
    throw new DatasetError(
      where,
      `expected ${size} bytes of data for shape ${showShape(shape)}, got ${bytes.length - start}. Fetch the file again.`,
    );
  }
  return tensor('uint8', shape, bytes.subarray(start));
}

/** Reads an IDX file, gzipped or not. @throws DatasetError */
export async function readIdx(where: string, bytes: Uint8Array): Promise<Tensor<'uint8'>> {
  return parseIdx(where, isGzip(bytes) ? await gunzip(where, bytes) : bytes);
}

/**
 * Grey images [N, H, W] of an IDX file as a data set of samples [1, H, W] in [-1, 1].
 * @param labels  [N], where there is a file of labels
 * @throws DatasetError if the images are not of rank 3, or the labels not of rank 1 and as many
 */
export function idxDataset(
  name: string,
  images: Tensor<'uint8'>,
  options: { labels?: Tensor<'uint8'> | undefined; classNames?: readonly string[] | undefined } = {},
): Dataset {
  const { labels, classNames } = options;
  const [count = 0, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 3) {
    throw new DatasetError(
      name,
      `expected images of shape [N, H, W], got ${showShape(images.shape)}. Give the file of images (idx3), not of labels.`,
    );
  }
  if (labels !== undefined && labels.shape.length !== 1) {
    throw new DatasetError(name, `expected labels of shape [N], got ${showShape(labels.shape)}. Give an idx1 file.`);
  }
  return inMemoryBytes(name, tensor('uint8', [count, 1, height, width], images.data), {
    labels: labels && Int32Array.from(labels.data),
    classNames,
  });
}
