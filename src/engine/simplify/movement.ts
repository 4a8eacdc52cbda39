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
  const moved = asTransposeOfReshape(g, x, shape);
  if (moved !== undefined) return moved;
  const upsampled = asUpsample(g, x, shape);
  if (upsampled !== undefined) return upsampled;
  const outer = asBroadcastOfReshape(g, x, shape);
  if (outer !== undefined) return outer;
  return g.node('reshape', [x], null, shape, x.dtype);
}

/** reshape(transpose x) = transpose(reshape x) where only axes of size 1 come or go, so that transposes on both sides meet. */
function asTransposeOfReshape(g: GraphBuilder, x: GraphNode, shape: readonly number[]): GraphNode | undefined {
  const isReal = (d: number): boolean => d !== 1;
  if (!isOp(x, 'transpose') || !sameShape(x.shape.filter(isReal), shape.filter(isReal))) return undefined;
  const source = x.inputs[0] as GraphNode;
  const kept = source.shape.map((_, i) => i).filter((i) => source.shape[i] !== 1);
  const order = x.attributes.perm.filter((p) => kept.includes(p)).map((p) => kept.indexOf(p));
  let [real, one] = [0, kept.length];
  const perm = shape.map((d) => (d === 1 ? one++ : (order[real++] as number)));
  const inner = [...kept.map((i) => source.shape[i] as number), ...shape.filter((d) => d === 1)];
  return transpose(g, reshape(g, source, inner), perm);
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

/** reshape(broadcast x) = broadcast(reshape x) along every run of axes that holds nothing but copies. */
function asBroadcastOfReshape(g: GraphBuilder, x: GraphNode, shape: readonly number[]): GraphNode | undefined {
  if (!isOp(x, 'broadcast') || sizeOf(shape) === 0) return undefined;
  const source = x.inputs[0] as GraphNode;
  const inner = [...shape];
  const copied = new Set<number>();
  for (const { from, to } of alignedRuns(x.shape, shape)) {
    if (from.some((i) => source.shape[i] !== 1)) continue;
    from.forEach((i) => copied.add(i));
    to.forEach((i) => (inner[i] = 1));
  }
  const smaller = withoutCopies(g, x, (i) => copied.has(i));
  return smaller && broadcast(g, reshape(g, smaller, inner), shape);
}

/** Pairs the axes of two shapes of equal size in the shortest runs of equal product, such as [2, 3] with [6]. */
function alignedRuns(a: readonly number[], b: readonly number[]): { from: number[]; to: number[] }[] {
  const runs: { from: number[]; to: number[] }[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const run = { from: [] as number[], to: [] as number[] };
    let [left, right] = [1, 1];
    do {
      // Axes of size 1 at the end join whichever side is left over.
      const takesLeft = i < a.length && (left < right || (left === right && run.from.length === 0) || j === b.length);
      if (takesLeft) {
        left *= a[i] as number;
        run.from.push(i++);
      } else {
        right *= b[j] as number;
        run.to.push(j++);
      }
    } while (left !== right);
    runs.push(run);
  }
  return runs;
}

/** `x` with one copy left along every axis that `isFree` admits and along which `x` repeats itself; undefined where there is none. */
export function withoutCopies(g: GraphBuilder, x: GraphNode, isFree: (axis: number) => boolean): GraphNode | undefined {
  if (!isOp(x, 'broadcast')) return undefined;
  const source = x.inputs[0] as GraphNode;
  const shape = x.shape.map((d, i) => (source.shape[i] === 1 && isFree(i) ? 1 : d));
  return sameShape(shape, x.shape) ? undefined : broadcast(g, source, shape);
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
  const single = sizeOf(shape) === 0 ? undefined : withoutCopies(g, x, () => true);
  if (single !== undefined) {
    const isCopied = (i: number): boolean => single.shape[i] !== x.shape[i];
    const part = slice(
      g,
      single,
      starts.map((s, i) => (isCopied(i) ? 0 : s)),
      ends.map((e, i) => (isCopied(i) ? 1 : e)),
      steps,
    );
    return broadcast(g, part, shape);
  }
  return g.node('slice', [x], { starts: [...starts], ends: [...ends], steps: [...steps] }, shape, x.dtype);
}

/** Zeros around `x`; pads of pads add up. */
export function pad(g: GraphBuilder, x: GraphNode, widths: readonly (readonly [number, number])[]): GraphNode {
  if (widths.every(([a, b]) => a === 0 && b === 0)) return x;
  const shape = x.shape.map((d, i) => d + (widths[i]?.[0] ?? 0) + (widths[i]?.[1] ?? 0));
  if (uniformValue(x) === 0) return g.uniform(0, shape, x.dtype);
  const single = withoutCopies(g, x, (i) => widths[i]?.[0] === 0 && widths[i][1] === 0);
  if (single !== undefined) return broadcast(g, pad(g, single, widths), shape);
  return g.node('pad', [x], { widths: widths.map(([a, b]) => [a, b] as const) }, shape, x.dtype);
}

/** Reverses the order along `axes`. */
export function flip(g: GraphBuilder, x: GraphNode, axes: readonly number[]): GraphNode {
  const real = axes.filter((a) => x.shape[a] !== 1);
  if (real.length === 0 || uniformValue(x) !== undefined) return x;
  if (isOp(x, 'flip') && sameShape(x.attributes.axes, real)) return x.inputs[0] as GraphNode;
  const single = withoutCopies(g, x, () => true);
  if (single !== undefined) return broadcast(g, flip(g, single, real), x.shape);
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
  const repeats = (p: GraphNode, i: number): boolean =>
    isOp(p, 'uniform') || (isOp(p, 'broadcast') && p.inputs[0]?.shape[i] === 1);
  const copied = shape.map((d, i) => i !== axis && d > 1 && parts.every((p) => repeats(p, i)));
  if (copied.includes(true)) {
    const singles = parts.map((p) => {
      const value = uniformValue(p);
      const one = p.shape.map((d, i) => (copied[i] ? 1 : d));
      return value === undefined ? broadcast(g, p.inputs[0] as GraphNode, one) : g.uniform(value, one, p.dtype);
    });
    return broadcast(g, concatenate(g, singles, axis), shape);
  }
  return g.node('concatenate', parts, { axis }, shape, first.dtype);
}
