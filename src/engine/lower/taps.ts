import { sizeOf } from '../../tensor/tensor.ts';
import type { ConvolutionAttributes, GraphNode } from '../graph.ts';
import type { Lowering } from './rule.ts';
import { operandOf } from './rule.ts';

/** All positions of a kernel window, last axis fastest. */
export function tapsOf(window: readonly number[]): number[][] {
  let taps: number[][] = [[]];
  for (const k of window) taps = taps.flatMap((t) => Array.from({ length: k }, (_, i) => [...t, i]));
  return taps;
}

/**
 * Pads (or, negative, crops) the trailing axes of a value of this shape. Axes after the last one padded are joined to it: the runtime
 * moves few long rows in half the time of many short ones.
 */
export function paddedBy(
  l: Lowering,
  name: string,
  shape: readonly number[],
  pads: readonly (readonly [number, number])[],
): string {
  const lead = shape.length - pads.length;
  const all = [...Array.from({ length: lead }, () => [0, 0] as const), ...pads];
  const last = all.findLastIndex(([a, b]) => a !== 0 || b !== 0);
  if (last < 0) return name;
  const inner = sizeOf(shape.slice(last + 1));
  const widths = all.slice(0, last + 1).map(([a, b], i) => (i === last ? [a * inner, b * inner] : [a, b])) as Pad[];
  const flat = l.emitter.integers([...widths.map(([a]) => a), ...widths.map(([, b]) => b)]);
  if (last === shape.length - 1) return l.emitter.op('Pad', [name, flat]);
  const joined = [...shape.slice(0, last), (shape[last] as number) * inner];
  const padded = l.emitter.op('Pad', [l.emitter.op('Reshape', [name, l.emitter.integers(joined)]), flat]);
  const result = shape.map((d, i) => d + (all[i]?.[0] ?? 0) + (all[i]?.[1] ?? 0));
  return l.emitter.op('Reshape', [padded, l.emitter.integers(result)]);
}

type Pad = [begin: number, end: number];

/** The image under one tap of a kernel at all output positions: padded once, then sliced for every tap. */
export const windowAt = {
  prepare(
    l: Lowering,
    x: { readonly name: string; readonly shape: readonly number[] },
    outShape: readonly number[],
    a: ConvolutionAttributes,
    window: readonly number[],
  ): string {
    const pads = window.map((k, i) => {
      const begin = a.pads[i]?.[0] ?? 0;
      const reach =
        ((outShape[i + 2] as number) - 1) * (a.strides[i] as number) + (k - 1) * (a.dilations[i] as number) + 1;
      return [begin, reach - begin - (x.shape[i + 2] as number)] as const;
    });
    return paddedBy(l, x.name, x.shape, pads);
  },
  tap(
    l: Lowering,
    image: string,
    outShape: readonly number[],
    a: ConvolutionAttributes,
    tap: readonly number[],
  ): string {
    const starts = tap.map((t, i) => t * (a.dilations[i] as number));
    const ends = starts.map((s, i) => s + ((outShape[i + 2] as number) - 1) * (a.strides[i] as number) + 1);
    const axes = tap.map((_, i) => i + 2);
    const lists = [starts, ends, axes, a.strides].map((v) => l.emitter.integers(v));
    return l.emitter.op('Slice', [image, ...lists]);
  },
};

/** conv as a sum over taps of [G, O, C] x [N, G, C, positions] products. */
export function convolveByTaps(l: Lowering, node: GraphNode<'conv'>): string {
  const [x, w] = [operandOf(node, 0), operandOf(node, 1)];
  const { group } = node.attributes;
  const [n, outs] = node.shape as [number, number];
  const channels = w.shape[1] as number;
  const window = w.shape.slice(2);
  const positions = sizeOf(node.shape.slice(2));
  const image = windowAt.prepare(l, { name: l.value(x), shape: x.shape }, node.shape, node.attributes, window);
  const sum = tapsOf(window)
    .map((tap) => {
      const shifted = windowAt.tap(l, image, node.shape, node.attributes, tap);
      const flat = l.emitter.op('Reshape', [shifted, l.emitter.integers([n, group, channels, positions])]);
      return l.emitter.op('MatMul', [kernelAt(l, w, tap, [group, outs / group, channels]), flat]);
    })
    .reduce((a, b) => l.emitter.op('Add', [a, b]));
  return l.emitter.op('Reshape', [sum, l.emitter.integers(node.shape)]);
}

/** Adjoint of `convolveByTaps` in x: every tap's product is spread back to where it was read. */
export function convolveTransposedByTaps(l: Lowering, node: GraphNode<'convTranspose'>): string {
  const [ct, w] = [operandOf(node, 0), operandOf(node, 1)];
  const { group, strides, dilations, pads } = node.attributes;
  const [n, channels] = node.shape as [number, number];
  const outs = w.shape[0] as number;
  const window = w.shape.slice(2);
  const spatial = ct.shape.slice(2);
  const positions = sizeOf(spatial);
  const flat = l.emitter.op('Reshape', [l.value(ct), l.emitter.integers([n, group, outs / group, positions])]);
  const sum = tapsOf(window)
    .map((tap) => {
      const kernel = kernelAt(l, w, tap, [group, outs / group, channels / group]);
      const turned = l.emitter.op('Transpose', [kernel], { perm: [0, 2, 1] });
      const product = l.emitter.op('MatMul', [turned, flat]);
      const small = l.emitter.op('Reshape', [product, l.emitter.integers([n, channels, ...spatial])]);
      const spread = spreadOut(l, small, [n, channels, ...spatial], strides);
      const extent = spatial.map((d, i) => (d - 1) * (strides[i] as number) + 1);
      const widths = extent.map((d, i) => {
        const begin = (tap[i] as number) * (dilations[i] as number) - (pads[i]?.[0] ?? 0);
        return [begin, (node.shape[i + 2] as number) - begin - d] as const;
      });
      return paddedBy(l, spread, [n, channels, ...extent], widths);
    })
    .reduce((a, b) => l.emitter.op('Add', [a, b]));
  return l.emitter.op('Reshape', [sum, l.emitter.integers(node.shape)]);
}

function kernelAt(l: Lowering, w: GraphNode, tap: readonly number[], shape: readonly number[]): string {
  const axes = tap.map((_, i) => i + 2);
  const ends = tap.map((t) => t + 1);
  const one = l.emitter.op('Slice', [
    l.value(w),
    l.emitter.integers(tap),
    l.emitter.integers(ends),
    l.emitter.integers(axes),
  ]);
  return l.emitter.op('Reshape', [one, l.emitter.integers(shape)]);
}

/** Puts `stride - 1` zeros between spatial neighbours. */
function spreadOut(l: Lowering, name: string, shape: readonly number[], strides: readonly number[]): string {
  if (strides.every((s) => s === 1)) return name;
  const lead = shape.slice(0, 2);
  const spatial = shape.slice(2);
  const split = l.emitter.op('Reshape', [name, l.emitter.integers([...lead, ...spatial.flatMap((d) => [d, 1])])]);
  const zeros = Array<number>(2 + 2 * spatial.length).fill(0);
  const ends = [0, 0, ...strides.flatMap((s) => [0, s - 1])];
  const padded = l.emitter.op('Pad', [split, l.emitter.integers([...zeros, ...ends])]);
  const wide = spatial.map((d, i) => d * (strides[i] as number));
  const merged = l.emitter.op('Reshape', [padded, l.emitter.integers([...lead, ...wide])]);
  const keep = wide.map((d, i) => d - (strides[i] as number) + 1);
  const axes = keep.map((_, i) => i + 2);
  const lists = [axes.map(() => 0), keep, axes].map((v) => l.emitter.integers(v));
  return l.emitter.op('Slice', [merged, ...lists]);
}
