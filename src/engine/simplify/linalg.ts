import { sameShape, sizeOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { GraphNode } from '../graph.ts';
import { isOp, uniformValue } from '../graph.ts';
import { jointShape, multiply } from './elementwise.ts';
import { broadcast, reshape, transpose, withoutCopies } from './movement.ts';
import { reduce } from './reduction.ts';

/**
 * sum(x * y) over the last axis with NumPy broadcasting of the others, as jax-js writes every product of matrices.
 * Batch, left and right axes are found by comparing sizes; the result becomes one batched matrix product.
 */
export function dot(g: GraphBuilder, x: GraphNode, y: GraphNode): GraphNode {
  const rank = Math.max(x.shape.length, y.shape.length);
  const [a, b] = [x, y].map((v) => {
    const lifted = reshape(g, v, [...Array<number>(rank - v.shape.length).fill(1), ...v.shape]);
    return withoutCopies(g, lifted, (i) => i < rank - 1) ?? lifted;
  }) as [GraphNode, GraphNode];
  const shape = jointShape([x.shape, y.shape]).slice(0, -1);
  const joint = jointShape([a.shape, b.shape]).slice(0, -1);
  if (uniformValue(a) !== undefined || uniformValue(b) !== undefined) {
    return reduce(g, multiply(g, x, y), 'sum', [rank - 1]);
  }
  if (joint.some((d, i) => d !== shape[i])) return broadcast(g, dot(g, a, b), shape);
  const axes = Array.from({ length: rank - 1 }, (_, i) => i).filter((i) => joint[i] !== 1);
  const left = inMemoryOrder(
    a,
    axes.filter((i) => b.shape[i] === 1),
  );
  const right = inMemoryOrder(
    b,
    axes.filter((i) => a.shape[i] === 1),
  );
  const batch = inMemoryOrder(
    sizeOf(a.shape) < sizeOf(b.shape) ? b : a,
    axes.filter((i) => !left.includes(i) && !right.includes(i)),
  );
  if (a.shape[rank - 1] === 1 || (left.length === 0 && right.length === 0)) {
    return reduce(g, multiply(g, a, b), 'sum', [rank - 1]);
  }
  const [apart, rows] = freeAxes(g, a, batch, left);
  const [besides, columns] = freeAxes(g, b, batch, right);
  const lead = [...apart, ...besides, ...batch];
  const product = matmul(g, matrixOf(g, a, lead, rows), matrixOf(g, b, lead, columns, true));
  const order = [...lead, ...rows, ...columns];
  const split = reshape(
    g,
    product,
    order.map((i) => joint[i] as number),
  );
  const sorted = [...order].sort((p, q) => p - q);
  const back = transpose(
    g,
    split,
    sorted.map((i) => order.indexOf(i)),
  );
  return reshape(g, back, shape);
}

/** Outermost first. */
function inMemoryOrder(x: GraphNode, axes: readonly number[]): number[] {
  const place = (i: number): number => (isOp(x, 'transpose') ? (x.attributes.perm[i] as number) : i);
  return [...axes].sort((p, q) => place(p) - place(q));
}

/**
 * Splits the axes that only one operand has into those that the product is repeated over, the other operand being shared, and those that
 * are rows of the matrix: as many rows as go without moving data, which a block of tangents beside one primal would need.
 */
function freeAxes(
  g: GraphBuilder,
  x: GraphNode,
  batch: readonly number[],
  free: readonly number[],
): [number[], number[]] {
  for (let apart = 0; apart < free.length; apart++) {
    const [over, rows] = [free.slice(0, apart), free.slice(apart)];
    if (!isMoved(matrixOf(g, x, [...over, ...batch], rows).node)) return [over, rows];
  }
  return [[], [...free]];
}

interface Matrix {
  /** [lead..., rows, K], or [lead..., K, rows] with `swapped`. */
  readonly node: GraphNode;
  /** Whether the node holds the transpose of what the product needs. */
  readonly swapped: boolean;
}

/** `x` as matrices over the axes `lead`, of which it may lack some, whichever way round needs no data movement. */
function matrixOf(
  g: GraphBuilder,
  x: GraphNode,
  lead: readonly number[],
  rows: readonly number[],
  isRight: boolean = false,
): Matrix {
  const last = x.shape.length - 1;
  const sizes = (axes: readonly number[]): number[] => axes.map((i) => x.shape[i] as number);
  const used = new Set([...lead, ...rows, last]);
  const ones = x.shape.map((_, i) => i).filter((i) => !used.has(i));
  const height = sizeOf(sizes(rows));
  const as = (order: readonly number[], tail: number[]): GraphNode =>
    reshape(g, transpose(g, x, [...ones, ...lead, ...order]), [...sizes(lead), ...tail]);
  const straight = as([...rows, last], [height, ...sizes([last])]);
  // A right operand [..., rows, K] enters the product as its transpose.
  if (!isMoved(straight)) return { node: straight, swapped: isRight };
  const swapped = as([last, ...rows], [...sizes([last]), height]);
  return isMoved(swapped) ? { node: straight, swapped: isRight } : { node: swapped, swapped: !isRight };
}

function isMoved(x: GraphNode): boolean {
  return isOp(x, 'transpose') || (isOp(x, 'reshape') && isOp(x.inputs[0] as GraphNode, 'transpose'));
}

/** The product of matrices over leading axes that broadcast; axes that both have are one axis, which runs quicker. */
function matmul(g: GraphBuilder, a: Matrix, b: Matrix): GraphNode {
  const [left, right] = [a.node.shape.slice(0, -2), b.node.shape.slice(0, -2)];
  const joint = jointShape([left, right]);
  const isEven = sameShape(left, right);
  const batch = !isEven ? joint : sizeOf(joint) === 1 ? [] : [sizeOf(joint)];
  const [x, y] = [a.node, b.node].map((v) => (isEven ? reshape(g, v, [...batch, ...v.shape.slice(-2)]) : v)) as [
    GraphNode,
    GraphNode,
  ];
  const m = x.shape.at(a.swapped ? -1 : -2) as number;
  const n = y.shape.at(b.swapped ? -2 : -1) as number;
  const attributes = { transposeA: a.swapped, transposeB: b.swapped };
  return g.node('matmul', [x, y], attributes, [...batch, m, n], x.dtype);
}
