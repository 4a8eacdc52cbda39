import { sizeOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { GraphNode } from '../graph.ts';
import { isOp, uniformValue } from '../graph.ts';
import { jointShape, multiply } from './elementwise.ts';
import { reshape, transpose } from './movement.ts';
import { reduce } from './reduction.ts';

/**
 * sum(x * y) over the last axis with NumPy broadcasting of the others, as jax-js writes every product of matrices.
 * Batch, left and right axes are found by comparing sizes; the result becomes one batched matrix product.
 */
export function dot(g: GraphBuilder, x: GraphNode, y: GraphNode): GraphNode {
  const rank = Math.max(x.shape.length, y.shape.length);
  const [a, b] = [x, y].map((v) => {
    const lifted = reshape(g, v, [...Array<number>(rank - v.shape.length).fill(1), ...v.shape]);
    return isOp(lifted, 'broadcast') && lifted.inputs[0]?.shape[rank - 1] === lifted.shape[rank - 1]
      ? (lifted.inputs[0] as GraphNode)
      : lifted;
  }) as [GraphNode, GraphNode];
  const shape = jointShape([x.shape, y.shape]).slice(0, -1);
  const joint = jointShape([a.shape, b.shape]).slice(0, -1);
  if (uniformValue(a) !== undefined || uniformValue(b) !== undefined || joint.some((d, i) => d !== shape[i])) {
    return reduce(g, multiply(g, x, y), 'sum', [rank - 1]);
  }
  const axes = Array.from({ length: rank - 1 }, (_, i) => i).filter((i) => joint[i] !== 1);
  const left = axes.filter((i) => b.shape[i] === 1);
  const right = axes.filter((i) => a.shape[i] === 1);
  const batch = axes.filter((i) => !left.includes(i) && !right.includes(i));
  if (a.shape[rank - 1] === 1 || (left.length === 0 && right.length === 0)) {
    return reduce(g, multiply(g, a, b), 'sum', [rank - 1]);
  }
  const product = matmul(g, matrixOf(g, a, batch, left), matrixOf(g, b, batch, right, true));
  const order = [...batch, ...left, ...right];
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

interface Matrix {
  readonly node: GraphNode;
  /** Whether the node holds the transpose of what the product needs. */
  readonly swapped: boolean;
}

/** `x` as [batch, rows, K] (or [batch, K, rows] with `swapped`), whichever needs no data movement. */
function matrixOf(g: GraphBuilder, x: GraphNode, batch: number[], rows: number[], isRight: boolean = false): Matrix {
  const last = x.shape.length - 1;
  const size = (axes: number[]): number => sizeOf(axes.map((i) => x.shape[i] as number));
  const used = new Set([...batch, ...rows, last]);
  const ones = x.shape.map((_, i) => i).filter((i) => !used.has(i));
  const straight = reshape(g, transpose(g, x, [...ones, ...batch, ...rows, last]), [
    size(batch),
    size(rows),
    size([last]),
  ]);
  // A right operand [batch, rows, K] enters the product as its transpose.
  if (!isMoved(straight)) return { node: straight, swapped: isRight };
  const swapped = reshape(g, transpose(g, x, [...ones, ...batch, last, ...rows]), [
    size(batch),
    size([last]),
    size(rows),
  ]);
  return isMoved(swapped) ? { node: straight, swapped: isRight } : { node: swapped, swapped: !isRight };
}

function isMoved(x: GraphNode): boolean {
  return isOp(x, 'transpose') || (isOp(x, 'reshape') && isOp(x.inputs[0] as GraphNode, 'transpose'));
}

function matmul(g: GraphBuilder, a: Matrix, b: Matrix): GraphNode {
  const [batch, m] = [a.node.shape[0] as number, a.node.shape[a.swapped ? 2 : 1] as number];
  const n = b.node.shape[b.swapped ? 1 : 2] as number;
  const attributes = { transposeA: a.swapped, transposeB: b.swapped };
  if (batch !== 1) return g.node('matmul', [a.node, b.node], attributes, [batch, m, n], a.node.dtype);
  const flat = [a.node, b.node].map((v) => reshape(g, v, v.shape.slice(1)));
  return g.node('matmul', flat, attributes, [m, n], a.node.dtype);
}
