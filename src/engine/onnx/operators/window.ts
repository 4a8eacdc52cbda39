import type { JaxArray } from '../../jax.ts';
import type { OperatorCall } from '../call.ts';

/** How a window moves over spatial axes. */
export interface WindowGeometry {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Added before and after every axis. */
  readonly pads: readonly (readonly [number, number])[];
}

/** Elements that a kernel of this size spans. */
export function reachOf(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/**
 * Geometry of a convolution or pooling from the attributes strides, dilations, pads and auto_pad.
 * @param spatial  sizes of the spatial axes of the input
 */
export function windowGeometry(
  call: OperatorCall,
  spatial: readonly number[],
  kernel: readonly number[],
): WindowGeometry {
  const ones = kernel.map(() => 1);
  const [strides, dilations] = [call.ints('strides', ones), call.ints('dilations', ones)];
  const rank = spatial.length;
  if (kernel.length !== rank || strides.length !== rank || dilations.length !== rank) {
    call.fail(`expected kernel, strides and dilations for ${rank} spatial axes.`);
  }
  const mode = autoPad(call);
  const explicit = call.ints('pads', [...ones, ...ones].fill(0));
  const pads = spatial.map((size, i): readonly [number, number] => {
    if (mode === 'NOTSET') return [explicit[i] ?? 0, explicit[i + rank] ?? 0];
    if (mode === 'VALID') return [0, 0];
    const stride = strides[i] as number;
    const needed = (Math.ceil(size / stride) - 1) * stride + reachOf(kernel[i] as number, dilations[i] as number);
    return halves(Math.max(0, needed - size), mode === 'SAME_UPPER');
  });
  return { kernel, strides, dilations, pads };
}

/** @returns NOTSET, VALID, SAME_UPPER or SAME_LOWER */
export function autoPad(call: OperatorCall): string {
  const mode = call.string('auto_pad', 'NOTSET');
  if (['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(mode)) return mode;
  return call.fail(`does not know auto_pad '${mode}'.`);
}

/** Two halves of a padding; the larger comes last with `upper`, else first. */
export function halves(total: number, upper: boolean): readonly [number, number] {
  const small = Math.floor(total / 2);
  return upper ? [small, total - small] : [total - small, small];
}

/**
 * Every stride-th element along the spatial axes; consumes x, which must hold whole strides from that of `starts` on.
 * @param x  [N, C, ...]
 * @param starts  first element along each spatial axis
 */
export function everyNth(
  x: JaxArray,
  starts: readonly number[],
  strides: readonly number[],
  counts: readonly number[],
): JaxArray {
  const lead = x.shape.slice(0, 2);
  const ranges = starts.map((start, i): [number, number] => {
    const stride = strides[i] as number;
    const first = start - (start % stride);
    return [first, first + (counts[i] as number) * stride];
  });
  const split = x.slice([], [], ...ranges).reshape([...lead, ...counts.flatMap((d, i) => [d, strides[i] as number])]);
  const picks = starts.flatMap((start, i): ([] | [number, number])[] => {
    const offset = start % (strides[i] as number);
    return [[], [offset, offset + 1]];
  });
  return split.slice([], [], ...picks).reshape([...lead, ...counts]);
}
