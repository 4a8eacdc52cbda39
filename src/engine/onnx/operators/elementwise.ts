import type { OperatorRules } from '../call.ts';
import { tracedValue } from '../value.ts';

export const elementwiseRules: OperatorRules = {
  Mul: (call) => tracedValue(call.array(0).mul(call.array(1))),
  Erf: (call) => tracedValue(call.jax.lax.erf(call.array(0))),
  Sin: (call) => tracedValue(call.jax.numpy.sin(call.array(0))),
};
