import { castFloat, sizeOf, tensor } from '../../tensor/tensor.ts';
import type { FloatDType } from '../../tensor/tensor.ts';
import type { ConvolutionAttributes, GraphNode } from '../graph.ts';
import type { Lowering } from './rule.ts';
import { operandOf } from './rule.ts';
import { paddedBy, tapsOf, windowAt } from './taps.ts';

/** Up to this many positions an image, one product over all images is quicker than a product an image and their sum. */
const mergedPositions = 256;

/**
 * Gradient of a convolution in its weights: for every tap of the kernel one matrix product of the cotangent with the image shifted by that tap.
 * A shift is the sum of one along the last axis, which moves the image, and one along the others, which moves the cotangent: a kernel of
 * 3 x 3 needs four shifted copies instead of nine, and products over whole rows. Where the convolution strides over rows, the image is
 * sliced tap by tap.
 */
export function weightGradient(l: Lowering, node: GraphNode<'convWeights'>): string {
  const [x, ct] = [operandOf(node, 0), operandOf(node, 1)];
  const { strides } = node.attributes;
  const operands = strides.slice(0, -1).every((s) => s === 1) ? shiftedOperands : slicedOperands;
  const isMerged = (x.shape[0] as number) > 1 && sizeOf(ct.shape.slice(2)) <= mergedPositions;
  const [image, cotangent] = [x, ct].map((v) => ({
    name: isMerged ? channelsFirst(l, v) : l.value(v),
    shape: isMerged ? [v.shape[1], v.shape[0], ...v.shape.slice(2)] : v.shape,
    dtype: node.dtype,
  })) as [Images, Images];
  const parts = operands(l, image, cotangent, node.attributes, node.shape.slice(2)).map(([a, b]) => {
    const product = productOf(l, b, a, isMerged, node.dtype === 'float32' && !l.isPortable);
    return l.emitter.op('Reshape', [product, l.emitter.integers([...node.shape.slice(0, 2), 1])]);
  });
  const joined = parts.length === 1 ? (parts[0] as string) : l.emitter.op('Concat', parts, { axis: 2 });
  return l.emitter.op('Reshape', [joined, l.emitter.integers(node.shape)]);
}

/** A value with two leading axes (images and channels, in either order) before the spatial ones. */
interface Images {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: FloatDType;
}

type Operands = (
  l: Lowering,
  image: Images,
  cotangent: Images,
  attributes: ConvolutionAttributes,
  window: readonly number[],
) => [Images, Images][];

function channelsFirst(l: Lowering, v: GraphNode): string {
  return l.emitter.op('Transpose', [l.value(v)], { perm: [1, 0, ...v.shape.slice(2).map((_, i) => i + 2)] });
}

/** The image under each tap, and the cotangent, which is the same for all. */
const slicedOperands: Operands = (l, image, cotangent, a, window) => {
  const padded = windowAt.prepare(l, image, cotangent.shape, a, window);
  const shape = [...image.shape.slice(0, 2), ...cotangent.shape.slice(2)];
  return tapsOf(window).map((tap) => [
    { ...image, name: windowAt.tap(l, padded, cotangent.shape, a, tap), shape },
    cotangent,
  ]);
};

/** The image moved along the last axis, and the cotangent moved to the image's rows; stride 1 along all but the last axis. */
const shiftedOperands: Operands = (l, image, cotangent, a, window) => {
  const last = window.length - 1;
  const rows = image.shape.slice(2, -1);
  const width = cotangent.shape.at(-1) as number;
  const columns = Array.from({ length: window[last] as number }, (_, j) => columnsAt(l, image, width, a, j));
  const moved = tapsOf(window.slice(0, -1)).map((tap): Images => {
    const pads = tap.map((t, i) => {
      const begin = t * (a.dilations[i] as number) - (a.pads[i]?.[0] ?? 0);
      return [begin, (rows[i] as number) - (cotangent.shape[i + 2] as number) - begin] as const;
    });
    const name = paddedBy(l, cotangent.name, cotangent.shape, [...pads, [0, 0]]);
    return { ...cotangent, name, shape: [...cotangent.shape.slice(0, 2), ...rows, width] };
  });
  return moved.flatMap((ct) => columns.map((x): [Images, Images] => [x, ct]));
};

/** The columns of the image that meet column `j` of the kernel, one for every column of the result. */
function columnsAt(l: Lowering, image: Images, width: number, a: ConvolutionAttributes, j: number): Images {
  const axis = image.shape.length - 1;
  const columns = image.shape[axis] as number;
  const stride = a.strides.at(-1) as number;
  const begin = (a.pads.at(-1)?.[0] ?? 0) - j * (a.dilations.at(-1) as number);
  const shape = [...image.shape.slice(0, -1), width];
  if (stride === 1 && width === columns) return { ...image, name: rolled(l, image, begin) };
  const reach = (width - 1) * stride + 1;
  const name = paddedBy(l, image.name, image.shape, [[begin, reach - begin - columns]]);
  if (stride === 1) return { ...image, name, shape };
  const lists = [[0], [reach], [axis], [stride]].map((v) => l.emitter.integers(v));
  return { ...image, name: l.emitter.op('Slice', [name, ...lists]), shape };
}

/**
 * Rows moved by `begin` to the right, zeros coming in: all rows as one long row are moved at once, and what crosses from row to row is
 * multiplied by zero. Two passes over long rows take half the time of one over short rows.
 */
function rolled(l: Lowering, { name, shape, dtype }: Images, begin: number): string {
  if (begin === 0) return name;
  const [rows, width] = [sizeOf(shape.slice(2, -1)), shape.at(-1) as number];
  const flat = l.emitter.op('Reshape', [name, l.emitter.integers([...shape.slice(0, 2), rows * width])]);
  const moved = paddedBy(l, flat, [...shape.slice(0, 2), rows * width], [[begin, -begin]]);
  const isInside = (i: number): boolean => i % width >= begin && i % width < width + begin;
  const mask = Float32Array.from({ length: rows * width }, (_, i) => Number(isInside(i)));
  const literal = l.emitter.literal(castFloat(tensor('float32', [rows * width], mask), dtype));
  return l.emitter.op('Reshape', [l.emitter.op('Mul', [moved, literal]), l.emitter.integers(shape)]);
}

/** sum over images and positions of a b^T: [O, C]. */
function productOf(l: Lowering, a: Images, b: Images, isMerged: boolean, isFused: boolean): string {
  const [left, right] = [a, b].map(({ name, shape }) => {
    const lead = shape.slice(0, isMerged ? 1 : 2);
    const flat = [...lead, sizeOf(shape.slice(lead.length))];
    return l.emitter.op('Reshape', [name, l.emitter.integers(flat)]);
  }) as [string, string];
  const perm = isMerged ? [1, 0] : [0, 2, 1];
  const product = isFused
    ? l.emitter.op('FusedMatMul', [left, right], { transB: 1 }, 'com.microsoft')
    : l.emitter.op('MatMul', [left, l.emitter.op('Transpose', [right], { perm })]);
  return isMerged || a.shape[0] === 1
    ? product
    : l.emitter.op('ReduceSum', [product, l.emitter.integers([0])], { keepdims: 0 });
}
