import type { Reduction } from '../graph.ts';
import type { OnnxEmitter } from './emitter.ts';
import { onnxTypes } from './emitter.ts';
import type { LoweringRules } from './rule.ts';
import { operandOf } from './rule.ts';

const reducers: Record<Reduction, string> = {
  sum: 'ReduceSum',
  max: 'ReduceMax',
  min: 'ReduceMin',
  prod: 'ReduceProd',
};

/** Sums, extremes, means over windows, and sorting. */
export const reductionRules: LoweringRules<'normalize' | 'reduce' | 'averagePool' | 'sort' | 'argsort'> = {
  reduce: (l, node) => {
    const { kind, axes } = node.attributes;
    return l.emitter.op(reducers[kind], [l.value(operandOf(node, 0)), l.emitter.integers(axes)], { keepdims: 0 });
  },
  normalize: (l, node) => {
    const scale = l.emitter.filled(1, node.shape.at(-1) ?? 1);
    const attributes = { axis: -1, epsilon: { float: node.attributes.epsilon } };
    return l.emitter.op('LayerNormalization', [l.value(operandOf(node, 0)), scale], attributes);
  },
  averagePool: (l, node) => {
    const { window } = node.attributes;
    return l.emitter.op('AveragePool', [l.value(operandOf(node, 0))], { kernel_shape: window, strides: window });
  },
  sort: (l, node) => topK(l.emitter, l.value(operandOf(node, 0)), node.shape).values,
  argsort: (l, node) => {
    const { indices } = topK(l.emitter, l.value(operandOf(node, 0)), node.shape);
    return l.emitter.op('Cast', [indices], { to: onnxTypes.int32 });
  },
};

function topK(emitter: OnnxEmitter, x: string, shape: readonly number[]): { values: string; indices: string } {
  const [values, indices] = emitter.ops('TopK', 2, [x, emitter.integers([shape.at(-1) ?? 1])], {
    largest: 0,
    axis: -1,
  });
  return { values: values as string, indices: indices as string };
}
