import type { GraphBuilder } from '../builder.ts';
import type { GraphDType, GraphNode, Reduction } from '../graph.ts';
import type { ConvolutionParameters } from '../simplify/convolution.ts';
import { convolve } from '../simplify/convolution.ts';
import { add, binary, cast, multiply, negate, unary, where } from '../simplify/elementwise.ts';
import { gather, scatterAdd } from '../simplify/gather.ts';
import { dot } from '../simplify/linalg.ts';
import { broadcast, concatenate, flip, pad, reshape, slice, transpose } from '../simplify/movement.ts';
import { reduce } from '../simplify/reduction.ts';
import { pool, poolTranspose } from '../simplify/window.ts';

/** Primitives of jax-js that have an ONNX form; jax-js does not export its own enumeration. */
export type Primitive =
  | 'add' | 'mul' | 'mod' | 'min' | 'max' | 'neg' | 'reciprocal' | 'floor' | 'ceil' | 'stop_gradient' | 'cast'
  | 'sin' | 'cos' | 'asin' | 'atan' | 'exp' | 'log' | 'erf' | 'erfc' | 'sqrt' | 'reduce' | 'dot' | 'conv' | 'pool'
  | 'pool_transpose' | 'compare' | 'where' | 'concatenate' | 'split' | 'gather' | 'transpose' | 'broadcast' | 'reshape'
  | 'flip' | 'shrink' | 'pad' | 'sort' | 'argsort' | 'scatter'; // prettier-ignore

type Pair = readonly [number, number];

/** Union of the parameters that jax-js gives to its equations; each reader takes its own. */
export interface ReadParameters extends ConvolutionParameters {
  readonly op: string;
  readonly axis: number[] & number;
  readonly shape: readonly number[];
  readonly perm: readonly number[];
  readonly slice: readonly Pair[];
  readonly width: readonly Pair[];
  readonly sizes: readonly number[];
  readonly window: readonly number[];
  readonly inShape: readonly number[];
  readonly outDim: number;
}

interface Output {
  readonly shape: readonly number[];
  readonly dtype: GraphDType;
}

type Reader = (
  g: GraphBuilder,
  inputs: GraphNode[],
  parameters: ReadParameters,
  outputs: readonly Output[],
) => GraphNode | GraphNode[];

const reductions: Record<string, Reduction> = { Add: 'sum', Max: 'max', Min: 'min', Mul: 'prod' };

const at = (inputs: readonly GraphNode[], i: number): GraphNode => inputs[i] as GraphNode;
const out = (outputs: readonly Output[]): Output => outputs[0] as Output;

/** Operands in the result's element type: jax-js lets a weakly typed literal meet an array of another float type. */
const promoted =
  (read: (g: GraphBuilder, a: GraphNode, b: GraphNode) => GraphNode): Reader =>
  (g, inputs, _, outputs) => {
    const { dtype } = out(outputs);
    return read(g, cast(g, at(inputs, 0), dtype), cast(g, at(inputs, 1), dtype));
  };

const readUnary =
  (op: 'reciprocal' | 'floor' | 'ceil' | 'sin' | 'cos' | 'asin' | 'atan' | 'exp' | 'log' | 'erf' | 'sqrt'): Reader =>
  (g, [x]) =>
    unary(g, op, x as GraphNode);

const readCompare: Reader = (g, inputs, { op }) => {
  const dtype = (inputs.find((x) => x.op !== 'uniform') ?? at(inputs, 0)).dtype;
  const [a, b] = [cast(g, at(inputs, 0), dtype), cast(g, at(inputs, 1), dtype)];
  if (op === 'less') return binary(g, 'less', a, b);
  if (op === 'less_equal') return binary(g, 'lessEqual', a, b);
  const equal = binary(g, 'equal', a, b);
  return op === 'equal' ? equal : unary(g, 'not', equal);
};

const readSplit: Reader = (g, inputs, { axis, sizes }) => {
  const x = at(inputs, 0);
  let start = 0;
  return sizes.map((size) => {
    const starts = x.shape.map((_, i) => (i === axis ? start : 0));
    const ends = x.shape.map((d, i) => (i === axis ? start + size : d));
    start += size;
    return slice(g, x, starts, ends);
  });
};

const readBroadcast: Reader = (g, inputs, { shape, axis }) => {
  const x = at(inputs, 0);
  let next = 0;
  const lifted = shape.map((_, i) => (axis.includes(i) ? 1 : (x.shape[next++] as number)));
  return broadcast(g, reshape(g, x, lifted), shape);
};

const readArgsort: Reader = (g, inputs) => {
  const x = at(inputs, 0);
  return [g.node('sort', [x], null, x.shape, x.dtype), g.node('argsort', [x], null, x.shape, 'int32')];
};

/** What each primitive becomes; a primitive of the union without a line here does not compile. */
export const primitives: Record<Primitive, Reader> = {
  add: promoted(add),
  mul: promoted(multiply),
  mod: promoted((g, a, b) => binary(g, 'mod', a, b)),
  min: promoted((g, a, b) => binary(g, 'min', a, b)),
  max: promoted((g, a, b) => binary(g, 'max', a, b)),
  neg: (g, inputs) => negate(g, at(inputs, 0)),
  reciprocal: readUnary('reciprocal'),
  floor: readUnary('floor'),
  ceil: readUnary('ceil'),
  stop_gradient: (_, inputs) => at(inputs, 0),
  cast: (g, inputs, _, outputs) => cast(g, at(inputs, 0), out(outputs).dtype),
  sin: readUnary('sin'),
  cos: readUnary('cos'),
  asin: readUnary('asin'),
  atan: readUnary('atan'),
  exp: readUnary('exp'),
  log: readUnary('log'),
  erf: readUnary('erf'),
  erfc: (g, inputs) => {
    const x = at(inputs, 0);
    return add(g, g.uniform(1, [], x.dtype), negate(g, unary(g, 'erf', x)));
  },
  sqrt: readUnary('sqrt'),
  reduce: (g, inputs, { op, axis }) => reduce(g, at(inputs, 0), reductions[op] ?? 'sum', axis),
  dot: promoted(dot),
  conv: (g, inputs, p, outputs) => convolve(g, at(inputs, 0), at(inputs, 1), out(outputs).shape, p),
  pool: (g, inputs, { window, strides }) => pool(g, at(inputs, 0), window, strides),
  pool_transpose: (g, inputs, { inShape, window, strides }) =>
    poolTranspose(g, at(inputs, 0), inShape, window, strides),
  compare: readCompare,
  where: (g, inputs, _, outputs) => {
    const { dtype } = out(outputs);
    return where(g, at(inputs, 0), cast(g, at(inputs, 1), dtype), cast(g, at(inputs, 2), dtype));
  },
  concatenate: (g, inputs, { axis }) => concatenate(g, inputs, axis),
  split: readSplit,
  gather: (g, [x, ...indices], { axis, outDim }) => gather(g, x as GraphNode, indices, axis, outDim),
  transpose: (g, inputs, { perm }) => transpose(g, at(inputs, 0), perm),
  broadcast: readBroadcast,
  reshape: (g, inputs, { shape }) => reshape(g, at(inputs, 0), shape),
  flip: (g, inputs, { axis }) => flip(g, at(inputs, 0), axis),
  shrink: (g, inputs, p) =>
    slice(
      g,
      at(inputs, 0),
      p.slice.map(([a]) => a),
      p.slice.map(([, b]) => b),
    ),
  pad: (g, inputs, { width }) => pad(g, at(inputs, 0), width),
  sort: (g, inputs) => (readArgsort(g, inputs, {} as ReadParameters, []) as GraphNode[])[0] as GraphNode,
  argsort: readArgsort,
  scatter: (g, [updates, ...indices], { shape, axis, outDim }) =>
    scatterAdd(g, updates as GraphNode, indices, shape, axis, outDim),
};

/** Whether a jax-js primitive of this name can be read. */
export function isPrimitive(name: string): name is Primitive {
  return Object.hasOwn(primitives, name);
}
