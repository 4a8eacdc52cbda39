import type { GraphBuilder } from '../builder.ts';
import type { GraphNode } from '../graph.ts';
import { isOp, uniformValue } from '../graph.ts';

/**
 * (x - mean) / sqrt(variance + epsilon) over the last axis, written out by automatic tracing as a dozen nodes, as one node.
 * @param d  candidate for x - mean(x)
 * @param r  candidate for 1 / sqrt(mean(d^2) + epsilon)
 * @returns the normalized x, or undefined where the two are anything else
 */
export function normalization(g: GraphBuilder, d: GraphNode, r: GraphNode): GraphNode | undefined {
  const x = d.dtype === 'float32' ? centred(d) : undefined;
  if (x === undefined) return undefined;
  const root = operandIf(bare(r), 'reciprocal');
  const sum = root && operandIf(bare(root), 'sqrt');
  const shifted = sum && bare(sum);
  if (shifted === undefined || !isOp(shifted, 'add')) return undefined;
  const [a, b] = shifted.inputs as [GraphNode, GraphNode];
  const epsilon = uniformValue(a) ?? uniformValue(b);
  const square = meanOf(uniformValue(a) === undefined ? a : b, 1);
  const isSquare = square !== undefined && isOp(square, 'mul') && square.inputs.every((input) => input === d);
  if (epsilon === undefined || !isSquare) return undefined;
  return g.node('normalize', [x], { epsilon }, x.shape, x.dtype);
}

/** x where the node is x - mean(x), which the algebra of signs also writes as x + (-1 / n) sum(x). */
function centred(d: GraphNode): GraphNode | undefined {
  const [a, b] = d.inputs as [GraphNode, GraphNode];
  if (isOp(d, 'sub')) return meanOf(b, 1) === a ? a : undefined;
  if (!isOp(d, 'add')) return undefined;
  if (meanOf(b, -1) === a) return a;
  return meanOf(a, -1) === b ? b : undefined;
}

/** x where the node is `sign` times the mean of x over its last axis, up to axes of size 1. */
function meanOf(node: GraphNode, sign: 1 | -1): GraphNode | undefined {
  const product = bare(node);
  if (!isOp(product, 'mul')) return undefined;
  const [scale, other] = product.inputs as [GraphNode, GraphNode];
  const total = bare(other);
  if (!isOp(total, 'reduce') || total.attributes.kind !== 'sum') return undefined;
  const x = total.inputs[0] as GraphNode;
  const last = x.shape.length - 1;
  const isLast = total.attributes.axes.length === 1 && total.attributes.axes[0] === last;
  return isLast && isInverse(uniformValue(scale), sign * (x.shape[last] as number)) ? x : undefined;
}

function isInverse(scale: number | undefined, count: number): boolean {
  // jax-js rounds 1 / count to float32.
  return scale !== undefined && Math.abs(scale * count - 1) < 1e-6;
}

function operandIf(node: GraphNode, op: 'reciprocal' | 'sqrt'): GraphNode | undefined {
  return isOp(node, op) ? node.inputs[0] : undefined;
}

/** The node below reshapes. */
function bare(node: GraphNode): GraphNode {
  return isOp(node, 'reshape') ? bare(node.inputs[0] as GraphNode) : node;
}
