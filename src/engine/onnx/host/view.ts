import { ModelError } from '../../../errors/errors.ts';
import { showShape, sizeOf } from '../../../tensor/tensor.ts';
import type { HostValue } from '../value.ts';

/** A known array larger than this is no shape arithmetic: 128 MB of doubles. */
const largest = 2 ** 24;

/** Doubles for a known array. @throws ModelError for sizes that only a broken or hostile file asks for */
export function allocateHost(shape: readonly number[]): Float64Array {
  const size = sizeOf(shape);
  if (size <= largest && shape.every((d) => Number.isInteger(d) && d >= 0)) return new Float64Array(size);
  throw new ModelError('known array', `expected at most ${largest} elements, got shape ${showShape(shape)}.`);
}

/** Elements between neighbours along every axis of a row-major array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] as number) * (shape[i + 1] as number);
  return strides;
}

/**
 * Positions offset + index . strides of all indices of `shape`, in row-major order: transposes, broadcasts (stride 0), slices and flips
 * (negative strides) are all of this form.
 */
export function positions(shape: readonly number[], strides: readonly number[], offset: number = 0): Float64Array {
  const found = allocateHost(shape);
  const index = shape.map(() => 0);
  let position = offset;
  for (let k = 0; k < found.length; k++) {
    found[k] = position;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number;
      const next = (index[axis] as number) + 1;
      index[axis] = next;
      position += stride;
      if (next < (shape[axis] as number)) break;
      position -= next * stride;
      index[axis] = 0;
    }
  }
  return found;
}

/** The elements of `x` at flat positions, under a shape. */
export function pick(x: HostValue, shape: readonly number[], at: Float64Array): HostValue {
  return { ...x, shape: [...shape], data: at.map((position) => x.data[position] as number) };
}

/** Strides with which an array of `shape` is read as one of `target`, NumPy broadcasting: 0 along axes that grow. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : (own[i - lead] as number)));
}

/** Joint shape under NumPy broadcasting; undefined where the shapes do not fit. */
export function jointShape(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  const joint = Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((s) => s[i - rank + s.length] ?? 1).filter((d) => d !== 1);
    return sizes.every((d) => d === sizes[0]) ? (sizes[0] ?? 1) : -1;
  });
  return joint.includes(-1) ? undefined : joint;
}
