import type { JaxArray } from '../../jax.ts';
import type { OperatorCall } from '../call.ts';
import { lift } from '../call.ts';
import { hostValue } from '../value.ts';

/** A number in the element type of the trace: jax-js rounds bare numbers to float32, even beside float64 arrays. */
export function scalar(call: OperatorCall, value: number): JaxArray {
  return constant(call, [], [value]);
}

/** Known numbers as an array in the element type of the trace. */
export function constant(
  call: OperatorCall,
  shape: readonly number[],
  data: Float64Array | readonly number[],
): JaxArray {
  return lift(call.jax, hostValue('float', shape, data), call.dtype);
}
