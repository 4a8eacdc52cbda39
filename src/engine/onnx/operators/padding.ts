import type { JaxLibrary } from '../../jax.ts';
import type { OperatorCall, OperatorRule } from '../call.ts';
import type { OnnxValue } from '../value.ts';
import { shapeOfValue, tracedValue } from '../value.ts';
import { broadcast, concatenate, pad, slice, sliceAxis } from './moves.ts';

/** Pads begin and end along every axis, or along those listed; negative ones cut off. */
export const padded: OperatorRule = (call) => {
  const rank = call.shape(0).length;
  const pads = call.integersOf('pads', 1) ?? call.fail("lacks its 'pads'.");
  const axes = call.has(3) ? call.integers(3).map((axis) => call.axis(axis, rank)) : call.shape(0).map((_, i) => i);
  const widths = call.shape(0).map((): [number, number] => [0, 0]);
  axes.forEach((axis, k) => (widths[axis] = [pads[k] as number, pads[axes.length + k] as number]));
  const mode = call.string('mode', 'constant');
  const x = call.operand(0);
  if (mode === 'constant') return pad(call, x, widths, call.has(2) ? (call.host(2).data[0] as number) : 0);
  const extend = extensions[mode] ?? call.fail(`knows no mode '${mode}'.`);
  return widths.reduce<OnnxValue>((y, [before, after], axis) => extended(call, y, axis, before, after, extend), x);
};

/** The `count` elements beyond one end of an axis; consumes x. */
type Extension = (jax: JaxLibrary, x: OnnxValue, axis: number, count: number, side: 'before' | 'after') => OnnxValue;

const extensions: Readonly<Record<string, Extension>> = {
  edge: (jax, x, axis, count, side) => {
    const shape = shapeOfValue(x);
    const border = sliceAxis(jax, x, axis, side === 'before' ? 0 : (shape[axis] as number) - 1, 1);
    return broadcast(jax, border, shape.with(axis, count));
  },
  reflect: (jax, x, axis, count, side) => {
    const shape = shapeOfValue(x);
    const first = side === 'before' ? count : (shape[axis] as number) - 2;
    return slice(
      jax,
      x,
      shape.map((_, i) => (i === axis ? first : 0)),
      shape.with(axis, count),
      shape.map((_, i) => (i === axis ? -1 : 1)),
    );
  },
  wrap: (jax, x, axis, count, side) =>
    sliceAxis(jax, x, axis, side === 'before' ? (shapeOfValue(x)[axis] as number) - count : 0, count),
};

function extended(
  call: OperatorCall,
  x: OnnxValue,
  axis: number,
  before: number,
  after: number,
  extend: Extension,
): OnnxValue {
  if (before === 0 && after === 0) return x;
  const cut = pad(
    call,
    x,
    shapeOfValue(x).map((_, i) => (i === axis ? [Math.min(before, 0), Math.min(after, 0)] : [0, 0])),
    0,
  );
  const parts: OnnxValue[] = [];
  if (before > 0) parts.push(extend(call.jax, shared(cut), axis, before, 'before'));
  parts.push(shared(cut));
  if (after > 0) parts.push(extend(call.jax, shared(cut), axis, after, 'after'));
  if (cut.kind === 'traced') cut.array.dispose();
  return concatenate(call, parts, axis);
}

function shared(x: OnnxValue): OnnxValue {
  return x.kind === 'host' ? x : tracedValue(x.array.ref);
}
