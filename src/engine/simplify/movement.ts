import { sameShape, sizeOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { GraphNode } from '../graph.ts';
import { isOp, uniformValue } from '../graph.ts';

/** `x` under another shape of equal size; chains of reshapes collapse. */
export function reshape(g: GraphBuilder, x: GraphNode, shape: readonly number[]): GraphNode {
  if (sameShape(x.shape, shape)) return x;
  const value = uniformValue(x);
  if (value !== undefined) return g.uniform(value, shape, x.dtype);
  if (isOp(x, 'reshape')) return reshape(g, x.inputs[0] as GraphNode, shape);
  const upsampled = asUpsample(g, x, shape);
  if (upsampled !== undefined) return upsampled;
  const outer = asBroadcastOfReshape(g, x, shape);
  if (outer !== undefined) return outer;
  return g.node('reshape', [x], null, shape, x.dtype);
}

/** reshape(broadcast [..., H, 1, W, 1] -> [..., H, a, W, b]) to [..., aH, bW] is nearest-neighbour upsampling. */
function asUpsample(g: GraphBuilder, x: GraphNode, shape: readonly number[]): GraphNode | undefined {
  if (!isOp(x, 'broadcast') || x.dtype !== 'float32' || x.shape.length < 6) return undefined;
  const source = x.inputs[0] as GraphNode;
  const lead = x.shape.slice(0, -4);
  const [h, a, w, b] = x.shape.slice(-4) as [number, number, number, number];
  if (!sameShape(source.shape, [...lead, h, 1, w, 1]) || !sameShape(shape, [...lead, h * a, w * b])) return undefined;
  const flat = [sizeOf(lead.slice(0, -1)), lead.at(-1) as number];
  const image = reshape(g, source, [...flat, h, w]);
  return reshape(g, g.node('upsample', [image], { scale: [a, b] }, [...flat, h * a, w * b], x.dtype), shape);
}

/** reshape(broadcast x) = broadcast(reshape x) where the reshape only adds, drops or splits off axes that were not broadcast. */
function asBroadcastOfReshape(g: GraphBuilder, x: GraphNode, shape: readonly number[]): GraphNode | undefined {
  if (!isOp(x, 'broadcast')) return undefined;
  const source = x.inputs[0] as GraphNode;
  const inner: number[] = [];
  let from = 0;
  for (let to = 0; to < shape.length; to++) {
    const target = shape[to] as number;
    if (from < x.shape.length && x.shape[from] === target) inner.push(source.shape[from++] as number);
    else if (target === 1) inner.push(1);
    else if (x.shape[from] === 1) {
      from++;
      to--;
    } else return undefined;
  }
  while (x.shape[from] === 1) from++;
  if (from !== x.shape.length || sizeOf(inner) !== sizeOf(source.shape)) return undefined;
  return broadcast(g, reshape(g, source, inner), shape);
}

/** Permutes axes; compositions collapse and permutations that only move axes of size 1 become reshapes. */
export function transpose(g: GraphBuilder, x: GraphNode, perm: readonly number[]): GraphNode {
  if (perm.every((p, i) => p === i)) return x;
  const shape = perm.map((p) => x.shape[p] as number);
  const value = uniformValue(x);
  if (value !== undefined) return g.uniform(value, shape, x.dtype);
  if (isOp(x, 'transpose')) {
    return transpose(
      g,
      x.inputs[0] as GraphNode,
      perm.map((p) => x.attributes.perm[p] as number),
    );
  }
  const moved = perm.filter((p) => x.shape[p] !== 1);
  if (moved.every((p, i) => i === 0 || p > (moved[i - 1] as number))) return reshape(g, x, shape);
  if (isOp(x, 'broadcast')) return broadcast(g, transpose(g, x.inputs[0] as GraphNode, perm), shape);
  return g.node('transpose', [x], { perm: [...perm] }, shape, x.dtype);
}

/** NumPy broadcast_to; the operand gets the rank of the result first. */
export function broadcast(g: GraphBuilder, x: GraphNode, shape: readonly number[]): GraphNode {
  if (sameShape(x.shape, shape)) return x;
  const value = uniformValue(x);
  if (value !== undefined) return g.uniform(value, shape, x.dtype);
  if (isOp(x, 'broadcast')) return broadcast(g, x.inputs[0] as GraphNode, shape);
  const lifted = reshape(g, x, [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape]);
  return sameShape(lifted.shape, shape) ? lifted : g.node('broadcast', [lifted], null, shape, x.dtype);
}

/** The part of `x` at starts, starts + step, ... < ends on every axis; steps are positive. */
export function slice(
  g: GraphBuilder,
  x: GraphNode,
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[] = starts.map(() => 1),
): GraphNode {
  const shape = starts.map((s, i) => Math.ceil(((ends[i] as number) - s) / (steps[i] as number)));
  if (sameShape(shape, x.shape)) return x;
  const value = uniformValue(x);
  if (value !== undefined) return g.uniform(value, shape, x.dtype);
  return g.node('slice', [x], { starts: [...starts], ends: [...ends], steps: [...steps] }, shape, x.dtype);
}

/** Zeros around `x`; pads of pads add up. */
export function pad(g: GraphBuilder, x: GraphNode, widths: readonly (readonly [number, number])[]): GraphNode {
  if (widths.every(([a, b]) => a === 0 && b === 0)) return x;
  const shape = x.shape.map((d, i) => d + (widths[i]?.[0] ?? 0) + (widths[i]?.[1] ?? 0));
  if (uniformValue(x) === 0) return g.uniform(0, shape, x.dtype);
  return g.node('pad', [x], { widths: widths.map(([a, b]) => [a, b] as const) }, shape, x.dtype);
}

/** Reverses the order along `axes`. */
export function flip(g: GraphBuilder, x: GraphNode, axes: readonly number[]): GraphNode {
  const real = axes.filter((a) => x.shape[a] !== 1);
  if (real.length === 0 || uniformValue(x) !== undefined) return x;
  if (isOp(x, 'flip') && sameShape(x.attributes.axes, real)) return x.inputs[0] as GraphNode;
  return g.node('flip', [x], { axes: real }, x.shape, x.dtype);
}

/** Joins along one axis; a single part is itself. */
export function concatenate(g: GraphBuilder, parts: readonly GraphNode[], axis: number): GraphNode {
  const first = parts[0] as GraphNode;
  if (parts.length === 1) return first;
  const shape = [...first.shape];
  shape[axis] = parts.reduce((sum, p) => sum + (p.shape[axis] as number), 0);
  const value = uniformValue(first);
  if (value !== undefined && parts.every((p) => uniformValue(p) === value)) return g.uniform(value, shape, first.dtype);
  return g.node('concatenate', parts, { axis }, shape, first.dtype);
}
