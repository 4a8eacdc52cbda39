import { sizeOf, tensor } from '../../tensor/tensor.ts';
import type { GraphNode } from '../graph.ts';
import type { Lowering, LoweringRules } from './rule.ts';
import { operandOf } from './rule.ts';

/** Stands for "to the very first element" in a Slice with negative step. */
const beforeFirst = -(2 ** 31);

/** Operations that move elements and compute nothing. */
export const movementRules: LoweringRules<
  'broadcast' | 'reshape' | 'transpose' | 'concatenate' | 'slice' | 'pad' | 'flip'
> = {
  broadcast: (l, node) => l.emitter.op('Expand', [l.value(operandOf(node, 0)), l.emitter.integers(node.shape)]),
  reshape: (l, node) =>
    // allowzero: a 0 in the shape means an empty axis, not "copy".
    l.emitter.op('Reshape', [l.value(operandOf(node, 0)), l.emitter.integers(node.shape)], { allowzero: 1 }),
  transpose: (l, node) => l.emitter.op('Transpose', [l.value(operandOf(node, 0))], { perm: node.attributes.perm }),
  concatenate: (l, node) =>
    l.emitter.op(
      'Concat',
      node.inputs.map((x) => l.value(x)),
      { axis: node.attributes.axis },
    ),
  slice: (l, node) => {
    const x = operandOf(node, 0);
    const { starts, ends, steps } = node.attributes;
    const axes = starts.map((_, i) => i).filter((i) => starts[i] !== 0 || ends[i] !== x.shape[i] || steps[i] !== 1);
    const pick = (values: readonly number[]): string => l.emitter.integers(axes.map((i) => values[i] as number));
    return l.emitter.op('Slice', [l.value(x), pick(starts), pick(ends), l.emitter.integers(axes), pick(steps)]);
  },
  pad: (l, node) => {
    const { widths } = node.attributes;
    const flat = [...widths.map(([begin]) => begin), ...widths.map(([, end]) => end)];
    return l.emitter.op('Pad', [
      l.value(operandOf(node, 0)),
      l.emitter.integers(flat),
      l.emitter.scalar(0, node.dtype),
    ]);
  },
  flip: (l, node) => {
    const { axes } = node.attributes;
    const turned = turnedKernel(l, node);
    if (turned !== undefined) return turned;
    const all = (value: number): string => l.emitter.integers(axes.map(() => value));
    const axisList = l.emitter.integers(axes);
    return l.emitter.op('Slice', [l.value(operandOf(node, 0)), all(-1), all(beforeFirst), axisList, all(-1)]);
  },
};

/** Most elements of a kernel window that a product turns round. */
const largestWindow = 49;

/**
 * A kernel [O, C, window] turned round in its window, as the gradient of a convolution needs it, by a product with a permutation matrix:
 * exact, and several times as quick as the runtime's copies one element at a time.
 */
function turnedKernel(l: Lowering, node: GraphNode<'flip'>): string | undefined {
  const window = node.shape.slice(2);
  const size = sizeOf(window);
  const isKernel = node.shape.length >= 3 && node.attributes.axes.every((axis) => axis >= 2);
  const isWhole = window.every((d, i) => d === 1 || node.attributes.axes.includes(i + 2));
  if (!isKernel || !isWhole || size > largestWindow || node.dtype !== 'float32') return undefined;
  const reversed = Float32Array.from({ length: size * size }, (_, i) =>
    Number(Math.floor(i / size) + (i % size) === size - 1),
  );
  const flat = l.emitter.op('Reshape', [l.value(operandOf(node, 0)), l.emitter.integers([-1, size])]);
  const product = l.emitter.op('MatMul', [flat, l.emitter.literal(tensor('float32', [size, size], reversed))]);
  return l.emitter.op('Reshape', [product, l.emitter.integers(node.shape)]);
}
