import type { GraphNode, OpName } from '../graph.ts';
import type { OnnxEmitter } from './emitter.ts';

/** What a lowering rule may use. */
export interface Lowering {
  readonly emitter: OnnxEmitter;
  /** Whether only ONNX's own operators may be used, and no constant as long as the batch. */
  readonly isPortable: boolean;
  /** ONNX name of a node's array at its full shape. */
  value(node: GraphNode): string;
  /** The same for an operand that broadcasts: uniform nodes come as scalars. */
  operand(node: GraphNode): string;
  /** A convolution with one `bias` [O] a channel. */
  convolution(node: GraphNode<'conv'>, bias: string): string;
}

/** Emits the ONNX nodes of one graph node and gives the name of the result. */
export type LoweringRule<O extends OpName> = (lowering: Lowering, node: GraphNode<O>) => string;

/** A family of rules. */
export type LoweringRules<O extends OpName> = { readonly [K in O]: LoweringRule<K> };

/** Operand `i` of a node; rules know their arity. */
export function operandOf(node: GraphNode, i: number): GraphNode {
  return node.inputs[i] as GraphNode;
}
