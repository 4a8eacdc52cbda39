import { sizeOf } from '../../../tensor/tensor.ts';
import type { OperatorRule, OperatorRules } from '../call.ts';
import { lift } from '../call.ts';
import { mapHost } from '../host/elementwise.ts';
import { allocateHost, stridesOf } from '../host/view.ts';
import type { HostArray } from '../model.ts';
import { hostValue, kindOf, tracedValue } from '../value.ts';
import { scalar } from './constant.ts';
import { elementKind, select } from './logic.ts';

/** Sizes are known while tracing, whatever the array holds; since operator set 15 a range of them can be asked for. */
const shape: OperatorRule = (call) => {
  const sizes = call.shape(0).slice(call.int('start', 0), call.hasAttribute('end') ? call.int('end') : undefined);
  return hostValue('int', [sizes.length], sizes);
};

const zero: HostArray = { type: 'float', shape: [1], data: Float64Array.of(0) };

const filled: OperatorRule = (call) => {
  const { type, data } = call.tensor('value', zero);
  const sizes = call.integers(0);
  return hostValue(type, sizes, allocateHost(sizes).fill(data[0] as number));
};

const range: OperatorRule = (call) => {
  const [start, limit, step] = [0, 1, 2].map((i) => call.host(i).data[0]) as [number, number, number];
  const size = Math.max(0, Math.ceil((limit - start) / step));
  const values = allocateHost([size]).map((_, i) => start + i * step);
  return hostValue(call.host(0).type, [size], values);
};

const eyeLike: OperatorRule = (call) => {
  const [rows, columns] = call.shape(0) as [number, number];
  const shift = call.int('k', 0);
  const data = allocateHost([rows, columns]).map((_, k) => Number((k % columns) - Math.floor(k / columns) === shift));
  const type = call.hasAttribute('dtype') ? elementKind(call, call.int('dtype')) : kindOf(call.value(0));
  return hostValue(type, [rows, columns], data);
};

/** Places of the elements that are not zero, one column each. */
const nonZero: OperatorRule = (call) => {
  const x = call.host(0);
  const found = [...x.data.keys()].filter((k) => x.data[k] !== 0);
  const rows = stridesOf(x.shape).flatMap((stride, axis) =>
    found.map((k) => Math.floor(k / stride) % (x.shape[axis] as number)),
  );
  return hostValue('int', [x.shape.length, found.length], rows);
};

/** The elements on one side of a diagonal of the two last axes; zeros elsewhere. */
const triangle: OperatorRule = (call) => {
  const shift = call.has(1) ? (call.integers(1)[0] as number) : 0;
  const isUpper = call.int('upper', 1) === 1;
  const [rows, columns] = call.shape(0).slice(-2) as [number, number];
  const keep = allocateHost([rows, columns]).map((_, k) => {
    const diagonal = (k % columns) - Math.floor(k / columns) - shift;
    return Number(isUpper ? diagonal >= 0 : diagonal <= 0);
  });
  return select(call, hostValue('bool', [rows, columns], keep), call.value(0), hostValue('float', [], [0]));
};

/** One at the place that each index names along a new axis; known indices may count from the end. */
const oneHot: OperatorRule = (call) => {
  const indices = call.shape(0);
  const depth = call.host(1).data[0] as number;
  const axis = call.axis(call.int('axis', -1), indices.length + 1);
  const [off, on] = call.host(2).data as unknown as [number, number];
  const apart = indices.toSpliced(axis, 0, 1);
  const index = call.value(0);
  const places = hostValue('int', apart.map((_, i) => (i === axis ? depth : 1)), [...Array(depth).keys()]); // prettier-ignore
  if (index.kind === 'host') {
    return mapHost(call.host(2).type, [{ ...index, shape: apart }, places], (at = 0, place) =>
      (at < 0 ? at + depth : at) === place ? on : off,
    );
  }
  const { numpy: np } = call.jax;
  const matches = np.equal(index.array.ref.reshape(apart), lift(call.jax, places, call.dtype));
  return tracedValue(np.where(matches, scalar(call, on), scalar(call, off)));
};

/** Operators that speak of sizes, or make arrays out of them. */
export const shapeRules: OperatorRules = {
  Shape: shape,
  Size: (call) => hostValue('int', [], [sizeOf(call.shape(0))]),
  ConstantOfShape: filled,
  Range: range,
  EyeLike: eyeLike,
  NonZero: nonZero,
  Trilu: triangle,
  OneHot: oneHot,
};
