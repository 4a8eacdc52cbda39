import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { tracedValue } from '../value.ts';
import { scalar } from './constant.ts';

/** A function of one array, which it consumes, as a rule. */
const pointwise =
  (apply: (call: OperatorCall, x: JaxArray) => JaxArray): OperatorRule =>
  (call) =>
    tracedValue(apply(call, call.array(0)));

/** x > 0 ? positive(x) : negative(min(x, 0)): the branch not taken sees no large x, so that its slope stays finite. Zero counts as negative. */
function bySign(
  call: OperatorCall,
  x: JaxArray,
  positive: (x: JaxArray) => JaxArray,
  negative: (x: JaxArray) => JaxArray,
): JaxArray {
  const np = call.jax.numpy;
  const isPositive = x.ref.greater(0);
  const below = negative(np.where(isPositive.ref, 0, x.ref));
  return np.where(isPositive, positive(x), below);
}

/** 1 / (1 + exp(-x)), which the engine recognises together with its slope. */
function sigmoid(call: OperatorCall, x: JaxArray): JaxArray {
  const np = call.jax.numpy;
  return np.reciprocal(np.exp(np.negative(x)).add(1));
}

const absolute = (call: OperatorCall, x: JaxArray): JaxArray =>
  call.jax.numpy.where(x.ref.greater(0), x.ref, call.jax.numpy.negative(x));

/** alpha (exp(x / width) - 1) below zero, x above. */
function exponentialUnit(call: OperatorCall, x: JaxArray, alpha: number, width: number): JaxArray {
  const decay = (v: JaxArray): JaxArray => {
    const scaled = width === 1 ? v : v.mul(scalar(call, 1 / width));
    return call.jax.numpy.exp(scaled).sub(1).mul(scalar(call, alpha));
  };
  return bySign(call, x, (v) => v, decay);
}

/** min(max(alpha x + beta, 0), 1) with slope zero at both ends. */
function hardSigmoid(call: OperatorCall, x: JaxArray, alpha: number, beta: number): JaxArray {
  const np = call.jax.numpy;
  const line = x.mul(scalar(call, alpha)).add(scalar(call, beta));
  const capped = np.where(line.ref.less(1), line.ref, 1);
  return np.where(line.greater(0), capped, 0);
}

/** x Phi(x); with tanh, x (1 + tanh u) / 2 = x sigmoid(2 u). */
const gelu = pointwise((call, x) => {
  const { lax } = call.jax;
  const mode = call.string('approximate', 'none');
  if (mode === 'tanh') {
    const inner = x.ref.mul(x.ref).mul(scalar(call, 0.044715)).add(1);
    return x.ref.mul(sigmoid(call, x.mul(inner).mul(scalar(call, 2 * Math.sqrt(2 / Math.PI)))));
  }
  if (mode !== 'none') call.fail(`expected approximate to be none or tanh, got '${mode}'.`);
  return x.ref.mul(0.5).mul(lax.erf(x.mul(scalar(call, Math.SQRT1_2))).add(1));
});

/** max(x, 0) + log(1 + exp(-|x|)). */
const softplus = pointwise((call, x) => {
  const np = call.jax.numpy;
  const tail = np.log(np.exp(np.negative(absolute(call, x.ref))).add(1));
  return np.where(x.ref.greater(0), x, 0).add(tail);
});

/** x tanh(log(1 + exp x)) = x s (1 + q) / (1 + q^2) with s = sigmoid(x), q = sigmoid(-x): nothing overflows or cancels. */
const mish = pointwise((call, x) => {
  const np = call.jax.numpy;
  const q = sigmoid(call, np.negative(x.ref));
  const gate = sigmoid(call, x.ref)
    .mul(q.ref.add(1))
    .mul(np.reciprocal(q.ref.mul(q).add(1)));
  return x.mul(gate);
});

/** x times 1 above zero and `slope` elsewhere; consumes both. */
function leaky(call: OperatorCall, x: JaxArray, slope: JaxArray): JaxArray {
  return x.ref.mul(call.jax.numpy.where(x.greater(0), 1, slope));
}

/** Axis and shape over which a softmax runs: before opset 13 everything from the axis on counts as one axis. */
function softmaxRule(apply: (call: OperatorCall) => (x: JaxArray, axis: number) => JaxArray): OperatorRule {
  return (call) => {
    const shape = [...call.shape(0)];
    const axis = call.int('axis', call.opset < 13 ? 1 : -1);
    if (call.opset >= 13) return tracedValue(apply(call)(call.array(0), axis));
    const from = axis < 0 ? axis + shape.length : axis;
    const rows = shape.slice(0, from).reduce((a, b) => a * b, 1);
    const flat = call.array(0).reshape([rows, shape.slice(from).reduce((a, b) => a * b, 1)]);
    return tracedValue(apply(call)(flat, -1).reshape(shape));
  };
}

/** Activations. At a kink the derivative is that of PyTorch: the one of the negative side. */
export const activationRules: OperatorRules = {
  Gelu: gelu,
  Softplus: softplus,
  Mish: mish,
  PRelu: pointwise((call, x) => leaky(call, x, call.array(1))),
  LeakyRelu: pointwise((call, x) => leaky(call, x, scalar(call, call.float('alpha', 0.01)))),
  Elu: pointwise((call, x) => exponentialUnit(call, x, call.float('alpha', 1), 1)),
  Celu: pointwise((call, x) => exponentialUnit(call, x, call.float('alpha', 1), call.float('alpha', 1))),
  Selu: pointwise((call, x) => {
    const [alpha, gamma] = [call.float('alpha', 1.6732631921768188), call.float('gamma', 1.0507010221481323)];
    return exponentialUnit(call, x, alpha, 1).mul(scalar(call, gamma));
  }),
  ThresholdedRelu: pointwise((call, x) =>
    call.jax.numpy.where(x.ref.greater(scalar(call, call.float('alpha', 1))), x, 0),
  ),
  HardSigmoid: pointwise((call, x) => hardSigmoid(call, x, call.float('alpha', 0.2), call.float('beta', 0.5))),
  HardSwish: pointwise((call, x) => x.ref.mul(hardSigmoid(call, x, 1 / 6, 0.5))),
  Softsign: pointwise((call, x) => x.ref.mul(call.jax.numpy.reciprocal(absolute(call, x).add(1)))),
  Softmax: softmaxRule((call) => call.jax.nn.softmax),
  LogSoftmax: softmaxRule((call) => call.jax.nn.logSoftmax),
};
