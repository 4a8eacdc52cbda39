import type { LoweringRules } from './rule.ts';
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
    const all = (value: number): string => l.emitter.integers(axes.map(() => value));
    const axisList = l.emitter.integers(axes);
    return l.emitter.op('Slice', [l.value(operandOf(node, 0)), all(-1), all(beforeFirst), axisList, all(-1)]);
  },
};
