import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { lift } from '../call.ts';
import { mapHost, uniformOf } from '../host/elementwise.ts';
import { jointShape } from '../host/view.ts';
import type { OnnxValue } from '../value.ts';
import { kindOf, shapeOfValue, tracedValue } from '../value.ts';
import { scalar } from './constant.ts';
import { broadcast } from './moves.ts';

function hostsOf(call: OperatorCall): Parameters<typeof mapHost>[1] {
  return call.inputs.map((_, i) => call.host(i));
}

function comparison(
  numbers: (a: number, b: number) => boolean,
  arrays: (call: OperatorCall, a: JaxArray, b: JaxArray) => JaxArray,
): OperatorRule {
  return (call) => {
    if (call.allHost) return mapHost('bool', hostsOf(call), (a, b) => Number(numbers(a, b)));
    return tracedValue(arrays(call, call.array(0), call.array(1)));
  };
}

/** The operand as truth values: an argument stands for them as 0 or 1. */
function truth(call: OperatorCall, value: OnnxValue): JaxArray {
  const x = lift(call.jax, value, call.dtype);
  return kindOf(value) === 'bool' ? x : call.jax.numpy.notEqual(x, 0);
}

/** jax-js's own connectives add and multiply booleans, which ONNX Runtime does not. */
function connective(
  numbers: (a: boolean, b: boolean) => boolean,
  arrays: (call: OperatorCall, a: JaxArray, b: JaxArray) => JaxArray,
): OperatorRule {
  return (call) => {
    if (call.allHost) return mapHost('bool', hostsOf(call), (a, b) => Number(numbers(a !== 0, b !== 0)));
    const one = (index: number): JaxArray => {
      const { numpy: np } = call.jax;
      return np.where(truth(call, call.value(index)), scalar(call, 1), scalar(call, 0));
    };
    return tracedValue(arrays(call, one(0), one(1)));
  };
}

const not: OperatorRule = (call) => {
  if (call.allHost) return mapHost('bool', hostsOf(call), (a) => Number(a === 0));
  return tracedValue(call.jax.numpy.equal(call.array(0).astype(call.floatType), 0));
};

/** condition ? a : b, broadcast together; a known condition that is the same everywhere chooses at once. Consumes nothing. */
export function select(call: OperatorCall, condition: OnnxValue, a: OnnxValue, b: OnnxValue): OnnxValue {
  if (condition.kind === 'host' && a.kind === 'host' && b.kind === 'host') {
    return mapHost(a.type, [condition, a, b], (c, x, y) => (c === 0 ? y : x));
  }
  const choice = condition.kind === 'host' ? uniformOf(condition) : undefined;
  if (choice === undefined) {
    const [x, y] = [lift(call.jax, a, call.dtype), lift(call.jax, b, call.dtype)];
    return tracedValue(call.jax.numpy.where(truth(call, condition), x, y));
  }
  const shape = jointShape([condition, a, b].map(shapeOfValue)) ?? call.fail('expected shapes that broadcast.');
  const chosen = choice === 0 ? b : a;
  return broadcast(call.jax, chosen.kind === 'host' ? chosen : tracedValue(chosen.array.ref), shape);
}

/** Element types of ONNX by number, as far as they matter here: every float is the float of the trace. */
const kinds: Readonly<Record<number, 'float' | 'int' | 'bool'>> = {
  1: 'float', 10: 'float', 11: 'float', 16: 'float',
  2: 'int', 3: 'int', 4: 'int', 5: 'int', 6: 'int', 7: 'int', 12: 'int', 13: 'int', 9: 'bool',
}; // prettier-ignore

function convert(call: OperatorCall, kind: 'float' | 'int' | 'bool'): OnnxValue {
  const x = call.value(0);
  const { numpy: np } = call.jax;
  if (x.kind === 'host') {
    const converted = { float: (v: number) => v, int: Math.trunc, bool: (v: number) => Number(v !== 0) }[kind];
    return mapHost(kind, [x], (v) => converted(v));
  }
  if (kindOf(x) === kind) return call.operand(0);
  if (kind === 'bool') return tracedValue(truth(call, x));
  return tracedValue(call.array(0).astype(kind === 'int' ? np.int32 : call.floatType));
}

/** What an element type of ONNX becomes. @throws ModelError for text and complex numbers */
export function elementKind(call: OperatorCall, type: number): 'float' | 'int' | 'bool' {
  return kinds[type] ?? call.fail(`makes elements of type ${type}, which have no place here.`);
}

const isInfinite: OperatorRule = (call) => {
  const [below, above] = [call.int('detect_negative', 1) !== 0, call.int('detect_positive', 1) !== 0];
  if (call.allHost) {
    return mapHost('bool', hostsOf(call), (v) => Number((above && v === Infinity) || (below && v === -Infinity)));
  }
  const x = call.array(0);
  const signed = above && below ? call.jax.numpy.absolute(x) : above ? x : x.neg();
  return tracedValue(call.jax.numpy.equal(signed, scalar(call, above || below ? Infinity : NaN)));
};

const isNotANumber: OperatorRule = (call) => {
  if (call.allHost) return mapHost('bool', hostsOf(call), (v) => Number(Number.isNaN(v)));
  return tracedValue(call.jax.numpy.notEqual(call.array(0), call.array(0)));
};

/** Comparisons, connectives, choices and conversions between kinds of numbers. */
export const logicRules: OperatorRules = {
  Equal: comparison((a, b) => a === b, (call, a, b) => call.jax.numpy.equal(a, b)),
  Less: comparison((a, b) => a < b, (call, a, b) => call.jax.numpy.less(a, b)),
  LessOrEqual: comparison((a, b) => a <= b, (call, a, b) => call.jax.numpy.lessEqual(a, b)),
  Greater: comparison((a, b) => a > b, (call, a, b) => call.jax.numpy.greater(a, b)),
  GreaterOrEqual: comparison((a, b) => a >= b, (call, a, b) => call.jax.numpy.greaterEqual(a, b)),
  And: connective((a, b) => a && b, (call, a, b) => call.jax.numpy.notEqual(a.mul(b), 0)),
  Or: connective((a, b) => a || b, (call, a, b) => call.jax.numpy.notEqual(a.add(b), 0)),
  Xor: connective((a, b) => a !== b, (call, a, b) => call.jax.numpy.notEqual(a, b)),
  Not: not,
  Where: (call) => select(call, call.value(0), call.value(1), call.value(2)),
  Cast: (call) => convert(call, elementKind(call, call.int('to'))),
  CastLike: (call) => convert(call, kindOf(call.value(1))),
  IsInf: isInfinite,
  IsNaN: isNotANumber,
}; // prettier-ignore
