import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import { tracedValue } from '../value.ts';
import { autoPad, halves, reachOf, windowGeometry } from './window.ts';

/** Adds one number a channel, if there is a bias. */
function withBias(call: OperatorCall, y: JaxArray): JaxArray {
  if (!call.has(2)) return y;
  const lifted = [1, -1, ...y.shape.slice(2).map(() => 1)];
  return y.add(call.array(2).reshape(lifted));
}

const convolution: OperatorRule = (call) => {
  const [x, w] = [call.array(0), call.array(1)];
  const { strides, dilations, pads } = windowGeometry(call, x.shape.slice(2), w.shape.slice(2));
  const y = call.jax.lax.convGeneralDilated(
    x,
    w,
    [...strides],
    pads.map(([a, b]): [number, number] => [a, b]),
    { rhsDilation: [...dilations], featureGroupCount: call.int('group', 1) },
  );
  return tracedValue(withBias(call, y));
};

interface TransposedAxis {
  /** Cut off the front of the full result. */
  readonly begin: number;
  readonly size: number;
}

/** Where the result of a transposed convolution lies in the full one. */
function transposedAxes(call: OperatorCall, spatial: readonly number[], kernel: readonly number[]): TransposedAxis[] {
  const rank = spatial.length;
  const ones = kernel.map(() => 1);
  const [strides, dilations] = [call.ints('strides', ones), call.ints('dilations', ones)];
  const extra = call.ints('output_padding', ones.map(() => 0)); // prettier-ignore
  const pads = call.ints('pads', [...ones, ...ones].fill(0));
  const mode = autoPad(call);
  const isSame = mode.startsWith('SAME');
  const wanted = call.hasAttribute('output_shape')
    ? call.ints('output_shape').slice(-rank)
    : isSame
      ? spatial.map((d, i) => d * (strides[i] as number))
      : undefined;
  return spatial.map((d, i) => {
    const reach = reachOf(kernel[i] as number, dilations[i] as number);
    const full = (d - 1) * (strides[i] as number) + reach + (extra[i] as number);
    const size = wanted?.[i];
    if (size === undefined) {
      const [begin, end] = mode === 'VALID' ? [0, 0] : [pads[i] as number, pads[i + rank] as number];
      return { begin, size: full - begin - end };
    }
    return { begin: halves(Math.max(0, full - size), mode === 'SAME_UPPER')[0], size };
  });
}

/** The transposed convolution as a convolution of the input with zeros between its elements, which the engine turns back into one node. */
const transposedConvolution: OperatorRule = (call) => {
  const np = call.jax.numpy;
  const [x, w] = [call.array(0), call.array(1)];
  const [spatial, kernel] = [x.shape.slice(2), w.shape.slice(2)];
  const axes = transposedAxes(call, spatial, kernel);
  const ones = kernel.map(() => 1);
  const [strides, dilations] = [call.ints('strides', ones), call.ints('dilations', ones)];
  const pads = axes.map(({ begin, size }, i): [number, number] => {
    const reach = reachOf(kernel[i] as number, dilations[i] as number) - 1;
    const dense = ((spatial[i] as number) - 1) * (strides[i] as number) + 1;
    return [reach - begin, size + begin - dense];
  });
  // jax-js writes a transposed convolution of one axis as a sum of products: a second axis of size 1 keeps it whole.
  const extra = kernel.length === 1 ? [1] : [];
  const group = call.int('group', 1);
  const [inputs, outputs] = [w.shape[0] as number, w.shape[1] as number];
  const split = w.reshape([group, inputs / group, outputs, ...kernel, ...extra]);
  const swapped = np.swapaxes(split, 1, 2).reshape([group * outputs, inputs / group, ...kernel, ...extra]);
  const turned = np.flip(swapped, [...kernel, ...extra].map((_, i) => i + 2)); // prettier-ignore
  const lifted = x.reshape([...x.shape, ...extra]);
  const y = call.jax.lax.convGeneralDilated(
    lifted,
    turned,
    [...ones, ...extra],
    extra.length > 0 ? [...pads, [0, 0]] : pads,
    { lhsDilation: [...strides, ...extra], rhsDilation: [...dilations, ...extra], featureGroupCount: group },
  );
  return tracedValue(withBias(call, extra.length > 0 ? np.squeeze(y, -1) : y));
};

/** Convolutions of one, two or three spatial axes. */
export const convolutionRules: OperatorRules = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
};
