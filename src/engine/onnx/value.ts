import type { JaxArray } from '../jax.ts';
import type { HostArray } from './model.ts';

/** A value known while tracing: shape arithmetic, indices, fixed conditions, small constants. */
export interface HostValue extends HostArray {
  readonly kind: 'host';
}

/** A value that depends on a run-time argument or on the weights. */
export interface TracedValue {
  readonly kind: 'traced';
  readonly array: JaxArray;
}

/** What stands behind the name of an ONNX value during tracing. */
export type OnnxValue = HostValue | TracedValue;

/** @param data  row-major, as many as the shape says */
export function hostValue(
  type: HostArray['type'],
  shape: readonly number[],
  data: Float64Array | readonly number[],
): HostValue {
  return { kind: 'host', type, shape, data: Float64Array.from(data) };
}

/** The array as a value; its reference moves in. */
export function tracedValue(array: JaxArray): TracedValue {
  return { kind: 'traced', array };
}

/** Shape of either kind. */
export function shapeOfValue(value: OnnxValue): readonly number[] {
  return value.kind === 'host' ? value.shape : value.array.shape;
}

/** Which kind of numbers a value holds. */
export function kindOf(value: OnnxValue): HostArray['type'] {
  if (value.kind === 'host') return value.type;
  const dtype: string = value.array.dtype;
  if (dtype === 'bool') return 'bool';
  return dtype === 'int32' ? 'int' : 'float';
}
