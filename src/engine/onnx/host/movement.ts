import type { HostValue } from '../value.ts';
import { allocateHost, broadcastStrides, pick, positions, stridesOf } from './view.ts';

/** Axes in another order. */
export function transposeHost(x: HostValue, perm: readonly number[]): HostValue {
  const strides = stridesOf(x.shape);
  const shape = perm.map((p) => x.shape[p] as number);
  return pick(
    x,
    shape,
    positions(
      shape,
      perm.map((p) => strides[p] as number),
    ),
  );
}

/** NumPy broadcast_to. */
export function broadcastHost(x: HostValue, shape: readonly number[]): HostValue {
  return pick(x, shape, positions(shape, broadcastStrides(x.shape, shape)));
}

/** `counts` elements along every axis from `starts` on, `steps` apart; steps may be negative. */
export function sliceHost(
  x: HostValue,
  starts: readonly number[],
  counts: readonly number[],
  steps: readonly number[],
): HostValue {
  const strides = stridesOf(x.shape);
  const offset = strides.reduce((sum, stride, i) => sum + stride * (starts[i] as number), 0);
  return pick(
    x,
    counts,
    positions(
      counts,
      strides.map((stride, i) => stride * (steps[i] as number)),
      offset,
    ),
  );
}

/** Joined along one axis. */
export function concatenateHost(parts: readonly HostValue[], axis: number): HostValue {
  const first = parts[0] as HostValue;
  const shape = [...first.shape];
  shape[axis] = parts.reduce((sum, part) => sum + (part.shape[axis] as number), 0);
  const strides = stridesOf(shape);
  const data = allocateHost(shape);
  let offset = 0;
  for (const part of parts) {
    positions(part.shape, strides, offset).forEach((position, k) => (data[position] = part.data[k] as number));
    offset += (part.shape[axis] as number) * (strides[axis] as number);
  }
  return { ...first, shape, data };
}
