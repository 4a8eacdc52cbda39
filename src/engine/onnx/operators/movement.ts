import { sameShape, showShape, sizeOf } from '../../../tensor/tensor.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { jointShape } from '../host/view.ts';
import type { OnnxValue } from '../value.ts';
import { shapeOfValue } from '../value.ts';
import { broadcast, concatenate, reshape, slice, sliceAxis, transpose } from './moves.ts';
import { padded } from './padding.ts';

/** 0 copies a size unless `allowzero` is set, -1 is what is left. */
const reshaped: OperatorRule = (call) => {
  const from = call.shape(0);
  const asked = call.integers(1);
  const copies = call.int('allowzero', 0) === 0;
  const shape = asked.map((d, i) => (d === 0 && copies ? (from[i] ?? 0) : d));
  const rest = shape.indexOf(-1);
  if (rest >= 0) shape[rest] = sizeOf(from) / Math.max(sizeOf(shape.toSpliced(rest, 1)), 1);
  if (sizeOf(shape) !== sizeOf(from) || shape.some((d) => d < 0 || !Number.isInteger(d))) {
    call.fail(`cannot give ${showShape(from)} the shape ${showShape(asked)}. Was it exported for another input size?`);
  }
  return reshape(call.operand(0), shape);
};

const flattened: OperatorRule = (call) => {
  const shape = call.shape(0);
  const axis = call.int('axis', 1);
  const cut = axis < 0 ? axis + shape.length : axis;
  return reshape(call.operand(0), [sizeOf(shape.slice(0, cut)), sizeOf(shape.slice(cut))]);
};

const transposed: OperatorRule = (call) => {
  const backwards = call.shape(0).map((_, i, all) => all.length - 1 - i);
  return transpose(call.operand(0), call.ints('perm', backwards));
};

const squeezed: OperatorRule = (call) => {
  const shape = call.shape(0);
  const axes = call.integersOf('axes', 1)?.map((axis) => call.axis(axis, shape.length));
  return reshape(
    call.operand(0),
    shape.filter((d, i) => (axes === undefined ? d !== 1 : !axes.includes(i))),
  );
};

const unsqueezed: OperatorRule = (call) => {
  const shape = [...call.shape(0)];
  const listed = call.integersOf('axes', 1) ?? call.fail("lacks its 'axes'.");
  const rank = shape.length + listed.length;
  const axes = listed.map((axis) => call.axis(axis, rank));
  return reshape(
    call.operand(0),
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (shape.shift() as number))),
  );
};

const concatenated: OperatorRule = (call) => {
  const axis = call.axis(call.int('axis'), call.shape(0).length);
  const parts = call.inputs.map((_, i) => call.operand(i));
  const [first, ...others] = parts.map((part) => shapeOfValue(part).toSpliced(axis, 1));
  if (others.every((shape) => sameShape(shape, first as number[]))) return concatenate(call, parts, axis);
  const shapes = parts.map((part) => showShape(shapeOfValue(part)));
  return call.fail(`cannot join ${shapes.join(' and ')} along axis ${axis}. Was it exported for another input size?`);
};

/** Given sizes, or `num_outputs` (or as many as the node has outputs) equal ones of which the last may be smaller. */
const split: OperatorRule = (call) => {
  const axis = call.axis(call.int('axis', 0), call.shape(0).length);
  const whole = call.shape(0)[axis] as number;
  const parts = call.int('num_outputs', call.node.outputs.length);
  const size = Math.ceil(whole / parts);
  const equal = Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(size, whole - i * size)));
  const sizes = call.integersOf('split', 1) ?? equal;
  let start = 0;
  return sizes.map((count) => sliceAxis(call.jax, call.operand(0), axis, (start += count) - count, count));
};

/** Ends beyond an axis, such as the largest int64, stop at it; with a negative step the end may lie before the first element. */
const sliced: OperatorRule = (call) => {
  const shape = call.shape(0);
  const listed = call.integers(1);
  const ends = call.integers(2);
  const axes = call.has(3) ? call.integers(3) : listed.map((_, i) => i);
  const given = call.has(4) ? call.integers(4) : listed.map(() => 1);
  const [starts, counts, steps] = [shape.map(() => 0), [...shape], shape.map(() => 1)];
  axes.forEach((named, k) => {
    const axis = call.axis(named, shape.length);
    const size = shape[axis] as number;
    const step = given[k] as number;
    const clamp = (v: number, low: number, high: number): number => Math.max(low, Math.min(v < 0 ? v + size : v, high));
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const start = clamp(listed[k] as number, Math.max(low, 0), high);
    const count = Math.max(0, Math.ceil((clamp(ends[k] as number, low, high) - start) / step));
    [starts[axis], counts[axis], steps[axis]] = [start, count, step];
  });
  return slice(call.jax, call.operand(0), starts, counts, steps);
};

const expanded: OperatorRule = (call) => {
  const shape = jointShape([call.shape(0), call.integers(1)]);
  if (shape !== undefined) return broadcast(call.jax, call.operand(0), shape);
  return call.fail(`cannot grow ${showShape(call.shape(0))} to ${showShape(call.integers(1))}.`);
};

/** [.., d, ..] to [.., 1, d, ..], grown to [.., r, d, ..], then joined. */
const tiled: OperatorRule = (call) => {
  const shape = call.shape(0);
  const repeats = call.integers(1);
  const apart = shape.flatMap((d, i) => (repeats[i] === 1 ? [d] : [1, d]));
  const grown = shape.flatMap((d, i) => (repeats[i] === 1 ? [d] : [repeats[i] as number, d]));
  return reshape(
    broadcast(call.jax, reshape(call.operand(0), apart), grown),
    shape.map((d, i) => d * (repeats[i] as number)),
  );
};

type Image = readonly [number, number, number, number];

const imageOf = (call: OperatorCall): Image => {
  const shape = call.shape(0);
  return shape.length === 4 ? (shape as unknown as Image) : call.fail(`expected rank 4, got ${showShape(shape)}.`);
};

const depthToSpace: OperatorRule = (call) => {
  const [n, c, h, w] = imageOf(call);
  const b = call.int('blocksize');
  const depthFirst = call.string('mode', 'DCR') === 'DCR';
  const rest = c / (b * b);
  const x = reshape(call.operand(0), depthFirst ? [n, b, b, rest, h, w] : [n, rest, b, b, h, w]);
  const moved = transpose(x, depthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]);
  return reshape(moved, [n, rest, h * b, w * b]);
};

const spaceToDepth: OperatorRule = (call) => {
  const [n, c, h, w] = imageOf(call);
  const b = call.int('blocksize');
  const x: OnnxValue = reshape(call.operand(0), [n, c, h / b, b, w / b, b]);
  return reshape(transpose(x, [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b]);
};

/** Operators that move elements and compute nothing. */
export const movementRules: OperatorRules = {
  Reshape: reshaped,
  Flatten: flattened,
  Transpose: transposed,
  Squeeze: squeezed,
  Unsqueeze: unsqueezed,
  Concat: concatenated,
  Split: split,
  Slice: sliced,
  Pad: padded,
  Expand: expanded,
  Tile: tiled,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
