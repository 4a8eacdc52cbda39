import { sizeOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { ConvolutionAttributes, GraphNode } from '../graph.ts';
import { isOp, uniformValue } from '../graph.ts';
import { broadcast, flip, reshape, slice, transpose, withoutCopies } from './movement.ts';

/** Parameters of jax-js's general dilated convolution. */
export interface ConvolutionParameters {
  readonly vmapDims: number;
  readonly strides: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
}

/**
 * x [V..., N, C, ...] with w [V..., O, C, ...] over mapped axes V. An axis along which the kernel is shared joins the batch,
 * an axis along which both vary becomes a group, so that a mapped convolution costs what it must.
 */
export function convolve(
  g: GraphBuilder,
  x: GraphNode,
  w: GraphNode,
  shape: readonly number[],
  p: ConvolutionParameters,
): GraphNode {
  if (uniformValue(x) === 0 || uniformValue(w) === 0) return g.uniform(0, shape, x.dtype);
  const v = p.vmapDims;
  const kernel = isOp(w, 'broadcast') ? (w.inputs[0] as GraphNode) : w;
  const mapped = Array.from({ length: v }, (_, i) => i);
  const shared = mapped.filter((i) => kernel.shape[i] === 1 && w.shape.every((d, j) => j < v || d === kernel.shape[j]));
  const grouped = mapped.filter((i) => !shared.includes(i));
  // Copies of one image give copies of one result: under vmap, the part that does not depend on the mapped argument.
  const image = withoutCopies(g, x, (i) => i === v || shared.includes(i)) ?? x;
  const small = shape.map((d, i) => (i <= v ? (image.shape[i] as number) : d));
  const spatial = Array.from({ length: x.shape.length - v - 2 }, (_, i) => v + 2 + i);
  const size = (s: readonly number[], axes: number[]): number => sizeOf(axes.map((i) => s[i] as number));
  const groups = size(w.shape, grouped);
  const lhs = reshape(g, transpose(g, image, [...shared, v, ...grouped, v + 1, ...spatial]), [
    size(image.shape, [...shared, v]),
    groups * (x.shape[v + 1] as number),
    ...spatial.map((i) => x.shape[i] as number),
  ]);
  const rhs = reshape(g, shared.length > 0 ? kernel : w, [groups * (w.shape[v] as number), ...w.shape.slice(v + 1)]);
  const outSpatial = spatial.map((i) => shape[i] as number);
  const flat = plain(g, lhs, rhs, [lhs.shape[0] as number, rhs.shape[0] as number, ...outSpatial], p, groups);
  const order = [...shared, v, ...grouped, v + 1, ...spatial];
  const split = reshape(
    g,
    flat,
    order.map((i) => small[i] as number),
  );
  const back = transpose(
    g,
    split,
    shape.map((_, i) => order.indexOf(i)),
  );
  return broadcast(g, back, shape);
}

/** A convolution without mapped axes: forward, adjoint in x (dilated input) or adjoint in w (the "kernel" is a feature map). */
function plain(
  g: GraphBuilder,
  x: GraphNode,
  w: GraphNode,
  shape: readonly number[],
  p: ConvolutionParameters,
  group: number,
): GraphNode {
  if (p.lhsDilation.some((d) => d > 1)) return dilatedInput(g, x, w, shape, p, group);
  const [window, out] = [sizeOf(w.shape.slice(2)), sizeOf(shape.slice(2))];
  if (group === 1 && window >= 16 && window > out && p.strides.length === 2) return weightGradient(g, x, w, shape, p);
  const attributes: ConvolutionAttributes = {
    strides: [...p.strides],
    pads: p.padding.map(([a, b]) => [a, b] as const),
    dilations: [...p.rhsDilation],
    group,
  };
  return g.node('conv', [x, w], attributes, shape, x.dtype);
}

/** A convolution of an input with zeros between its elements is the adjoint of a strided convolution with the turned kernel. */
function dilatedInput(
  g: GraphBuilder,
  x: GraphNode,
  w: GraphNode,
  shape: readonly number[],
  p: ConvolutionParameters,
  group: number,
): GraphNode {
  const spatial = p.strides.map((_, i) => i + 2);
  const dense = shape.map((d, i) => (i < 2 ? d : (d - 1) * (p.strides[i - 2] as number) + 1));
  const pads = p.padding.map(([begin], i) => {
    const reach = ((w.shape[i + 2] as number) - 1) * (p.rhsDilation[i] as number);
    const crop = reach - begin;
    const full = ((x.shape[i + 2] as number) - 1) * (p.lhsDilation[i] as number) + reach + 1;
    return [crop, full - crop - (dense[i + 2] as number)] as const;
  });
  const attributes: ConvolutionAttributes = { strides: [...p.lhsDilation], pads, dilations: [...p.rhsDilation], group };
  const kernel = swapChannels(g, flip(g, w, spatial), group);
  const full = g.node('convTranspose', [x, kernel], attributes, dense, x.dtype);
  if (p.strides.every((s) => s === 1)) return full;
  return slice(
    g,
    full,
    dense.map(() => 0),
    dense,
    dense.map((_, i) => (i < 2 ? 1 : (p.strides[i - 2] as number))),
  );
}

/** [G O, C, ...] to [G C, O, ...], group by group. */
function swapChannels(g: GraphBuilder, w: GraphNode, group: number): GraphNode {
  const rest = w.shape.slice(2);
  const [o, c] = [(w.shape[0] as number) / group, w.shape[1] as number];
  const split = reshape(g, w, [group, o, c, ...rest]);
  const swapped = transpose(g, split, [0, 2, 1, ...rest.map((_, i) => i + 3)]);
  return reshape(g, swapped, [group * c, o, ...rest]);
}

/** x [C, N, ...] with the cotangent [O, N, ...] as kernel: the gradient of a convolution in its weights. */
function weightGradient(
  g: GraphBuilder,
  x: GraphNode,
  ct: GraphNode,
  shape: readonly number[],
  p: ConvolutionParameters,
): GraphNode {
  const swap = [1, 0, ...shape.slice(2).map((_, i) => i + 2)];
  const attributes: ConvolutionAttributes = {
    strides: [...p.rhsDilation],
    pads: p.padding.map(([a, b]) => [a, b] as const),
    dilations: [...p.strides],
    group: 1,
  };
  const parts = [transpose(g, x, swap), transpose(g, ct, swap)];
  const weights = g.node(
    'convWeights',
    parts,
    attributes,
    swap.map((i) => shape[i] as number),
    x.dtype,
  );
  return transpose(g, weights, swap);
}
