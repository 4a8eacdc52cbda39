import { sizeOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { GraphNode, Reduction } from '../graph.ts';
import { isOp, uniformValue } from '../graph.ts';
import { multiply, scaled } from './elementwise.ts';
import { broadcast, reshape, withoutCopies } from './movement.ts';

/** Reduces over `axes`, which are removed; factors and copies that do not vary along them are taken out of sums. */
export function reduce(g: GraphBuilder, x: GraphNode, kind: Reduction, axes: readonly number[]): GraphNode {
  if (axes.length === 0) return x;
  const real = axes.filter((a) => x.shape[a] !== 1);
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  if (real.length === 0) return reshape(g, x, shape);
  if (kind === 'sum') {
    const simpler =
      uniformSum(g, x, axes) ?? broadcastSum(g, x, real) ?? factoredSum(g, x, axes) ?? pooledSum(g, x, real);
    if (simpler !== undefined) return reshape(g, simpler, shape);
  }
  const isExtreme = kind === 'max' || kind === 'min';
  const single = withoutCopies(g, x, (i) => isExtreme || !axes.includes(i));
  if (single !== undefined) return broadcast(g, reduce(g, single, kind, axes), shape);
  const reduced = g.node(
    'reduce',
    [x],
    { kind, axes: [...real].sort((a, b) => a - b) },
    x.shape.filter((_, i) => !real.includes(i)),
    x.dtype,
  );
  return reshape(g, reduced, shape);
}

function uniformSum(g: GraphBuilder, x: GraphNode, axes: readonly number[]): GraphNode | undefined {
  const value = uniformValue(x);
  if (value === undefined) return undefined;
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  return g.uniform(value * sizeOf(axes.map((a) => x.shape[a] as number)), shape, x.dtype);
}

/** sum over copies = number of copies times the sum of the original. */
function broadcastSum(g: GraphBuilder, x: GraphNode, axes: readonly number[]): GraphNode | undefined {
  if (!isOp(x, 'broadcast')) return undefined;
  const source = x.inputs[0] as GraphNode;
  const copied = axes.filter((a) => source.shape[a] === 1);
  if (copied.length === 0) return undefined;
  // The copied axes have size 1 in a broadcast that grows only the others; reducing them there is a reshape.
  const kept = x.shape.map((d, i) => (copied.includes(i) ? 1 : d));
  const smaller = source.shape.every((d, i) => d === kept[i])
    ? source
    : g.node('broadcast', [source], null, kept, x.dtype);
  const count = g.uniform(sizeOf(copied.map((a) => x.shape[a] as number)), [], x.dtype);
  return multiply(g, count, reduce(g, smaller, 'sum', axes));
}

/** sum(p t) = p sum(t) where p does not vary along the reduced axes. */
function factoredSum(g: GraphBuilder, x: GraphNode, axes: readonly number[]): GraphNode | undefined {
  if (!isOp(x, 'mul')) return undefined;
  const [a, b] = x.inputs as [GraphNode, GraphNode];
  const scale = scaled(a).scale * scaled(b).scale;
  if (scale !== 1) {
    const rest = multiply(g, scaled(a).rest, scaled(b).rest);
    return multiply(g, g.uniform(scale, [], x.dtype), reduce(g, broadcast(g, rest, x.shape), 'sum', axes));
  }
  for (const [p, t] of [
    [a, b],
    [b, a],
  ] as const) {
    const lifted = [...Array<number>(x.shape.length - p.shape.length).fill(1), ...p.shape];
    if (axes.every((axis) => lifted[axis] === 1) && t.shape.length === x.shape.length) {
      if (axes.some((axis) => t.shape[axis] !== x.shape[axis])) continue;
      const coefficient = reshape(
        g,
        p,
        lifted.filter((_, i) => !axes.includes(i)),
      );
      return multiply(g, coefficient, reduce(g, t, 'sum', axes));
    }
  }
  return undefined;
}

/** sum over the small axes of [..., H, a, W, b] that came from [..., aH, bW] is a b times an average pool: the adjoint of upsampling. */
function pooledSum(g: GraphBuilder, x: GraphNode, axes: readonly number[]): GraphNode | undefined {
  const rank = x.shape.length;
  const isPool = rank >= 6 && axes.length === 2 && axes.includes(rank - 1) && axes.includes(rank - 3);
  if (!isPool || x.dtype !== 'float32' || !isOp(x, 'reshape')) return undefined;
  const [h, a, w, b] = x.shape.slice(-4) as [number, number, number, number];
  const lead = x.shape.slice(0, -4);
  const images = reshape(g, x, [sizeOf(lead.slice(0, -1)), lead.at(-1) as number, h * a, w * b]);
  const pooled = g.node('averagePool', [images], { window: [a, b] }, [...images.shape.slice(0, 2), h, w], x.dtype);
  return multiply(g, g.uniform(a * b, [], x.dtype), reshape(g, pooled, [...lead, h, w]));
}
