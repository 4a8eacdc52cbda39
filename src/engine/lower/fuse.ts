import { sizeOf } from '../../tensor/tensor.ts';
import type { GraphNode } from '../graph.ts';
import { isOp } from '../graph.ts';
import type { Lowering } from './rule.ts';
import { operandOf } from './rule.ts';

/** Emits a node together with operands that nothing else needs. */
export type FusedRule = (lowering: Lowering) => string;

/** What is emitted in one piece, and the nodes that vanish in it. */
export interface Fusion {
  readonly rules: ReadonlyMap<GraphNode, FusedRule>;
  readonly absorbed: ReadonlySet<GraphNode>;
}

/** Elements from which a row is summed quicker as a matrix product than by multiplying and reducing. */
const longRow = 256;

/**
 * Finds what the runtime computes in one pass instead of two or three: x a + b with one coefficient a row, sums of products over rows, and
 * the bias of a convolution. An intermediate result is given up only where nothing else needs it, which is known once the graph is whole.
 * @param nodes  operands before their users
 */
export function fuse(nodes: readonly GraphNode[], outputs: readonly GraphNode[]): Fusion {
  const uses = new Map<GraphNode, number>();
  const use = (node: GraphNode): void => void uses.set(node, (uses.get(node) ?? 0) + 1);
  outputs.forEach(use);
  nodes.forEach((node) => node.inputs.forEach(use));
  const rules = new Map<GraphNode, FusedRule>();
  const absorbed = new Set<GraphNode>();
  /** The operation below reshapes, where this is the only way to it and it was not taken yet. */
  const only = (node: GraphNode): GraphNode | undefined => {
    if (uses.get(node) !== 1 || rules.has(node)) return undefined;
    return isOp(node, 'reshape') ? only(operandOf(node, 0)) : node;
  };
  for (const node of nodes) {
    const found = rowDot(node, only) ?? biased(node, only) ?? affine(node, only);
    if (found === undefined) continue;
    rules.set(node, found.rule);
    found.gone.forEach((gone) => absorbed.add(gone));
  }
  return { rules, absorbed };
}

interface Found {
  readonly rule: FusedRule;
  readonly gone: readonly GraphNode[];
}

type Only = (node: GraphNode) => GraphNode | undefined;

/** sum(a b) over the last axes as a row times a column: nothing as large as the operands is written. */
function rowDot(node: GraphNode, only: Only): Found | undefined {
  if (!isOp(node, 'reduce') || node.attributes.kind !== 'sum' || node.dtype !== 'float32') return undefined;
  const summed = operandOf(node, 0);
  const { axes } = node.attributes;
  const lead = summed.shape.length - axes.length;
  const [rows, length] = [sizeOf(summed.shape.slice(0, lead)), sizeOf(summed.shape.slice(lead))];
  const product = only(summed);
  const isLast = axes.every((axis) => axis >= lead);
  if (!isLast || length < longRow || product === undefined || !isOp(product, 'mul')) return undefined;
  const [a, b] = product.inputs as [GraphNode, GraphNode];
  if (sizeOf(a.shape) !== rows * length || sizeOf(b.shape) !== rows * length) return undefined;
  const rule: FusedRule = (l) => {
    const row = l.emitter.integers([rows, 1, length]);
    const operands = [a, b].map((x) => l.emitter.op('Reshape', [l.value(x), row]));
    const sum = l.emitter.op('FusedMatMul', operands, { transB: 1 }, 'com.microsoft');
    return l.emitter.op('Reshape', [sum, l.emitter.integers(node.shape)]);
  };
  return { rule, gone: [product, ...reshapesTo(summed, product)] };
}

/** conv(x, w) + b with one b a channel: the runtime's own bias. */
function biased(node: GraphNode, only: Only): Found | undefined {
  if (!isOp(node, 'add') || node.dtype !== 'float32') return undefined;
  for (const [sum, b] of bothWays(node)) {
    const conv = only(sum);
    if (conv !== sum || !isOp(conv, 'conv')) continue;
    const channels = conv.shape[1] as number;
    const lifted = [...Array<number>(conv.shape.length - b.shape.length).fill(1), ...b.shape];
    const isBias = b.op !== 'uniform' && lifted.every((d, i) => d === (i === 1 ? channels : 1));
    if (!isBias) continue;
    const rule: FusedRule = (l) =>
      l.convolution(conv, l.emitter.op('Reshape', [l.value(b), l.emitter.integers([channels])]));
    return { rule, gone: [conv] };
  }
  return undefined;
}

/** x a + b and x a - b with one a and one b a row, as the normalization of a batch of one with given mean 0 and variance 1. */
function affine(node: GraphNode, only: Only): Found | undefined {
  if ((!isOp(node, 'add') && !isOp(node, 'sub')) || node.dtype !== 'float32') return undefined;
  for (const [sum, b] of isOp(node, 'add') ? bothWays(node) : bothWays(node).slice(0, 1)) {
    const product = only(sum);
    if (product !== sum || !isOp(product, 'mul')) continue;
    for (const [x, a] of bothWays(product)) {
      const lead = leadOf(x.shape, a.shape);
      if (lead === undefined || leadOf(x.shape, b.shape) !== lead) continue;
      const [rows, length] = [sizeOf(x.shape.slice(0, lead)), sizeOf(x.shape.slice(lead))];
      if (rows < 2 || length < 2) continue;
      const rule: FusedRule = (l) => affineRows(l, { x, a, b, rows, length, isMinus: isOp(node, 'sub') });
      return { rule, gone: [product] };
    }
  }
  return undefined;
}

interface AffineRows {
  readonly x: GraphNode;
  readonly a: GraphNode;
  readonly b: GraphNode;
  readonly rows: number;
  readonly length: number;
  readonly isMinus: boolean;
}

function affineRows(l: Lowering, { x, a, b, rows, length, isMinus }: AffineRows): string {
  const as = (name: string, ...shape: number[]): string => l.emitter.op('Reshape', [name, l.emitter.integers(shape)]);
  const offset = isMinus ? l.emitter.op('Neg', [l.value(b)]) : l.value(b);
  const [zeros, ones] = [0, 1].map((v) => l.emitter.filled(v, rows)) as [string, string];
  const operands = [as(l.value(x), 1, rows, length), as(l.value(a), rows), as(offset, rows), zeros, ones];
  const result = l.emitter.op('BatchNormalization', operands, { epsilon: { float: 0 } });
  return l.emitter.op('Reshape', [result, l.emitter.integers(x.shape)]);
}

/** How many leading axes a coefficient has in full where all others are 1: at least one on either side. */
function leadOf(shape: readonly number[], coefficient: readonly number[]): number | undefined {
  const lifted = [...Array<number>(Math.max(0, shape.length - coefficient.length)).fill(1), ...coefficient];
  if (lifted.length !== shape.length) return undefined;
  const lead = lifted.findLastIndex((d) => d !== 1) + 1;
  const isFull = lifted.slice(0, lead).every((d, i) => d === shape[i]);
  return isFull && lead > 0 && lead < shape.length ? lead : undefined;
}

function bothWays(node: GraphNode): [GraphNode, GraphNode][] {
  const [a, b] = node.inputs as [GraphNode, GraphNode];
  return [
    [a, b],
    [b, a],
  ];
}

/** The reshapes from `node` down to `end`. */
function reshapesTo(node: GraphNode, end: GraphNode): GraphNode[] {
  return node === end ? [] : [node, ...reshapesTo(operandOf(node, 0), end)];
}
