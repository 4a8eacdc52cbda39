import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule } from '../call.ts';
import { lift } from '../call.ts';
import { mapHost, uniformOf } from '../host/elementwise.ts';
import { jointShape } from '../host/view.ts';
import type { HostValue } from '../value.ts';
import { tracedValue } from '../value.ts';
import { constant, scalar } from './constant.ts';

/** Whole exponents up to this one are products: at most eleven of them. */
const largestProduct = 64;

/** x^y: products and roots where y is one known number, else exp(y log x). */
export const power: OperatorRule = (call) => {
  const [base, exponent] = [call.value(0), call.value(1)];
  if (base.kind === 'host' && exponent.kind === 'host') {
    return mapHost(base.type, [base, exponent], (a, b) => a ** b);
  }
  const shape = jointShape([call.shape(0), call.shape(1)]) ?? call.fail('expected shapes that broadcast.');
  const y = exponent.kind === 'host' ? uniformOf(exponent) : undefined;
  const short = y === undefined ? undefined : uniformPower(call, y);
  if (short !== undefined) return tracedValue(call.jax.numpy.broadcastTo(short, shape));
  return tracedValue(base.kind === 'host' ? powerOfKnown(call, base) : generalPower(call, exponent));
};

/** x^y for one y, or undefined where that takes a logarithm. */
function uniformPower(call: OperatorCall, y: number): JaxArray | undefined {
  const { numpy: np } = call.jax;
  if (y === 0) return constant(call, [], [1]);
  if (y < 0) {
    const positive = uniformPower(call, -y);
    return positive === undefined ? undefined : np.reciprocal(positive);
  }
  if (y === 0.5) return np.sqrt(call.array(0));
  if (!Number.isInteger(y) || y > largestProduct) return undefined;
  const x = call.array(0);
  let result: JaxArray | undefined;
  let square: JaxArray = x;
  for (let rest = y; ; square = square.ref.mul(square)) {
    if (rest % 2 === 1) result = result === undefined ? square.ref : result.mul(square.ref);
    rest = Math.floor(rest / 2);
    if (rest === 0) break;
  }
  square.dispose();
  return result;
}

/** b^y with b known: exp(y log b), the logarithm taken in double precision. */
function powerOfKnown(call: OperatorCall, base: HostValue): JaxArray {
  if (base.data.some((v) => v < 0)) call.fail('raises a negative number to a power that is known at run time only.');
  const logarithm = mapHost('float', [base], (v) => Math.log(v));
  return call.jax.numpy.exp(call.array(1).mul(lift(call.jax, logarithm, call.dtype)));
}

/** exp(y log |x|) with the sign that whole exponents give; a negative x to a broken exponent is not a number. */
function generalPower(call: OperatorCall, exponent: OperatorCall['inputs'][number]): JaxArray {
  const { numpy: np } = call.jax;
  const x = call.array(0);
  const isKnown = exponent?.kind === 'host' && exponent.data.every(Number.isInteger);
  if (!isKnown) return np.exp(np.log(x).mul(call.array(1)));
  const size = np.exp(np.log(np.absolute(x.ref)).mul(call.array(1)));
  const parity = mapHost('float', [exponent], (v) => (v % 2 === 0 ? 1 : -1));
  const signs = np.where(np.less(x, 0), lift(call.jax, parity, call.dtype), scalar(call, 1));
  return size.mul(signs);
}
