import { showShape, sizeOf } from '../../../tensor/tensor.ts';
import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { lift } from '../call.ts';
import { allocateHost, pick, positions, stridesOf } from '../host/view.ts';
import { concatenateHost } from '../host/movement.ts';
import type { HostValue, OnnxValue } from '../value.ts';
import { hostValue, tracedValue } from '../value.ts';
import { reshape, slice } from './moves.ts';

/** Known indices counted from the front. @throws ModelError for one that names no element */
function wrapped(call: OperatorCall, index: number, size: number): number {
  const positive = index < 0 ? index + size : index;
  if (positive >= 0 && positive < size && Number.isInteger(index)) return positive;
  return call.fail(`expected indices of an axis of size ${size}, got ${index}.`);
}

/** Known indices that step evenly are a slice, whose derivative is a pad; others are looked up. */
const gathered: OperatorRule = (call) => {
  const shape = call.shape(0);
  const axis = call.axis(call.int('axis', 0), shape.length);
  const indices = call.value(1);
  const target = shape.toSpliced(axis, 1, ...call.shape(1));
  if (indices.kind === 'traced') {
    const at = indices.array.ref.astype(call.jax.numpy.int32);
    return tracedValue(call.jax.numpy.take(call.array(0), at, axis));
  }
  const size = shape[axis] as number;
  const listed = indices.data.map((index) => wrapped(call, index, size));
  const run = asRun(listed);
  if (run !== undefined) {
    const starts = shape.map((_, i) => (i === axis ? run.start : 0));
    const steps = shape.map((_, i) => (i === axis ? run.step : 1));
    return reshape(slice(call.jax, call.operand(0), starts, shape.with(axis, listed.length), steps), target);
  }
  const x = call.value(0);
  if (x.kind === 'traced')
    return tracedValue(call.jax.numpy.take(x.array.ref, int32s(call, indices.shape, listed), axis));
  const strides = stridesOf(shape);
  const stride = strides[axis] as number;
  const inner = positions(shape.with(axis, 1), strides);
  const outer = sizeOf(shape.slice(0, axis));
  const width = inner.length / Math.max(outer, 1);
  const places = Array.from({ length: outer }, (_, o) =>
    Array.from(listed, (index) => Array.from(inner.subarray(o * width, (o + 1) * width), (p) => p + index * stride)),
  );
  return pick(x, target, Float64Array.from(places.flat(2)));
};

/** start, start + step, ... with a step other than 0; a single index is a run. */
function asRun(indices: Float64Array): { start: number; step: number } | undefined {
  const [start, second] = indices;
  if (start === undefined) return undefined;
  const step = second === undefined ? 1 : second - start;
  return step !== 0 && indices.every((index, i) => index === start + i * step) ? { start, step } : undefined;
}

function int32s(call: OperatorCall, shape: readonly number[], data: Float64Array): JaxArray {
  return lift(call.jax, hostValue('int', shape, data), call.dtype);
}

/** The elements at known flat positions. */
function look(call: OperatorCall, x: OnnxValue, shape: readonly number[], at: Float64Array): OnnxValue {
  if (x.kind === 'host') return pick(x, shape, at);
  const flat = x.array.ref.reshape([sizeOf(x.array.shape)]);
  return tracedValue(call.jax.numpy.take(flat, int32s(call, shape, at), 0));
}

/** Flat positions that known indices along one axis name: everywhere else an element stays in its row and column. */
function placesAlong(call: OperatorCall): Float64Array {
  const shape = call.shape(0);
  const axis = call.axis(call.int('axis', 0), shape.length);
  const indices = call.host(1);
  const strides = stridesOf(shape);
  const stride = strides[axis] as number;
  const base = positions(indices.shape, strides.with(axis, 0));
  return base.map((place, k) => place + wrapped(call, indices.data[k] as number, shape[axis] as number) * stride);
}

/** Flat positions of the first elements that index tuples [..., K] name, after `batch` axes in common, and the shape of what each names. */
function placesOfTuples(call: OperatorCall, batch: number): { starts: Float64Array; block: readonly number[] } {
  const shape = call.shape(0);
  const indices = call.host(1);
  const depth = indices.shape.at(-1) as number;
  const strides = stridesOf(shape);
  const count = indices.data.length / Math.max(depth, 1);
  const perBatch = count / Math.max(sizeOf(shape.slice(0, batch)), 1);
  const batchSize = sizeOf(shape.slice(batch));
  const starts = allocateHost([count]).map((_, tuple) => {
    let start = Math.floor(tuple / perBatch) * batchSize;
    for (let k = 0; k < depth; k++) {
      const index = wrapped(call, indices.data[tuple * depth + k] as number, shape[batch + k] as number);
      start += index * (strides[batch + k] as number);
    }
    return start;
  });
  return { starts, block: shape.slice(batch + depth) };
}

function blocksAt(starts: Float64Array, block: readonly number[]): Float64Array {
  const size = sizeOf(block);
  return allocateHost([starts.length, size]).map((_, k) => (starts[Math.floor(k / size)] as number) + (k % size));
}

const gatheredTuples: OperatorRule = (call) => {
  const { starts, block } = placesOfTuples(call, call.int('batch_dims', 0));
  return look(call, call.value(0), [...call.shape(1).slice(0, -1), ...block], blocksAt(starts, block));
};

/** The data with updates in the places named: one look-up in both, laid end to end. */
function replaced(call: OperatorCall, places: Float64Array): OnnxValue {
  if (call.string('reduction', 'none') !== 'none') call.fail('adds up, which is not read. Export without scatter_add.');
  const shape = call.shape(0);
  const size = sizeOf(shape);
  const from = allocateHost(shape).map((_, k) => k);
  places.forEach((place, k) => (from[place] = size + k));
  const [data, updates] = [call.value(0), call.value(2)];
  if (sizeOf(call.shape(2)) !== places.length)
    call.fail(`expected ${places.length} updates, got ${showShape(call.shape(2))}.`);
  if (data.kind === 'host' && updates.kind === 'host') {
    return pick(concatenateHost([flat(data), flat(updates)], 0), shape, from);
  }
  const parts = [call.array(0).reshape([size]), call.array(2).reshape([places.length])];
  const joined = tracedValue(call.jax.numpy.concatenate(parts, 0));
  const result = look(call, joined, shape, from);
  joined.array.dispose();
  return result;
}

const flat = (x: HostValue): HostValue => ({ ...x, shape: [x.data.length] });

/** The largest or smallest elements of an axis and their places, of known arrays; equal ones in order of place. */
const topK: OperatorRule = (call) => {
  const x = call.host(0);
  const axis = call.axis(call.int('axis', -1), x.shape.length);
  const k = call.integers(1)[0] as number;
  const sign = call.int('largest', 1) === 1 ? -1 : 1;
  const strides = stridesOf(x.shape);
  const shape = x.shape.with(axis, k);
  const places = allocateHost(shape);
  const own = stridesOf(shape);
  const rows = positions(x.shape.with(axis, 1), strides);
  const targets = positions(x.shape.with(axis, 1), own);
  rows.forEach((row, r) => {
    const at = (i: number): number => x.data[row + i * (strides[axis] as number)] as number;
    const order = [...Array(x.shape[axis] as number).keys()].sort((a, b) => sign * (at(a) - at(b)) || a - b);
    for (let i = 0; i < k; i++) places[(targets[r] as number) + i * (own[axis] as number)] = order[i] as number;
  });
  const base = positions(shape, strides.with(axis, 0));
  const values = base.map((start, i) => x.data[start + (places[i] as number) * (strides[axis] as number)] as number);
  return [
    { ...x, shape, data: values },
    { kind: 'host', type: 'int', shape, data: places },
  ];
};

/** Operators that look elements up, or put them into places. */
export const indexingRules: OperatorRules = {
  Gather: gathered,
  GatherElements: (call) => look(call, call.value(0), call.shape(1), placesAlong(call)),
  GatherND: gatheredTuples,
  ScatterElements: (call) => replaced(call, placesAlong(call)),
  ScatterND: (call) => {
    const { starts, block } = placesOfTuples(call, 0);
    return replaced(call, blocksAt(starts, block));
  },
  TopK: topK,
};
