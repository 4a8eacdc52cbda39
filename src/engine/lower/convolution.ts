import type { ConvolutionAttributes, GraphNode } from '../graph.ts';
import type { Lowering, LoweringRules } from './rule.ts';
import { operandOf } from './rule.ts';
import { convolveByTaps, convolveTransposedByTaps, paddedBy } from './taps.ts';
import { weightGradient } from './weight-gradient.ts';

/** Convolutions and their adjoints. ONNX Runtime's CPU kernels know float32 only: float64 goes tap by tap through MatMul. */
export const convolutionRules: LoweringRules<'conv' | 'convTranspose' | 'convWeights' | 'upsample'> = {
  conv: (l, node) => convolution(l, node),
  convTranspose: (l, node) => {
    const [ct, w] = [operandOf(node, 0), operandOf(node, 1)];
    if (node.dtype === 'float64') return convolveTransposedByTaps(l, node);
    const { pads, crop } = splitPads(node.attributes.pads);
    const full = l.emitter.op('ConvTranspose', [l.value(ct), l.value(w)], convAttributes(node.attributes, w, pads));
    if (crop === undefined) return full;
    // A negative pad of the forward convolution dropped elements: their adjoint is zero.
    const back = crop.map(([a, b]) => [-a, -b] as const);
    const shape = node.shape.map((d, i) => d - (back[i - 2]?.[0] ?? 0) - (back[i - 2]?.[1] ?? 0));
    return paddedBy(l, full, shape, back);
  },
  convWeights: (l, node) => weightGradient(l, node),
  upsample: (l, node) => {
    const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    return l.emitter.op('Resize', [l.value(operandOf(node, 0)), '', '', l.emitter.integers(node.shape)], attributes);
  },
};

/** A convolution, in float32 with one `bias` a channel where there is one. */
export function convolution(l: Lowering, node: GraphNode<'conv'>, bias?: string): string {
  const [x, w] = [operandOf(node, 0), operandOf(node, 1)];
  if (node.dtype === 'float64') return convolveByTaps(l, node);
  const { pads, crop } = splitPads(node.attributes.pads);
  const cropped = crop ? paddedBy(l, l.value(x), x.shape, crop) : l.value(x);
  const inputs = [cropped, l.value(w), ...(bias === undefined ? [] : [bias])];
  return l.emitter.op('Conv', inputs, convAttributes(node.attributes, w, pads));
}

type Pads = readonly (readonly [number, number])[];

/** ONNX pads are not negative: the negative part becomes a crop before the convolution. */
function splitPads(all: Pads): { pads: Pads; crop: Pads | undefined } {
  const pads = all.map(([a, b]) => [Math.max(a, 0), Math.max(b, 0)] as const);
  const crop = all.map(([a, b]) => [Math.min(a, 0), Math.min(b, 0)] as const);
  return { pads, crop: crop.some(([a, b]) => a < 0 || b < 0) ? crop : undefined };
}

function convAttributes(a: ConvolutionAttributes, w: GraphNode, pads: Pads): Record<string, number | number[]> {
  return {
    kernel_shape: w.shape.slice(2),
    strides: [...a.strides],
    dilations: [...a.dilations],
    pads: [...pads.map(([begin]) => begin), ...pads.map(([, end]) => end)],
    group: a.group,
  };
}
