import type { GraphNode, OpAttributes, OpName } from '../graph.ts';
import { isOp } from '../graph.ts';
import { convolution, convolutionRules } from './convolution.ts';
import { elementwiseRules } from './elementwise.ts';
import type { OnnxArgument } from './emitter.ts';
import { OnnxEmitter } from './emitter.ts';
import { fuse } from './fuse.ts';
import { gatherRules } from './gather.ts';
import { linalgRules } from './linalg.ts';
import { movementRules } from './movement.ts';
import { reductionRules } from './reduction.ts';
import type { Lowering, LoweringRule } from './rule.ts';

type Leaf = 'input' | 'constant' | 'uniform';

const rules: { [O in Exclude<OpName, Leaf>]: LoweringRule<O> } = {
  ...elementwiseRules,
  ...movementRules,
  ...reductionRules,
  ...linalgRules,
  ...convolutionRules,
  ...gatherRules,
};

/** One ONNX model and what it takes and gives, in order. */
export interface LoweredModel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Only the arguments that the results depend on; `index` counts the arguments of the traced function. */
  readonly inputs: readonly (OnnxArgument & { readonly index: number })[];
  readonly outputs: readonly OnnxArgument[];
}

/** How a graph is written. */
export interface LowerOptions {
  /** For other programs too: only ONNX's own operators, and no constant as long as the batch. Slower by a few passes. Default false. */
  readonly isPortable?: boolean;
}

/** Writes the graph that `outputs` need as one ONNX model. */
export function lower(outputs: readonly GraphNode[], { isPortable = false }: LowerOptions = {}): LoweredModel {
  const emitter = new OnnxEmitter();
  const names = new Map<GraphNode, string>();
  const inputs: (OnnxArgument & { index: number })[] = [];
  const lowering: Lowering = {
    emitter,
    isPortable,
    value: (node) => names.get(node) ?? leaf(node),
    operand: (node) =>
      isOp(node, 'uniform') ? emitter.scalar(node.attributes.value, node.dtype) : lowering.value(node),
    convolution: (node, bias) => convolution(lowering, node, bias),
  };
  const leaf = (node: GraphNode): string => {
    const name = lowerLeaf(emitter, node);
    names.set(node, name);
    if (isOp(node, 'input')) inputs.push({ name, shape: node.shape, dtype: node.dtype, index: node.attributes.index });
    return name;
  };
  const nodes = inOrder(outputs);
  const { rules: fused, absorbed } = fuse(nodes, outputs, isPortable);
  for (const node of nodes) {
    if (!absorbed.has(node)) names.set(node, fused.get(node)?.(lowering) ?? lowerNode(lowering, node));
  }
  const results = outputs.map((node, i) => ({
    name: `out${i}`,
    shape: node.shape,
    dtype: node.dtype,
    from: lowering.value(node),
  }));
  inputs.sort((a, b) => a.index - b.index);
  return { bytes: emitter.finish(inputs, results), inputs, outputs: results };
}

function lowerLeaf(emitter: OnnxEmitter, node: GraphNode): string {
  if (isOp(node, 'input')) return `in${node.attributes.index}`;
  if (isOp(node, 'constant')) return emitter.literal(node.attributes.value);
  const { value } = node.attributes as OpAttributes['uniform'];
  const scalar = emitter.scalar(value, node.dtype);
  return node.shape.length === 0 ? scalar : emitter.op('Expand', [scalar, emitter.integers(node.shape)]);
}

function lowerNode<O extends Exclude<OpName, Leaf>>(lowering: Lowering, node: GraphNode): string {
  const rule = rules[node.op as O] as LoweringRule<O>;
  return rule(lowering, node as GraphNode<O>);
}

/** The nodes that are not leaves, every one after its operands; without recursion, since graphs are deep. */
function inOrder(outputs: readonly GraphNode[]): GraphNode[] {
  const seen = new Set<GraphNode>();
  const found: GraphNode[] = [];
  const stack = [...outputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.inputs.length > 0) found.push(node);
    stack.push(...node.inputs);
  }
  // A node is always made after its operands, so ids are a topological order.
  return found.sort((a, b) => a.id - b.id);
}
