import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { lift } from '../call.ts';
import { hostValue, tracedValue } from '../value.ts';
import { constant } from './constant.ts';
import { matrixProduct } from './matmul.ts';

/** How one axis changes. */
interface ResizedAxis {
  readonly axis: number;
  readonly input: number;
  readonly output: number;
  readonly scale: number;
}

/** A known operand that is there and not empty. */
function numbersAt(call: OperatorCall, index: number): number[] | undefined {
  const isGiven = call.has(index) && call.shape(index).some((d) => d > 0);
  return isGiven ? call.integers(index) : undefined;
}

/** Factors that all axes share where the ratio of sizes is to be kept. */
function keepRatio(call: OperatorCall, scales: readonly number[]): readonly number[] {
  const policy = call.string('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return scales;
  if (policy === 'not_larger') return scales.map(() => Math.min(...scales));
  if (policy === 'not_smaller') return scales.map(() => Math.max(...scales));
  return call.fail(`does not know keep_aspect_ratio_policy '${policy}'.`);
}

/** Axes whose size changes, or whose scale is not 1. */
function resizedAxes(call: OperatorCall): ResizedAxis[] {
  const shape = call.shape(0);
  const rank = shape.length;
  const axes = call.ints('axes', shape.map((_, i) => i)).map((a) => (a < 0 ? a + rank : a)); // prettier-ignore
  const sizes = numbersAt(call, 3);
  if (sizes !== undefined) {
    const wanted = sizes.map((size, i) => size / (shape[axes[i] as number] as number));
    const scales = keepRatio(call, wanted);
    return axes.map((axis, i) => {
      const input = shape[axis] as number;
      const kept = scales[i] === wanted[i];
      const output = kept ? (sizes[i] as number) : Math.round((scales[i] as number) * input);
      return { axis, input, output, scale: scales[i] as number };
    });
  }
  const scales = numbersAt(call, 2) ?? call.fail('has neither scales nor sizes.');
  return axes.map((axis, i) => {
    const [input, scale] = [shape[axis] as number, scales[i] as number];
    return { axis, input, output: Math.floor(Math.fround(input * scale)), scale };
  });
}

/** Number after rounding to the precision in which coordinates are computed. */
type Round = (v: number) => number;

/** Where output `o` lies in the input. The runtime computes in float32: for nearest neighbours every rounding decides. */
function sourceOf(call: OperatorCall, { input, output, scale }: ResizedAxis, o: number, round: Round): number {
  const mode = call.string('coordinate_transformation_mode', 'half_pixel');
  const halfPixel = (): number => round(round(round(o + 0.5) / round(scale)) - 0.5);
  switch (mode) {
    case 'half_pixel':
      return halfPixel();
    case 'pytorch_half_pixel':
      return output > 1 ? halfPixel() : 0;
    case 'half_pixel_symmetric': {
      const adjustment = round(output / round(scale * input));
      const offset = round(round(input / 2) * round(1 - adjustment));
      return round(offset + halfPixel());
    }
    case 'align_corners':
      return output > 1 ? round(round(o * (input - 1)) / (output - 1)) : 0;
    case 'asymmetric':
      return round(o / round(scale));
    case 'tf_half_pixel_for_nn':
      return round(round(o + 0.5) / round(scale));
    default:
      return call.fail(`has the coordinate_transformation_mode '${mode}', which cannot be read.`);
  }
}

const nearestModes: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Input index of every output. */
function nearestIndices(call: OperatorCall, resized: ResizedAxis): number[] {
  const name = call.string('nearest_mode', 'round_prefer_floor');
  const pick = nearestModes[name] ?? call.fail(`does not know nearest_mode '${name}'.`);
  return Array.from({ length: resized.output }, (_, o) => {
    const at = pick(sourceOf(call, resized, o, Math.fround));
    return Math.min(Math.max(at, 0), resized.input - 1);
  });
}

/** Weights of the neighbours floor(x) + first, ..., at distance t = x - floor(x). */
interface Kernel {
  readonly first: number;
  weights(t: number): number[];
}

const linearKernel: Kernel = { first: 0, weights: (t) => [1 - t, t] };

/** Keys' cubic convolution with coefficient a. */
function cubicKernel(a: number): Kernel {
  const near = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return { first: -1, weights: (t) => [far(1 + t), near(t), near(1 - t), far(2 - t)] };
}

/** Interpolation along one axis as a matrix [output, input]; neighbours beyond an end count as the end, or not at all. */
function interpolation(call: OperatorCall, resized: ResizedAxis, kernel: Kernel): Float64Array {
  const { input, output } = resized;
  const excludes = call.int('exclude_outside', 0) !== 0;
  const matrix = new Float64Array(output * input);
  for (let o = 0; o < output; o++) {
    const x = sourceOf(call, resized, o, (v) => v);
    const floor = Math.floor(x);
    const all = kernel.weights(x - floor).map((weight, k) => ({ weight, at: floor + kernel.first + k }));
    const kept = excludes ? all.filter(({ at }) => at >= 0 && at < input) : all;
    const total = excludes ? kept.reduce((sum, { weight }) => sum + weight, 0) : 1;
    for (const { weight, at } of kept) {
      const column = o * input + Math.min(Math.max(at, 0), input - 1);
      matrix[column] = (matrix[column] as number) + weight / total;
    }
  }
  return matrix;
}

/** Applies a matrix [output, input] along one axis. */
function along(call: OperatorCall, x: JaxArray, { axis, input, output }: ResizedAxis, matrix: Float64Array): JaxArray {
  const np = call.jax.numpy;
  const [lead, trail] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const m = constant(call, [output, input], matrix);
  if (trail.length === 0) return matrixProduct(call, x, np.transpose(m));
  const rows = x.reshape([...lead, input, trail.reduce((a, b) => a * b, 1)]);
  return matrixProduct(call, m, rows).reshape([...lead, output, ...trail]);
}

/** Copies of every element along some axes: the form that the engine knows as upsampling. */
function repeated(call: OperatorCall, x: JaxArray, factors: ReadonlyMap<number, number>): JaxArray {
  const first = Math.min(...factors.keys(), x.ndim - 2);
  const split = x.shape.flatMap((d, i) => (i < first ? [d] : [d, 1]));
  const copies = x.shape.flatMap((d, i) => (i < first ? [d] : [d, factors.get(i) ?? 1]));
  const shape = x.shape.map((d, i) => d * (factors.get(i) ?? 1));
  return call.jax.numpy.broadcastTo(x.reshape(split), copies).reshape(shape);
}

/** Every factor-th element from `start` on along one axis. */
function picked(x: JaxArray, { axis, output }: ResizedAxis, factor: number, start: number): JaxArray {
  const [lead, trail] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const all = [...lead.map((): [] => []), [] as [], [start, start + 1] as [number, number]];
  return x
    .reshape([...lead, output, factor, ...trail])
    .slice(...all)
    .reshape([...lead, output, ...trail]);
}

function nearest(call: OperatorCall, x: JaxArray, axes: readonly ResizedAxis[]): JaxArray {
  const factors = new Map<number, number>();
  let y = x;
  for (const resized of axes) {
    const { axis, input, output } = resized;
    const indices = nearestIndices(call, resized);
    const [up, down, start] = [output / input, input / output, indices[0] as number];
    if (Number.isInteger(up) && indices.every((at, o) => at === Math.floor(o / up))) factors.set(axis, up);
    else if (Number.isInteger(down) && indices.every((at, o) => at === start + o * down)) {
      y = picked(y, resized, down, start);
    } else {
      const places = lift(call.jax, hostValue('int', [output], indices), call.dtype);
      y = call.jax.numpy.take(y, places, axis);
    }
  }
  return factors.size === 0 ? y : repeated(call, y, factors);
}

const resize: OperatorRule = (call) => {
  if (call.int('antialias', 0) !== 0) call.fail('antialiases, which cannot be read. Export with antialias=False.');
  const all = resizedAxes(call);
  const axes = all.filter(({ input, output, scale }) => input !== output || scale !== 1);
  const x = call.array(0);
  if (axes.length === 0) return tracedValue(x);
  const mode = call.string('mode', 'nearest');
  if (mode === 'nearest') return tracedValue(nearest(call, x, axes));
  if (mode !== 'linear' && mode !== 'cubic') call.fail(`does not know mode '${mode}'.`);
  const kernel = mode === 'linear' ? linearKernel : cubicKernel(call.float('cubic_coeff_a', -0.75));
  return tracedValue(axes.reduce((y, axis) => along(call, y, axis, interpolation(call, axis, kernel)), x));
};

/** Changes of size by interpolation. */
export const resizeRules: OperatorRules = { Resize: resize };
