import { sameShape, sizeOf } from '../../../tensor/tensor.ts';
import type { JaxArray, JaxLibrary } from '../../jax.ts';
import type { OperatorCall } from '../call.ts';
import { lift } from '../call.ts';
import { broadcastHost, concatenateHost, sliceHost, transposeHost } from '../host/movement.ts';
import type { HostValue, OnnxValue } from '../value.ts';
import { hostValue, kindOf, shapeOfValue, tracedValue } from '../value.ts';

// Moves of elements over values of either kind: known stays known. As in jax-js, each consumes its operand.

/** The same elements in order under another shape. */
export function reshape(x: OnnxValue, shape: readonly number[]): OnnxValue {
  if (x.kind === 'host') return { ...x, shape: [...shape] };
  return sameShape(x.array.shape, shape) ? x : tracedValue(x.array.reshape([...shape]));
}

/** Axes in another order. */
export function transpose(x: OnnxValue, perm: readonly number[]): OnnxValue {
  if (perm.every((p, i) => p === i)) return x;
  return x.kind === 'host' ? transposeHost(x, perm) : tracedValue(x.array.transpose([...perm]));
}

/** NumPy broadcast_to. */
export function broadcast(jax: JaxLibrary, x: OnnxValue, shape: readonly number[]): OnnxValue {
  if (sameShape(shapeOfValue(x), shape)) return x;
  return x.kind === 'host' ? broadcastHost(x, shape) : tracedValue(jax.numpy.broadcastTo(x.array, [...shape]));
}

/** `counts` elements along every axis from `starts` on, `steps` apart; steps may be negative, every place must exist. */
export function slice(
  jax: JaxLibrary,
  x: OnnxValue,
  starts: readonly number[],
  counts: readonly number[],
  steps: readonly number[] = starts.map(() => 1),
): OnnxValue {
  if (x.kind === 'host') return sliceHost(x, starts, counts, steps);
  return tracedValue(sliceArray(jax, x.array, starts, counts, steps));
}

function sliceArray(
  jax: JaxLibrary,
  x: JaxArray,
  starts: readonly number[],
  counts: readonly number[],
  steps: readonly number[],
): JaxArray {
  if (sizeOf(counts) === 0) {
    const empty = jax.numpy.zeros([...counts], { dtype: x.dtype });
    x.dispose();
    return empty;
  }
  let part = x;
  const reversed: number[] = [];
  counts.forEach((count, axis) => {
    const [start, step] = [starts[axis] as number, steps[axis] as number];
    if (count > 1 && step < 0) reversed.push(axis);
    const first = step < 0 ? start + (count - 1) * step : start;
    part = everyOther(jax, part, axis, first, count, count > 1 ? Math.abs(step) : 1);
  });
  return reversed.length === 0 ? part : jax.numpy.flip(part, reversed);
}

/**
 * `count` elements of one axis from `first` on, `step` apart: that axis is cut in runs of `step`, of which one place is kept. A window with
 * strides would do it at once, but jax-js cannot map it over a block of tangents.
 */
function everyOther(jax: JaxLibrary, x: JaxArray, axis: number, first: number, count: number, step: number): JaxArray {
  const { shape } = x;
  const size = shape[axis] as number;
  // The runs may begin up to step - 1 elements earlier where there are too few behind the last one.
  const begin = Math.max(0, Math.min(first, size - count * step));
  const end = begin + count * step;
  const place = first - begin;
  const along = (range: [number, number], all: readonly number[], at: number): [number, number][] =>
    all.map((d, i) => (i === at ? range : [0, d]));
  const cut = begin === 0 && end >= size ? x : x.slice(...along([begin, Math.min(end, size)], shape, axis));
  if (step === 1) return cut;
  const whole = end > size ? jax.numpy.pad(cut, { [axis]: [0, end - size] }) : cut;
  const runs = shape.toSpliced(axis, 1, count, step);
  return whole
    .reshape(runs)
    .slice(...along([place, place + 1], runs, axis + 1))
    .reshape(shape.with(axis, count));
}

/** Elements [start, start + count) of one axis. */
export function sliceAxis(jax: JaxLibrary, x: OnnxValue, axis: number, start: number, count: number): OnnxValue {
  const shape = shapeOfValue(x);
  return slice(
    jax,
    x,
    shape.map((_, i) => (i === axis ? start : 0)),
    shape.map((d, i) => (i === axis ? count : d)),
  );
}

/** Joined along one axis; known parts become arrays beside traced ones, empty parts vanish. */
export function concatenate(call: OperatorCall, parts: readonly OnnxValue[], axis: number): OnnxValue {
  const full = parts.filter((part) => shapeOfValue(part)[axis] !== 0);
  const used = full.length === 0 ? parts.slice(0, 1) : full;
  if (used.length === 1) return used[0] as OnnxValue;
  if (used.every((part): part is HostValue => part.kind === 'host')) return concatenateHost(used, axis);
  const arrays = used.map((part) => (part.kind === 'host' ? lift(call.jax, part, call.dtype) : part.array));
  return tracedValue(call.jax.numpy.concatenate(arrays, axis));
}

/** `value` around `x`; negative widths cut off. */
export function pad(
  call: OperatorCall,
  x: OnnxValue,
  widths: readonly (readonly [number, number])[],
  value: number,
): OnnxValue {
  const shape = shapeOfValue(x);
  const starts = widths.map(([begin]) => Math.max(-begin, 0));
  const counts = shape.map((d, i) => d - (starts[i] as number) - Math.max(-(widths[i]?.[1] ?? 0), 0));
  let padded = slice(call.jax, x, starts, counts);
  const grown = widths.map(([a, b]): [number, number] => [Math.max(a, 0), Math.max(b, 0)]);
  if (padded.kind === 'traced' && value === 0) {
    return grown.every(([a, b]) => a + b === 0) ? padded : tracedValue(call.jax.numpy.pad(padded.array, grown));
  }
  grown.forEach((sides, axis) => {
    const [before, after] = sides.map((size) => filled(shapeOfValue(padded).with(axis, size), value, padded));
    padded = concatenate(call, [before as OnnxValue, padded, after as OnnxValue], axis);
  });
  return padded;
}

function filled(shape: readonly number[], value: number, like: OnnxValue): OnnxValue {
  return hostValue(kindOf(like), shape, new Float64Array(sizeOf(shape)).fill(value));
}
