import { sameShape, sizeOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { BinaryOp, GraphDType, GraphNode, UnaryOp } from '../graph.ts';
import { isOp, uniformValue, workOf } from '../graph.ts';
import { broadcast, transpose } from './movement.ts';
import { normalization } from './normalization.ts';

const unaryValues: Record<UnaryOp, (v: number) => number | undefined> = {
  reciprocal: (v) => 1 / v,
  floor: Math.floor,
  ceil: Math.ceil,
  sin: Math.sin,
  cos: Math.cos,
  asin: Math.asin,
  atan: Math.atan,
  exp: Math.exp,
  log: Math.log,
  erf: (v) => (v === 0 ? 0 : undefined),
  sqrt: Math.sqrt,
  sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  not: (v) => (v === 0 ? 1 : 0),
};

const binaryValues: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
  min: Math.min,
  max: Math.max,
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  equal: (a, b) => Number(a === b),
};

/** Joint shape of operands under NumPy broadcasting; `rank` pads with leading ones. */
export function jointShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) =>
    Math.max(
      ...shapes.map((s) => s[i - rank + s.length] ?? 1),
      shapes.some((s) => s[i - rank + s.length] === 0) ? 0 : 1,
    ),
  );
}

/** Takes off broadcasts, which an elementwise operation does by itself; ranks may differ. */
function operands(g: GraphBuilder, inputs: readonly GraphNode[]): GraphNode[] {
  return inputs.map((x) => {
    if (isOp(x, 'uniform')) return g.uniform(x.attributes.value, [], x.dtype);
    return isOp(x, 'broadcast') ? (x.inputs[0] as GraphNode) : x;
  });
}

/** The permutation that every operand of rank > 0 went through: it moves behind the operation, where it may meet its inverse. */
function commonTranspose(parts: readonly GraphNode[]): readonly number[] | undefined {
  const arrays = parts.filter((x) => x.shape.length > 0);
  const [first] = arrays;
  if (first === undefined || !isOp(first, 'transpose')) return undefined;
  const { perm } = first.attributes;
  const isCommon = arrays.every((x) => isOp(x, 'transpose') && sameShape(x.attributes.perm, perm));
  return isCommon ? perm : undefined;
}

/** Runs `make` on the smallest shapes that determine the result, then broadcasts to the true shape. */
function elementwise(
  g: GraphBuilder,
  inputs: readonly GraphNode[],
  make: (parts: GraphNode[], shape: number[]) => GraphNode,
): GraphNode {
  const shape = jointShape(inputs.map((x) => x.shape));
  const parts = operands(g, inputs);
  const perm = commonTranspose(parts);
  if (perm !== undefined) {
    const sources = parts.map((x) => (isOp(x, 'transpose') ? (x.inputs[0] as GraphNode) : x));
    return broadcast(g, transpose(g, elementwise(g, sources, make), perm), shape);
  }
  return broadcast(g, make(parts, jointShape(parts.map((x) => x.shape))), shape);
}

/** Elementwise function of one operand, with constants folded and 1 / (1 + exp(-x)) recognised as the sigmoid. */
export function unary(g: GraphBuilder, op: UnaryOp, x: GraphNode): GraphNode {
  return elementwise(g, [x], ([part], shape) => {
    const value = uniformValue(part as GraphNode);
    const folded = value === undefined ? undefined : unaryValues[op](value);
    if (folded !== undefined) return g.uniform(folded, shape, x.dtype);
    if (op === 'reciprocal') {
      const logit = logitOf(g, part as GraphNode);
      if (logit !== undefined) return unary(g, 'sigmoid', logit);
      if (isOp(part as GraphNode, 'reciprocal')) return (part as GraphNode).inputs[0] as GraphNode;
    }
    return g.node(op, [part as GraphNode], null, shape, x.dtype);
  });
}

/** x where the argument is 1 + exp(-x). */
function logitOf(g: GraphBuilder, sum: GraphNode): GraphNode | undefined {
  if (!isOp(sum, 'add')) return undefined;
  const [a, b] = sum.inputs as [GraphNode, GraphNode];
  const exponential = uniformValue(a) === 1 ? b : uniformValue(b) === 1 ? a : undefined;
  if (exponential === undefined || !isOp(exponential, 'exp')) return undefined;
  return negate(g, exponential.inputs[0] as GraphNode);
}

/** -x, kept as a product with -1 so that signs and scales meet and cancel. */
export function negate(g: GraphBuilder, x: GraphNode): GraphNode {
  return multiply(g, g.uniform(-1, [], x.dtype), x);
}

/** a - b. */
export function subtract(g: GraphBuilder, a: GraphNode, b: GraphNode): GraphNode {
  return add(g, a, negate(g, b));
}

/** Splits off a uniform factor: x = scale * rest. */
export function scaled(x: GraphNode): { scale: number; rest: GraphNode } {
  if (isOp(x, 'mul')) {
    const [a, b] = x.inputs as [GraphNode, GraphNode];
    const value = uniformValue(a);
    if (value !== undefined) return { scale: value, rest: b };
  }
  return { scale: 1, rest: x };
}

/** a + b: zeros vanish, x + (-1) y becomes a difference, and p t + q t with t linear becomes (p + q) t. */
export function add(g: GraphBuilder, a: GraphNode, b: GraphNode): GraphNode {
  return elementwise(g, [a, b], ([x, y], shape) => addParts(g, x as GraphNode, y as GraphNode, shape, a.dtype));
}

function addParts(g: GraphBuilder, x: GraphNode, y: GraphNode, shape: number[], dtype: GraphDType): GraphNode {
  const [u, v] = [uniformValue(x), uniformValue(y)];
  if (u !== undefined && v !== undefined) return g.uniform(u + v, shape, dtype);
  if (u === 0) return broadcast(g, y, shape);
  if (v === 0) return broadcast(g, x, shape);
  if (x === y) return multiply(g, g.uniform(2, [], dtype), x);
  const factored = factorLinear(g, x, y);
  if (factored !== undefined) return factored;
  if (scaled(y).scale === -1) return g.node('sub', [x, scaled(y).rest], null, shape, dtype);
  if (scaled(x).scale === -1) return g.node('sub', [y, scaled(x).rest], null, shape, dtype);
  return g.node('add', x.id <= y.id ? [x, y] : [y, x], null, shape, dtype);
}

/** p t + q t = (p + q) t for a tangent t and coefficients that do not depend on it: one pass over the block instead of three. */
function factorLinear(g: GraphBuilder, x: GraphNode, y: GraphNode): GraphNode | undefined {
  if (!x.linear || !y.linear) return undefined;
  const others = splits(g, y);
  for (const { coefficient: p, tangent } of splits(g, x)) {
    const match = others.find((other) => other.tangent === tangent);
    if (match === undefined || (p === undefined && match.coefficient === undefined)) continue;
    const one = g.uniform(1, [], tangent.dtype);
    return multiply(g, add(g, p ?? one, match.coefficient ?? one), tangent);
  }
  return undefined;
}

/** A linear node as coefficient times a linear factor, in every way that its product admits, from the whole node down to its tangent. */
function splits(g: GraphBuilder, x: GraphNode): { coefficient: GraphNode | undefined; tangent: GraphNode }[] {
  const found: { coefficient: GraphNode | undefined; tangent: GraphNode }[] = [];
  let [coefficient, tangent]: [GraphNode | undefined, GraphNode] = [undefined, x];
  for (;;) {
    found.push({ coefficient, tangent });
    if (!isOp(tangent, 'mul')) return found;
    const [a, b] = tangent.inputs as [GraphNode, GraphNode];
    if (a.linear === b.linear) return found;
    const factor: GraphNode = a.linear ? b : a;
    coefficient = coefficient === undefined ? factor : multiply(g, coefficient, factor);
    tangent = a.linear ? a : b;
  }
}

/** a b: zeros and ones vanish, scales gather in front, and coefficients of a tangent are multiplied together before it. */
export function multiply(g: GraphBuilder, a: GraphNode, b: GraphNode): GraphNode {
  return elementwise(g, [a, b], ([x, y], shape) => multiplyParts(g, x as GraphNode, y as GraphNode, shape, a.dtype));
}

function multiplyParts(g: GraphBuilder, x: GraphNode, y: GraphNode, shape: number[], dtype: GraphDType): GraphNode {
  const [u, v] = [uniformValue(x), uniformValue(y)];
  if (u === 0 || v === 0) return g.uniform(0, shape, dtype);
  if (u !== undefined && v !== undefined) return g.uniform(u * v, shape, dtype);
  if (v !== undefined) return multiplyParts(g, y, x, shape, dtype);
  if (dtype === 'float32' || dtype === 'float64') {
    const gathered = gatherScale(g, x, y, shape, dtype);
    if (gathered !== undefined) return gathered;
    const normalized = normalization(g, x, y) ?? normalization(g, y, x);
    const rewritten =
      normalized ??
      sigmoidDerivative(g, x, y) ??
      siluFirst(g, x, y) ??
      siluFirst(g, y, x) ??
      reassociate(g, x, y) ??
      reassociate(g, y, x);
    if (rewritten !== undefined) return rewritten;
  }
  if (u === 1) return broadcast(g, y, shape);
  return g.node('mul', x.id <= y.id || u !== undefined ? [x, y] : [y, x], null, shape, dtype);
}

/** (c x') (d y') = (c d) (x' y'). */
function gatherScale(
  g: GraphBuilder,
  x: GraphNode,
  y: GraphNode,
  shape: number[],
  dtype: GraphDType,
): GraphNode | undefined {
  const [p, q] = [scaled(x), scaled(y)];
  const ux = uniformValue(x);
  const scale = (ux ?? p.scale) * q.scale;
  if (q.scale === 1 && (ux !== undefined || p.scale === 1)) return undefined;
  const rest = ux !== undefined ? q.rest : multiply(g, p.rest, q.rest);
  return broadcast(g, scale === 1 ? rest : applyScale(g, scale, rest, dtype), shape);
}

/** scale * rest, the scale going into a cheap or tangent-free coefficient of `rest` where there is one. */
function applyScale(g: GraphBuilder, scale: number, rest: GraphNode, dtype: GraphDType): GraphNode {
  const value = uniformValue(rest);
  if (value !== undefined) return g.uniform(scale * value, rest.shape, dtype);
  const uniform = g.uniform(scale, [], dtype);
  if (isOp(rest, 'mul')) {
    const [a, b] = rest.inputs as [GraphNode, GraphNode];
    const own = uniformValue(a);
    if (own !== undefined) return scale * own === 1 ? b : applyScale(g, scale * own, b, dtype);
    const cheap = (q: GraphNode, t: GraphNode): boolean => workOf(q) < workOf(t) || (t.linear && !q.linear);
    if (cheap(a, b)) return g.node('mul', [applyScale(g, scale, a, dtype), b], null, rest.shape, dtype);
    if (cheap(b, a)) return g.node('mul', [applyScale(g, scale, b, dtype), a], null, rest.shape, dtype);
  }
  return g.node('mul', [uniform, rest], null, rest.shape, dtype);
}

/**
 * p (q t) = (p q) t where t is larger than p q: the largest factor comes last. Where they are equally large nothing is won, and q t may be
 * at hand for other uses.
 */
function reassociate(g: GraphBuilder, p: GraphNode, product: GraphNode): GraphNode | undefined {
  if (!isOp(product, 'mul')) return undefined;
  const [a, b] = product.inputs as [GraphNode, GraphNode];
  for (const [q, t] of [
    [a, b],
    [b, a],
  ] as const) {
    const gathered = sizeOf(jointShape([p.shape, q.shape]));
    if (workOf(t) > gathered && uniformValue(q) === undefined) return multiply(g, multiply(g, p, q), t);
  }
  return undefined;
}

/** x (s v) = (x s) v for s = sigmoid(x): the product x s, the SiLU, is at hand. */
function siluFirst(g: GraphBuilder, x: GraphNode, product: GraphNode): GraphNode | undefined {
  if (!isOp(product, 'mul')) return undefined;
  const [a, b] = product.inputs as [GraphNode, GraphNode];
  const [gate, v] = isOp(a, 'sigmoid') ? [a, b] : [b, a];
  const isSilu = isOp(gate, 'sigmoid') && gate.inputs[0] === x && v !== x && v !== gate;
  return isSilu ? multiply(g, multiply(g, x, gate), v) : undefined;
}

/**
 * A product that holds s^2 and e, with s = sigmoid(x) and e = exp(-x), as s (1 - s) times the rest: the form that automatic
 * differentiation gives overflows for x < -88 in float32.
 */
function sigmoidDerivative(g: GraphBuilder, x: GraphNode, y: GraphNode): GraphNode | undefined {
  const factors = [...factorsOf(x), ...factorsOf(y)];
  const square = factors.find((f) => isSquareOf(f, 'sigmoid'));
  if (square === undefined) return undefined;
  const s = square.inputs[0] as GraphNode;
  const decay = factors.find((f) => {
    const { rest } = scaled(f);
    return isOp(rest, 'exp') && negate(g, rest.inputs[0] as GraphNode) === s.inputs[0];
  });
  if (decay === undefined) return undefined;
  const one = g.uniform(1, [], s.dtype);
  const scale = g.uniform(scaled(decay).scale, [], s.dtype);
  const slope = multiply(g, scale, multiply(g, s, subtract(g, one, s)));
  const rest = factors.filter((f) => f !== square && f !== decay);
  return rest.reduce((product, f) => multiply(g, product, f), slope);
}

function isSquareOf(f: GraphNode, op: UnaryOp): boolean {
  return isOp(f, 'mul') && f.inputs[0] === f.inputs[1] && isOp(f.inputs[0] as GraphNode, op);
}

/** The factors of a product down to squares, powers left whole. */
function factorsOf(x: GraphNode): readonly GraphNode[] {
  return isOp(x, 'mul') && x.inputs[0] !== x.inputs[1] ? x.inputs.flatMap(factorsOf) : [x];
}

/** The remaining elementwise operations of two operands. */
export function binary(
  g: GraphBuilder,
  op: Exclude<BinaryOp, 'add' | 'sub' | 'mul'>,
  a: GraphNode,
  b: GraphNode,
): GraphNode {
  const dtype: GraphDType = op === 'less' || op === 'lessEqual' || op === 'equal' ? 'bool' : a.dtype;
  return elementwise(g, [a, b], ([x, y], shape) => {
    const [u, v] = [uniformValue(x as GraphNode), uniformValue(y as GraphNode)];
    if (u !== undefined && v !== undefined) return g.uniform(binaryValues[op](u, v), shape, dtype);
    return g.node(op, [x as GraphNode, y as GraphNode], null, shape, dtype);
  });
}

/** condition ? a : b, elementwise. */
export function where(g: GraphBuilder, condition: GraphNode, a: GraphNode, b: GraphNode): GraphNode {
  if (a === b && sameShape(a.shape, jointShape([condition.shape, a.shape]))) return a;
  return elementwise(g, [condition, a, b], (parts, shape) => {
    const value = uniformValue(parts[0] as GraphNode);
    if (value !== undefined) return broadcast(g, parts[value === 0 ? 2 : 1] as GraphNode, shape);
    return g.node('where', parts, null, shape, a.dtype);
  });
}

/** Converts the element type; floats truncate towards zero when they become integers. */
export function cast(g: GraphBuilder, x: GraphNode, dtype: GraphDType): GraphNode {
  if (x.dtype === dtype) return x;
  const value = uniformValue(x);
  if (value !== undefined) {
    const folded = dtype === 'bool' ? Number(value !== 0) : dtype === 'int32' ? Math.trunc(value) : value;
    return g.uniform(folded, x.shape, dtype);
  }
  return g.node('cast', [x], null, x.shape, dtype);
}
