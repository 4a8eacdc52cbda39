import type { Tensor } from '../tensor/tensor.ts';
import { sizeOf } from '../tensor/tensor.ts';

/** Element types inside a traced graph. */
export type GraphDType = 'float32' | 'float64' | 'int32' | 'bool';

/** Elementwise operations of one operand. */
export type UnaryOp =
  | 'reciprocal'
  | 'floor'
  | 'ceil'
  | 'sin'
  | 'cos'
  | 'asin'
  | 'atan'
  | 'exp'
  | 'log'
  | 'erf'
  | 'sqrt'
  | 'sigmoid'
  | 'not';

/** Elementwise operations of two operands, NumPy broadcasting. */
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'min' | 'max' | 'less' | 'lessEqual' | 'equal';

/** How a reduction combines its elements. */
export type Reduction = 'sum' | 'max' | 'min' | 'prod';

/** Geometry of a convolution over the trailing spatial axes; `pads` is [begin, end] an axis and may be negative. */
export interface ConvolutionAttributes {
  readonly strides: readonly number[];
  readonly pads: readonly (readonly [number, number])[];
  readonly dilations: readonly number[];
  readonly group: number;
}

/** Attributes of every operation that is not plain elementwise. */
export interface OpAttributes extends Record<UnaryOp | BinaryOp, null> {
  /** A run-time argument. `linear` marks a tangent or cotangent: the graph is linear in it. */
  input: { readonly index: number; readonly linear: boolean };
  /** A literal array. */
  constant: { readonly value: Tensor };
  /** One value at every place of the shape: symbolic zeros, ones and scales. */
  uniform: { readonly value: number };
  cast: null;
  where: null;
  /** NumPy broadcast_to between equal ranks: axes of size 1 grow. */
  broadcast: null;
  reshape: null;
  transpose: { readonly perm: readonly number[] };
  concatenate: { readonly axis: number };
  slice: { readonly starts: readonly number[]; readonly ends: readonly number[]; readonly steps: readonly number[] };
  pad: { readonly widths: readonly (readonly [number, number])[] };
  flip: { readonly axes: readonly number[] };
  /** Axes are removed. */
  reduce: { readonly kind: Reduction; readonly axes: readonly number[] };
  /** (x - mean) / sqrt(variance + epsilon) over the last axis. */
  normalize: { readonly epsilon: number };
  /** [..., M, K] x [..., K, N] over leading axes that broadcast; a flag says that the two last axes of that operand are swapped. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  /** x [N, C, ...], w [O, C / group, ...] -> [N, O, ...]. */
  conv: ConvolutionAttributes;
  /** Adjoint of `conv` in x: ct [N, O, ...], w [O, C / group, ...] -> [N, C, ...]; the shape is that of x. */
  convTranspose: ConvolutionAttributes;
  /** Adjoint of `conv` in w (group 1): x [N, C, ...], ct [N, O, ...] -> [O, C, ...]; the shape is that of w. */
  convWeights: ConvolutionAttributes;
  /** Mean over windows of `window` with equal stride on the two last axes of a rank-4 array. */
  averagePool: { readonly window: readonly number[] };
  /** Each element repeated `scale` times along the two last axes of a rank-4 array. */
  upsample: { readonly scale: readonly number[] };
  /** Elements of the first K axes named by integer indices [..., K]: result [index shape, rest]. */
  gather: null;
  /** Sum of updates into zeros at integer indices [..., K]; adjoint of `gather`. */
  scatterAdd: null;
  /** Last axis in ascending order. */
  sort: null;
  argsort: null;
}

/** Name of an operation of the graph. */
export type OpName = keyof OpAttributes;

/** One array-valued node of an acyclic graph; nodes are hash-consed, so equal nodes are identical. */
export interface GraphNode<O extends OpName = OpName> {
  readonly id: number;
  readonly op: O;
  readonly inputs: readonly GraphNode[];
  readonly attributes: OpAttributes[O];
  readonly shape: readonly number[];
  readonly dtype: GraphDType;
  /** Whether any tangent or cotangent flows into this node. */
  readonly linear: boolean;
}

/** Whether `node` is of operation `op`, with its attributes typed. */
export function isOp<O extends OpName>(node: GraphNode, op: O): node is GraphNode<O> {
  return node.op === op;
}

/** The value of a uniform node, or undefined. */
export function uniformValue(node: GraphNode): number | undefined {
  return isOp(node, 'uniform') ? node.attributes.value : undefined;
}

/** Number of elements that a node costs to compute: 1 for a uniform one. */
export function workOf(node: GraphNode): number {
  return node.op === 'uniform' ? 1 : sizeOf(node.shape);
}
