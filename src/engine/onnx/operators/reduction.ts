import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { cumulateHost, reduceHost } from '../host/reduction.ts';
import type { HostValue, OnnxValue } from '../value.ts';
import { hostValue, tracedValue } from '../value.ts';
import { constant, scalar } from './constant.ts';
import { reshape } from './moves.ts';

type Axes = number[];

/** One number made of many, and the same along axes of an array, which it consumes; the axes are dropped. */
interface Reducer {
  readonly numbers: (group: readonly number[]) => number;
  readonly arrays: (call: OperatorCall, x: JaxArray, axes: Axes) => JaxArray;
}

/** Axes are an attribute in older operator sets and an input since 18 (ReduceSum: 13); none means all, or none with a flag. */
function reduction({ numbers, arrays }: Reducer): OperatorRule {
  return (call) => {
    const shape = call.shape(0);
    const listed = call.integersOf('axes', 1) ?? [];
    const all = listed.length === 0 && call.int('noop_with_empty_axes', 0) === 0;
    const axes = all ? shape.map((_, i) => i) : listed.map((axis) => call.axis(axis, shape.length));
    const x = call.value(0);
    const reduced: OnnxValue =
      x.kind === 'host' ? reduceHost(x, axes, numbers) : tracedValue(arrays(call, x.array.ref, axes));
    return call.int('keepdims', 1) === 0
      ? reduced
      : reshape(
          reduced,
          shape.map((d, i) => (axes.includes(i) ? 1 : d)),
        );
  };
}

const total = (group: readonly number[]): number => group.reduce((a, b) => a + b, 0);
const sum = (x: JaxArray, axes: Axes): JaxArray => (axes.length === 0 ? x : x.sum(axes));
const square = (x: JaxArray): JaxArray => x.ref.mul(x);

const mean: Reducer = {
  numbers: (group) => total(group) / group.length,
  arrays: (call, x, axes) => {
    const count = axes.reduce((product, axis) => product * (x.shape[axis] as number), 1);
    return sum(x, axes).mul(scalar(call, 1 / count));
  },
};

/** The largest term is taken out, and held constant: the result does not depend on it. */
const logSumExp: Reducer = {
  numbers: (group) => {
    const top = Math.max(...group);
    return top + Math.log(total(group.map((v) => Math.exp(v - top))));
  },
  arrays: ({ jax: { numpy: np, lax } }, x, axes) => {
    if (axes.length === 0) return x;
    const top = lax.stopGradient(np.max(x.ref, axes, { keepdims: true }));
    const rest = np.log(np.exp(x.sub(top.ref)).sum(axes));
    return rest.ref.add(top.reshape([...rest.shape]));
  },
};

const extreme = (kind: 'max' | 'min'): Reducer => ({
  numbers: (group) => group.reduce((a, b) => Math[kind](a, b)),
  arrays: ({ jax: { numpy: np } }, x, axes) => (axes.length === 0 ? x : np[kind](x, axes)),
});

/** The first place of the extreme value along one axis, or the last with a flag. */
function extremePlace(kind: 'argmax' | 'argmin'): OperatorRule {
  return (call) => {
    const shape = call.shape(0);
    const axis = call.axis(call.int('axis', 0), shape.length);
    const fromLast = call.int('select_last_index', 0) === 1;
    const x = call.value(0);
    const places = x.kind === 'host' ? placesOf(x, axis, kind, fromLast) : tracedPlaces(call, axis, kind, fromLast);
    return reshape(places, call.int('keepdims', 1) === 1 ? shape.with(axis, 1) : shape.toSpliced(axis, 1));
  };
}

function placesOf(x: HostValue, axis: number, kind: 'argmax' | 'argmin', fromLast: boolean): HostValue {
  const find = (group: readonly number[]): number => {
    const best = kind === 'argmax' ? Math.max(...group) : Math.min(...group);
    return fromLast ? group.lastIndexOf(best) : group.indexOf(best);
  };
  return reduceHost(x, [axis], find, 'int');
}

function tracedPlaces(call: OperatorCall, axis: number, kind: 'argmax' | 'argmin', fromLast: boolean): OnnxValue {
  const { numpy: np } = call.jax;
  const x = call.array(0);
  if (!fromLast) return tracedValue(np[kind](x, axis));
  const last = (x.shape[axis] as number) - 1;
  return tracedValue(np[kind](np.flip(x, axis), axis).neg().add(last));
}

/** A product with a triangular matrix of ones: differentiable both ways, and one operator in the end. */
const cumulated: OperatorRule = (call) => {
  const axis = call.axis(call.integers(1)[0] as number, call.shape(0).length);
  const options = { exclusive: call.int('exclusive', 0) === 1, reverse: call.int('reverse', 0) === 1 };
  const x = call.value(0);
  if (x.kind === 'host') return cumulateHost(x, axis, options);
  const n = x.array.shape[axis] as number;
  const identity = Float64Array.from({ length: n * n }, (_, k) => Number(Math.floor(k / n) === k % n));
  // Row j of the sums of unit vectors says into which places element j goes.
  const spread = cumulateHost(hostValue('float', [n, n], identity), 1, options);
  const { numpy: np } = call.jax;
  const summed = np.matmul(np.moveaxis(call.array(0), axis, -1), constant(call, [n, n], spread.data));
  return tracedValue(np.moveaxis(summed, -1, axis));
};

/** Operators that take many numbers together. */
export const reductionRules: OperatorRules = {
  ReduceSum: reduction({ numbers: total, arrays: (_, x, axes) => sum(x, axes) }),
  ReduceMean: reduction(mean),
  ReduceMax: reduction(extreme('max')),
  ReduceMin: reduction(extreme('min')),
  ReduceProd: reduction({
    numbers: (group) => group.reduce((a, b) => a * b, 1),
    arrays: (call, x, axes) => (axes.length === 0 ? x : call.jax.numpy.prod(x, axes)),
  }),
  ReduceL1: reduction({
    numbers: (group) => total(group.map(Math.abs)),
    arrays: (call, x, axes) => sum(call.jax.numpy.absolute(x), axes),
  }),
  ReduceL2: reduction({
    numbers: (group) => Math.sqrt(total(group.map((v) => v * v))),
    arrays: (call, x, axes) => call.jax.numpy.sqrt(sum(square(x), axes)),
  }),
  ReduceSumSquare: reduction({
    numbers: (group) => total(group.map((v) => v * v)),
    arrays: (_, x, axes) => sum(square(x), axes),
  }),
  ReduceLogSum: reduction({
    numbers: (group) => Math.log(total(group)),
    arrays: (call, x, axes) => call.jax.numpy.log(sum(x, axes)),
  }),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: extremePlace('argmax'),
  ArgMin: extremePlace('argmin'),
  CumSum: cumulated,
};
