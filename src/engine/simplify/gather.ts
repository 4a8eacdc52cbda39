import { LoweringError } from '../../errors/errors.ts';
import { sameShape } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { GraphNode } from '../graph.ts';
import { jointShape } from './elementwise.ts';
import { broadcast, concatenate, reshape, transpose } from './movement.ts';

/** The index arrays, broadcast together and stacked along a new last axis: [..., K]. */
function stackIndices(g: GraphBuilder, indices: readonly GraphNode[]): GraphNode {
  const shape = jointShape(indices.map((i) => i.shape));
  const columns = indices.map((index) => {
    const lifted = reshape(g, index, [...Array<number>(shape.length - index.shape.length).fill(1), ...index.shape]);
    return reshape(g, broadcast(g, lifted, shape), [...shape, 1]);
  });
  return concatenate(g, columns, shape.length);
}

/** Permutation that puts the first `count` axes of `rank` at position `to`. */
function moveLead(rank: number, count: number, to: number): number[] {
  const rest = Array.from({ length: rank - count }, (_, i) => i + count);
  return [...rest.slice(0, to), ...Array.from({ length: count }, (_, i) => i), ...rest.slice(to)];
}

/** x at `indices` along `axes`, the index shape standing at axis `outDim` of the result (NumPy advanced indexing). */
export function gather(
  g: GraphBuilder,
  x: GraphNode,
  indices: readonly GraphNode[],
  axes: readonly number[],
  outDim: number,
): GraphNode {
  const stacked = stackIndices(g, indices);
  const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const front = transpose(g, x, [...axes, ...rest]);
  const lead = stacked.shape.slice(0, -1);
  const shape = [...lead, ...rest.map((i) => x.shape[i] as number)];
  const picked = g.node('gather', [front, stacked], null, shape, x.dtype);
  return transpose(g, picked, moveLead(shape.length, lead.length, outDim));
}

/** Adjoint of `gather`: updates added into zeros of `shape`. */
export function scatterAdd(
  g: GraphBuilder,
  updates: GraphNode,
  indices: readonly GraphNode[],
  shape: readonly number[],
  axes: readonly number[],
  outDim: number,
): GraphNode {
  if (updates.dtype !== 'float32' && updates.dtype !== 'float64') {
    throw new LoweringError('compile', `scatter of ${updates.dtype} has no ONNX form. Scatter floats.`);
  }
  const stacked = stackIndices(g, indices);
  const lead = stacked.shape.length - 1;
  const order = moveLead(updates.shape.length, lead, outDim);
  const front = transpose(
    g,
    updates,
    order.map((_, i) => order.indexOf(i)),
  );
  const rest = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const moved = [...axes, ...rest];
  const target = moved.map((i) => shape[i] as number);
  const sum = g.node('scatterAdd', [front, stacked], null, target, updates.dtype);
  const back = transpose(
    g,
    sum,
    shape.map((_, i) => moved.indexOf(i)),
  );
  return sameShape(back.shape, shape) ? back : reshape(g, back, shape);
}
