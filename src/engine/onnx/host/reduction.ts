import type { HostValue } from '../value.ts';
import { allocateHost, positions, stridesOf } from './view.ts';

/** One number of every group of elements that differ along `axes` only; the axes are dropped. */
export function reduceHost(
  x: HostValue,
  axes: readonly number[],
  combine: (group: readonly number[]) => number,
  type: HostValue['type'] = x.type,
): HostValue {
  const strides = stridesOf(x.shape);
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const at = (chosen: readonly number[]): Float64Array =>
    positions(
      chosen.map((i) => x.shape[i] as number),
      chosen.map((i) => strides[i] as number),
    );
  const offsets = at(axes);
  const shape = kept.map((i) => x.shape[i] as number);
  const data = at(kept).map((start) => combine(Array.from(offsets, (offset) => x.data[start + offset] as number)));
  return { kind: 'host', type, shape, data };
}

/** Sums of the elements up to each place along one axis. */
export function cumulateHost(x: HostValue, axis: number, options: { exclusive: boolean; reverse: boolean }): HostValue {
  const n = x.shape[axis] as number;
  const stride = stridesOf(x.shape)[axis] as number;
  const data = allocateHost(x.shape);
  for (let k = 0; k < data.length; k++) {
    const i = Math.floor(k / stride) % n;
    const first = options.reverse ? i + Number(options.exclusive) : 0;
    const end = options.reverse ? n : i + 1 - Number(options.exclusive);
    for (let j = first; j < end; j++) data[k] = (data[k] as number) + (x.data[k + (j - i) * stride] as number);
  }
  return { ...x, data };
}
