import { sameShape, sizeOf } from '../../tensor/tensor.ts';
import type { GraphNode, Reduction } from '../graph.ts';
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
/** Elements from which a row is scaled and shifted in one pass. */
const shortestRow = 16;

/**
 * Finds what the runtime computes in one pass instead of two or three: x a + b with one coefficient a row, sums of products over rows, and
 * the bias of a convolution, softmax. An intermediate result is given up only where nothing else needs it, which is known once the graph is whole.
 * @param nodes  operands before their users
 * @param isPortable  leaves out what takes an operator of the runtime alone, or a constant as long as the batch
 */
export function fuse(nodes: readonly GraphNode[], outputs: readonly GraphNode[], isPortable: boolean = false): Fusion {
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
    const found = isPortable
      ? (biased(node, only) ?? softmax(node, uses))
      : (rowDot(node, only, uses) ?? biased(node, only) ?? affine(node, only) ?? softmax(node, uses));
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
function rowDot(node: GraphNode, only: Only, uses: ReadonlyMap<GraphNode, number>): Found | undefined {
  if (!isOp(node, 'reduce') || node.attributes.kind !== 'sum' || node.dtype !== 'float32') return undefined;
  const summed = operandOf(node, 0);
  const { axes } = node.attributes;
  const lead = summed.shape.length - axes.length;
  const length = sizeOf(summed.shape.slice(lead));
  const product = only(summed);
  const isLast = axes.every((axis) => axis >= lead);
  if (!isLast || length < longRow || product === undefined || !isOp(product, 'mul')) return undefined;
  const isWhole = (x: GraphNode): boolean => {
    const own = x.shape.findIndex((d) => d !== 1);
    const tail = x.shape.slice(own);
    return sizeOf(tail) >= length && sameShape(tail, product.shape.slice(product.shape.length - tail.length));
  };
  if (!product.inputs.every(isWhole)) return undefined;
  const most = Math.min(...product.inputs.map((x) => sizeOf(x.shape) / length));
  const rule: FusedRule = (l) => {
    // A block of tangents beside one primal: the smaller operand serves every part of the larger.
    const operands = product.inputs.map((x) => {
      const parts = sizeOf(x.shape) / length / most;
      return l.emitter.op('Reshape', [l.value(x), l.emitter.integers([parts, most, 1, length])]);
    });
    const sum = l.emitter.op('FusedMatMul', operands, { transB: 1 }, 'com.microsoft');
    return l.emitter.op('Reshape', [sum, l.emitter.integers(node.shape)]);
  };
  return { rule, gone: [product, ...pathTo(summed, product, uses)] };
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
    const rule: FusedRule = (l) => l.convolution(conv, flat(l, b, channels));
    return { rule, gone: [conv] };
  }
  return undefined;
}

/** `b` as a list, without a reshape where it was one before. */
function flat(l: Lowering, b: GraphNode, count: number): string {
  const list = bare(b);
  return list.shape.length === 1 ? l.value(list) : l.emitter.op('Reshape', [l.value(b), l.emitter.integers([count])]);
}

/** x a + b and x a - b with one a and one b a row, as the normalization of a batch of one with given mean 0 and variance 1. */
function affine(node: GraphNode, only: Only): Found | undefined {
  if ((!isOp(node, 'add') && !isOp(node, 'sub')) || node.dtype !== 'float32') return undefined;
  for (const [sum, b] of isOp(node, 'add') ? bothWays(node) : bothWays(node).slice(0, 1)) {
    const product = only(sum);
    if (product !== sum || !isOp(product, 'mul')) continue;
    for (const [x, a] of bothWays(product)) {
      const [of, and] = [leadOf(x.shape, a.shape), leadOf(x.shape, b.shape)];
      if (of === undefined || and === undefined) continue;
      const lead = Math.max(of, and);
      if (sizeOf(x.shape.slice(lead)) < shortestRow) continue;
      const rule: FusedRule = (l) => affineRows(l, { x, a, b, lead, isMinus: isOp(node, 'sub') });
      return { rule, gone: [product] };
    }
  }
  return undefined;
}

interface AffineRows {
  readonly x: GraphNode;
  readonly a: GraphNode;
  readonly b: GraphNode;
  /** Axes of `x` before those that share a coefficient. */
  readonly lead: number;
  readonly isMinus: boolean;
}

function affineRows(l: Lowering, { x, a, b, lead, isMinus }: AffineRows): string {
  const { emitter } = l;
  const [rows, length] = [sizeOf(x.shape.slice(0, lead)), sizeOf(x.shape.slice(lead))];
  const as = (name: string, ...shape: number[]): string => emitter.op('Reshape', [name, emitter.integers(shape)]);
  const everyRow = (name: string, { shape }: GraphNode): string => {
    if (sizeOf(shape) === rows) return as(name, rows);
    const lifted = [...Array<number>(x.shape.length - shape.length).fill(1), ...shape].slice(0, lead);
    return as(emitter.op('Expand', [as(name, ...lifted), emitter.integers(x.shape.slice(0, lead))]), rows);
  };
  const offset = isMinus ? emitter.op('Neg', [l.value(b)]) : l.value(b);
  const [zeros, ones] = [emitter.filled(0, rows), emitter.filled(1, rows)];
  const operands = [as(l.value(x), 1, rows, length), everyRow(l.value(a), a), everyRow(offset, b), zeros, ones];
  return as(emitter.op('BatchNormalization', operands, { epsilon: { float: 0 } }), ...x.shape);
}

/** Up to which axis a coefficient varies, where all later ones are 1 and there is at least one of them. */
function leadOf(shape: readonly number[], coefficient: readonly number[]): number | undefined {
  const lifted = [...Array<number>(Math.max(0, shape.length - coefficient.length)).fill(1), ...coefficient];
  if (lifted.length !== shape.length || lifted.some((d, i) => d !== 1 && d !== shape[i])) return undefined;
  const lead = lifted.findLastIndex((d) => d !== 1) + 1;
  return lead > 0 && lead < shape.length ? lead : undefined;
}

/** Softmax over the last axis as automatic tracing writes it: exp(x - max x) times the reciprocal of its sum. */
function softmax(node: GraphNode, uses: ReadonlyMap<GraphNode, number>): Found | undefined {
  if (!isOp(node, 'mul')) return undefined;
  for (const [e, r] of bothWays(node)) {
    const sum = isOp(r, 'reciprocal') ? bare(operandOf(r, 0)) : bare(r);
    const total = isOp(sum, 'reciprocal') ? bare(operandOf(sum, 0)) : sum;
    const isInverse = isOp(r, 'reciprocal') || isOp(sum, 'reciprocal');
    if (!isInverse || !isOp(e, 'exp') || !isLastAxis(total, 'sum', e) || uses.get(e) !== 2) continue;
    const shifted = operandOf(e, 0);
    if (!isOp(shifted, 'sub') || uses.get(shifted) !== 1) continue;
    const x = operandOf(shifted, 0);
    const largest = bare(operandOf(shifted, 1));
    if (!isLastAxis(largest, 'max', x)) continue;
    const gone = [e, shifted, ...pathTo(r, e, uses), ...pathTo(operandOf(shifted, 1), x, uses)];
    const rule: FusedRule = (l) => l.emitter.op('Softmax', [l.value(x)], { axis: -1 });
    return { rule, gone };
  }
  return undefined;
}

function isLastAxis(node: GraphNode, kind: Reduction, of: GraphNode): boolean {
  if (!isOp(node, 'reduce') || node.attributes.kind !== kind || node.inputs[0] !== of) return false;
  const { axes } = node.attributes;
  return axes.length === 1 && axes[0] === of.shape.length - 1;
}

/** The node below reshapes. */
function bare(node: GraphNode): GraphNode {
  return isOp(node, 'reshape') ? bare(operandOf(node, 0)) : node;
}

/** The nodes of a chain from `node` down to, without, `end`, as far as nothing else needs them. */
function pathTo(node: GraphNode, end: GraphNode, uses: ReadonlyMap<GraphNode, number>): GraphNode[] {
  return node === end || uses.get(node) !== 1 ? [] : [node, ...pathTo(operandOf(node, 0), end, uses)];
}

function bothWays(node: GraphNode): [GraphNode, GraphNode][] {
  const [a, b] = node.inputs as [GraphNode, GraphNode];
  return [
    [a, b],
    [b, a],
  ];
}
