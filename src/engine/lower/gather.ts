import { onnxTypes } from './emitter.ts';
import type { Lowering, LoweringRules } from './rule.ts';
import { operandOf } from './rule.ts';
import type { GraphNode } from '../graph.ts';

const asInt64 = (l: Lowering, node: GraphNode): string =>
  l.emitter.op('Cast', [l.value(node)], { to: onnxTypes.int64 });

/** Indexing by computed positions. */
export const gatherRules: LoweringRules<'gather' | 'scatterAdd'> = {
  gather: (l, node) => l.emitter.op('GatherND', [l.value(operandOf(node, 0)), asInt64(l, operandOf(node, 1))]),
  scatterAdd: (l, node) => {
    const zeros = l.emitter.op('Expand', [
      l.emitter.scalar(0, node.dtype === 'float64' ? 'float64' : 'float32'),
      l.emitter.integers(node.shape),
    ]);
    const [updates, indices] = [operandOf(node, 0), operandOf(node, 1)];
    return l.emitter.op('ScatterND', [zeros, asInt64(l, indices), l.value(updates)], { reduction: 'add' });
  },
};
