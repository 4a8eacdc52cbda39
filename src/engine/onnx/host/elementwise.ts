import { ModelError } from '../../../errors/errors.ts';
import { sameShape, showShape } from '../../../tensor/tensor.ts';
import type { HostArray } from '../model.ts';
import type { HostValue } from '../value.ts';
import { allocateHost, broadcastStrides, jointShape, positions } from './view.ts';

/**
 * A function of numbers at every place of arrays that broadcast together.
 *
 * Floats are computed and kept in double precision where the file says float32: the result is closer to what is meant, and rounds once,
 * when it meets traced arrays.
 */
export function mapHost(
  type: HostArray['type'],
  operands: readonly HostValue[],
  f: (...numbers: number[]) => number,
): HostValue {
  const shapes = operands.map((x) => x.shape);
  const shape = jointShape(shapes);
  if (shape === undefined) {
    throw new ModelError('known arrays', `expected shapes that broadcast, got ${shapes.map(showShape).join(' and ')}.`);
  }
  const data = allocateHost(shape);
  // Masks and buffers of one value are large: attention begins with zeros of [heads, n, n].
  if (data.length > 1) {
    const values = operands.map(uniformOf);
    if (values.every((v) => v !== undefined)) return { kind: 'host', type, shape, data: data.fill(f(...values)) };
  }
  const places = operands.map((x) =>
    sameShape(x.shape, shape) ? undefined : positions(shape, broadcastStrides(x.shape, shape)),
  );
  for (let k = 0; k < data.length; k++) {
    data[k] = f(...operands.map((x, i) => x.data[places[i]?.[k] ?? k] as number));
  }
  return { kind: 'host', type, shape, data };
}

/** The one number of an array that holds nothing else; undefined for others and for empty ones. */
export function uniformOf(x: HostArray): number | undefined {
  const first = x.data[0];
  return x.data.every((v) => Object.is(v, first)) ? first : undefined;
}

/** Rounds to the nearest integer, halves to the even one. */
export function roundHalfEven(v: number): number {
  const below = Math.floor(v);
  const rest = v - below;
  if (rest < 0.5) return below;
  return rest > 0.5 ? below + 1 : 2 * Math.floor((below + 1) / 2);
}
