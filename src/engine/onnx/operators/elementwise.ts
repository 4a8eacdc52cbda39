import { sameShape } from '../../../tensor/tensor.ts';
import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { mapHost, roundHalfEven, uniformOf } from '../host/elementwise.ts';
import { allocateHost, jointShape } from '../host/view.ts';
import { hostValue, kindOf, tracedValue } from '../value.ts';
import type { HostValue } from '../value.ts';
import { scalar } from './constant.ts';
import { power } from './power.ts';

/** One function of numbers, and the same of arrays, which it consumes. */
interface Pointwise {
  /** Left out where doubles lack the function: it is then traced. */
  readonly numbers?: (...values: number[]) => number;
  readonly arrays: (call: OperatorCall, ...operands: JaxArray[]) => JaxArray;
}

function pointwise({ numbers, arrays }: Pointwise): OperatorRule {
  return (call) => {
    if (call.allHost && numbers !== undefined) return mapHost(call.host(0).type, hosts(call), numbers);
    return tracedValue(arrays(call, ...operandsOf(call)));
  };
}

/** The operands as arrays; a known one of one value that does not decide on the shape of the result is a number, which simplifies. */
function operandsOf(call: OperatorCall): JaxArray[] {
  const whole = call.inputs.some((value, i) => value?.kind === 'traced' && isJoint(call, i));
  return call.inputs.map((value, i) => {
    const number = whole && value?.kind === 'host' && value.type === 'float' ? uniformOf(value) : undefined;
    return number === undefined ? call.array(i) : scalar(call, number);
  });
}

/** Whether operand `index` has the shape of the result. */
function isJoint(call: OperatorCall, index: number): boolean {
  const joint = jointShape(call.inputs.map((_, i) => call.shape(i)));
  return joint !== undefined && sameShape(joint, call.shape(index));
}

function hosts(call: OperatorCall): HostValue[] {
  return call.inputs.map((_, i) => call.host(i));
}

const unary = (numbers: (v: number) => number, arrays: (call: OperatorCall, x: JaxArray) => JaxArray): OperatorRule =>
  pointwise({ numbers, arrays: (call, x) => arrays(call, x) });

const binary = (
  numbers: (a: number, b: number) => number,
  arrays: (call: OperatorCall, a: JaxArray, b: JaxArray) => JaxArray,
): OperatorRule => pointwise({ numbers, arrays: (call, a, b) => arrays(call, a, b) });

/** Any number of operands, taken together two at a time. */
function variadic(
  numbers: (a: number, b: number) => number,
  arrays: (call: OperatorCall, a: JaxArray, b: JaxArray) => JaxArray,
): OperatorRule {
  return pointwise({
    numbers: (...values) => values.reduce((a, b) => numbers(a, b)),
    arrays: (call, ...operands) => operands.reduce((a, b) => arrays(call, a, b)),
  });
}

const isWhole = (call: OperatorCall): boolean => call.inputs.every((x) => x !== undefined && kindOf(x) === 'int');

/** Whole numbers divide towards zero. */
const divided: OperatorRule = (call) => {
  if (call.allHost && call.host(0).type === 'int') {
    if (call.host(1).data.includes(0)) call.fail('divides a known integer by zero.');
    return mapHost('int', hosts(call), (a, b) => Math.trunc(a / b));
  }
  if (call.allHost) return mapHost('float', hosts(call), (a, b) => a / b);
  const [a, b] = [call.array(0), call.array(1)];
  if (!isWhole(call)) return tracedValue(a.div(b));
  return tracedValue(a.astype(call.floatType).div(b.astype(call.floatType)).astype(call.jax.numpy.int32));
};

/** The remainder has the sign of the divisor, or with `fmod` that of the dividend. */
const remainder: OperatorRule = (call) => {
  const isC = call.int('fmod', 0) === 1;
  if (call.allHost) {
    return mapHost(call.host(0).type, hosts(call), (a = 0, b = 0) => (isC ? a % b : a - b * Math.floor(a / b)));
  }
  // Written out: the derivative of jax-js's own remainder is an integer division, which has no ONNX form.
  const [a, b] = [call.array(0), call.array(1)];
  const [dividend, divisor] = isWhole(call)
    ? [a.ref.astype(call.floatType), b.ref.astype(call.floatType)]
    : [a.ref, b.ref];
  const quotient = dividend.div(divisor);
  const times = isC ? truncated(call, quotient) : call.jax.numpy.floor(quotient);
  return tracedValue(a.sub(b.mul(isWhole(call) ? times.astype(call.jax.numpy.int32) : times)));
};

function truncated({ jax: { numpy: np } }: OperatorCall, x: JaxArray): JaxArray {
  return np.where(np.less(x.ref, 0), np.ceil(x.ref), np.floor(x));
}

/** jax-js's own rounding multiplies booleans, which ONNX Runtime does not. */
function rounded(call: OperatorCall, x: JaxArray): JaxArray {
  const { numpy: np } = call.jax;
  const below = np.floor(x.ref);
  const above = below.ref.add(1);
  const rest = x.sub(below.ref);
  const even = np.floor(above.ref.mul(0.5)).mul(2);
  return np.where(np.less(rest.ref, 0.5), below, np.where(np.less(scalar(call, 0.5), rest), above, even));
}

const sign = (call: OperatorCall, x: JaxArray): JaxArray => {
  const { numpy: np } = call.jax;
  const [minus, zero, plus] = [-1, 0, 1].map((v) => scalar(call, v)) as [JaxArray, JaxArray, JaxArray];
  return np.where(np.less(x.ref, 0), minus, np.where(np.greater(x, 0), plus, zero));
};

/** Either bound may be left out. */
const clipped: OperatorRule = (call) => {
  const { numpy: np } = call.jax;
  if (call.allHost) {
    const bound = (index: number, open: number): number =>
      call.has(index) ? (call.host(index).data[0] ?? open) : open;
    const [low, high] = [bound(1, -Infinity), bound(2, Infinity)];
    return mapHost(call.host(0).type, [call.host(0)], (v) => Math.min(Math.max(v, low), high));
  }
  let x = call.array(0);
  if (call.has(1)) x = np.maximum(x, call.array(1));
  if (call.has(2)) x = np.minimum(x, call.array(2));
  return tracedValue(x);
};

/** In use, nothing is dropped: the mask, where asked for, is true everywhere. */
const dropout: OperatorRule = (call) => {
  if (call.has(2) && call.host(2).data[0] !== 0) call.fail('is in training mode. Export with model.eval().');
  if (call.node.outputs.length === 1) return call.operand(0);
  const shape = call.shape(0);
  return [call.operand(0), hostValue('bool', shape, allocateHost(shape).fill(1))];
};

const halves = (call: OperatorCall, x: JaxArray, join: (up: JaxArray, down: JaxArray) => JaxArray): JaxArray => {
  const up = call.jax.numpy.exp(x);
  return join(up.ref, call.jax.numpy.reciprocal(up)).mul(0.5);
};

/** Arithmetic and functions of one place at a time. */
export const elementwiseRules: OperatorRules = {
  Add: binary((a, b) => a + b, (_, a, b) => a.add(b)), // prettier-ignore
  Sub: binary((a, b) => a - b, (_, a, b) => a.sub(b)), // prettier-ignore
  Mul: binary((a, b) => a * b, (_, a, b) => a.mul(b)), // prettier-ignore
  Div: divided,
  Mod: remainder,
  Pow: power,
  Neg: unary((v) => -v, (_, x) => x.neg()), // prettier-ignore
  Abs: unary(Math.abs, (call, x) => call.jax.numpy.absolute(x)),
  Sign: unary(Math.sign, sign),
  Floor: unary(Math.floor, (call, x) => call.jax.numpy.floor(x)),
  Ceil: unary(Math.ceil, (call, x) => call.jax.numpy.ceil(x)),
  Round: unary(roundHalfEven, rounded),
  Sqrt: unary(Math.sqrt, (call, x) => call.jax.numpy.sqrt(x)),
  Reciprocal: unary((v) => 1 / v, (call, x) => call.jax.numpy.reciprocal(x)), // prettier-ignore
  Exp: unary(Math.exp, (call, x) => call.jax.numpy.exp(x)),
  Log: unary(Math.log, (call, x) => call.jax.numpy.log(x)),
  Sin: unary(Math.sin, (call, x) => call.jax.numpy.sin(x)),
  Cos: unary(Math.cos, (call, x) => call.jax.numpy.cos(x)),
  Tan: unary(Math.tan, (call, x) => call.jax.numpy.tan(x)),
  Asin: unary(Math.asin, (call, x) => call.jax.numpy.asin(x)),
  Acos: unary(Math.acos, (call, x) => scalar(call, Math.PI / 2).sub(call.jax.numpy.asin(x))),
  Atan: unary(Math.atan, (call, x) => call.jax.numpy.atan(x)),
  Sinh: unary(Math.sinh, (call, x) => halves(call, x, (up, down) => up.sub(down))),
  Cosh: unary(Math.cosh, (call, x) => halves(call, x, (up, down) => up.add(down))),
  // 2 sigmoid(2 x) - 1: as exact as jax-js's own form, which takes eight operations, a comparison among them.
  Tanh: unary(Math.tanh, (call, x) => call.jax.nn.sigmoid(x.mul(2)).mul(2).sub(1)),
  Erf: pointwise({ arrays: (call, x) => call.jax.lax.erf(x) }),
  Sigmoid: unary((v) => 1 / (1 + Math.exp(-v)), (call, x) => call.jax.nn.sigmoid(x)), // prettier-ignore
  Relu: unary((v) => Math.max(v, 0), (call, x) => call.jax.numpy.maximum(x, 0)), // prettier-ignore
  Min: variadic(Math.min, (call, a, b) => call.jax.numpy.minimum(a, b)),
  Max: variadic(Math.max, (call, a, b) => call.jax.numpy.maximum(a, b)),
  Sum: variadic((a, b) => a + b, (_, a, b) => a.add(b)), // prettier-ignore
  Mean: pointwise({
    numbers: (...values) => values.reduce((a, b) => a + b) / values.length,
    arrays: (call, ...operands) => operands.reduce((a, b) => a.add(b)).mul(scalar(call, 1 / operands.length)),
  }),
  Clip: clipped,
  Identity: (call) => call.operand(0),
  Dropout: dropout,
};
