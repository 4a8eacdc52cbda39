import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { hostValue, tracedValue } from '../value.ts';
import { lift } from '../call.ts';
import { constant, scalar } from './constant.ts';
import type { WindowGeometry } from './window.ts';
import { everyNth, reachOf, windowGeometry } from './window.ts';

interface Pooling extends WindowGeometry {
  readonly outputs: readonly number[];
  /** Pads after an axis that let its last window fit: beyond the declared ones if sizes are rounded up, negative if rounded down. */
  readonly ends: readonly number[];
}

function poolingOf(call: OperatorCall): Pooling {
  const spatial = call.shape(0).slice(2);
  const geometry = windowGeometry(call, spatial, call.ints('kernel_shape'));
  const { kernel, strides, dilations, pads } = geometry;
  const roundsUp = call.int('ceil_mode', 0) !== 0;
  const outputs = spatial.map((size, i) => {
    const [begin, end] = pads[i] as readonly [number, number];
    const [stride, reach] = [strides[i] as number, reachOf(kernel[i] as number, dilations[i] as number)];
    const steps = (size + begin + end - reach) / stride;
    const count = (roundsUp ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that would start behind the input is left out.
    return roundsUp && (count - 1) * stride >= size + begin ? count - 1 : count;
  });
  const ends = outputs.map((count, i) => {
    const span = (count - 1) * (strides[i] as number) + reachOf(kernel[i] as number, dilations[i] as number);
    return span - (spatial[i] as number) - (pads[i]?.[0] ?? 0);
  });
  return { ...geometry, outputs, ends };
}

/** Elements of each window that count, along one axis. */
function countsOf(p: Pooling, axis: number, size: number, includePad: boolean): number[] {
  const [begin, end] = p.pads[axis] as readonly [number, number];
  const [low, high] = includePad ? [-begin, size + end] : [0, size];
  return Array.from({ length: p.outputs[axis] as number }, (_, o) => {
    const start = o * (p.strides[axis] as number) - begin;
    const taps = Array.from({ length: p.kernel[axis] as number }, (_, t) => start + t * (p.dilations[axis] as number));
    return taps.filter((at) => at >= low && at < high).length;
  });
}

/** Whether windows lie side by side. */
function isTiling(p: Pooling): boolean {
  const isPadded = p.pads.some(([begin]) => begin !== 0) || p.ends.some((end) => end > 0);
  return !isPadded && p.kernel.every((k, i) => k === p.strides[i] && (k === 1 || p.dilations[i] === 1));
}

/** Mean over side by side windows. */
function tileMean(call: OperatorCall, x: JaxArray, p: Pooling): JaxArray {
  const [n, c, ...spatial] = x.shape as [number, number, ...number[]];
  const ranges = spatial.map((_, i): [number, number] => [0, (p.outputs[i] as number) * (p.kernel[i] as number)]);
  const cropped = p.ends.some((end) => end < 0) ? x.slice([], [], ...ranges) : x;
  const tiles = cropped.reshape([n, c, ...p.outputs.flatMap((d, i) => [d, p.kernel[i] as number])]);
  const axes = p.kernel.map((_, i) => 3 + 2 * i);
  return tiles.sum(axes).mul(scalar(call, 1 / p.kernel.reduce((a, b) => a * b, 1)));
}

const averagePool: OperatorRule = (call) => {
  const p = poolingOf(call);
  const x = call.array(0);
  if (isTiling(p)) return tracedValue(tileMean(call, x, p));
  const [n, c, ...spatial] = x.shape as [number, number, ...number[]];
  const includePad = call.int('count_include_pad', 0) !== 0;
  const counts = spatial.map((size, i) => countsOf(p, i, size, includePad));
  const ones = constant(call, [1, 1, ...p.kernel], new Float64Array(p.kernel.reduce((a, b) => a * b, 1)).fill(1));
  const sums = call.jax.lax.convGeneralDilated(
    x.reshape([n * c, 1, ...spatial]),
    ones,
    [...p.strides],
    p.pads.map(([begin], i): [number, number] => [begin, p.ends[i] as number]),
    { rhsDilation: [...p.dilations] },
  );
  const shares = counts.reduce<number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a / b)), [1]);
  const scale = constant(call, [1, 1, ...p.outputs], shares);
  return tracedValue(sums.mul(scale).reshape([n, c, ...p.outputs]));
};

/** The input with -infinity around it, wide enough to read whole strides at the last tap. */
function surrounded(call: OperatorCall, x: JaxArray, p: Pooling): JaxArray {
  const np = call.jax.numpy;
  const widths = p.pads.map(([begin], i): [number, number] => {
    const [stride, reach] = [p.strides[i] as number, reachOf(p.kernel[i] as number, p.dilations[i] as number)];
    const wholeStrides = Math.ceil(reach / stride) * stride;
    return [begin, (p.ends[i] as number) + wholeStrides - reach];
  });
  const spatial = x.shape.slice(2);
  if (widths.every(([a, b]) => a === 0 && b <= 0)) return x;
  const grown = widths.map(([a, b]): [number, number] => [a, Math.max(0, b)]);
  const inside = spatial.map((d, i) => {
    const [a, b] = grown[i] as [number, number];
    return Array.from({ length: a + d + b }, (_, at) => at >= a && at < a + d);
  });
  const mask = inside.reduce<number[]>((all, axis) => all.flatMap((m) => axis.map((v) => (v ? m : 0))), [1]);
  const shape = [1, 1, ...inside.map((axis) => axis.length)];
  const padded = np.pad(x, [[0, 0], [0, 0], ...grown]);
  return np.where(lift(call.jax, hostValue('bool', shape, mask), call.dtype), padded, -Infinity);
}

/** The first largest element of every window: the derivative goes to it alone. */
const maxPool: OperatorRule = (call) => {
  const np = call.jax.numpy;
  if (call.node.outputs.length > 1 && call.node.outputs[1] !== '') call.fail('cannot give the places of the maxima.');
  const p = poolingOf(call);
  const x = surrounded(call, call.array(0), p);
  let taps: number[][] = [[]];
  p.kernel.forEach((k, i) => {
    taps = taps.flatMap((t) => Array.from({ length: k }, (_, at) => [...t, at * (p.dilations[i] as number)]));
  });
  const largest = taps
    .map((starts) => everyNth(x.ref, starts, p.strides, p.outputs))
    .reduce((best, next) => np.where(best.ref.less(next.ref), next, best));
  x.dispose();
  return tracedValue(largest);
};

const spatialAxes = (call: OperatorCall): number[] => call.shape(0).slice(2).map((_, i) => i + 2); // prettier-ignore

/** Means and maxima over windows. */
export const poolingRules: OperatorRules = {
  AveragePool: averagePool,
  MaxPool: maxPool,
  GlobalAveragePool: (call) => {
    const positions = call.shape(0).slice(2).reduce((a, b) => a * b, 1); // prettier-ignore
    const sum = call.array(0).sum(spatialAxes(call), { keepdims: true });
    return tracedValue(sum.mul(scalar(call, 1 / positions)));
  },
  GlobalMaxPool: (call) => tracedValue(call.jax.numpy.max(call.array(0), spatialAxes(call), { keepdims: true })),
};
