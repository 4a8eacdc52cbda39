import type { JaxArray } from '../../jax.ts';
import type { OperatorCall, OperatorRule, OperatorRules } from '../call.ts';
import type { OnnxValue } from '../value.ts';
import { tracedValue } from '../value.ts';
import { scalar } from './constant.ts';

interface Moments {
  readonly mean: JaxArray;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverse: JaxArray;
}

/** Mean over the axes, which stay with size 1; consumes x. */
function meanOver(call: OperatorCall, x: JaxArray, axes: readonly number[]): JaxArray {
  const count = axes.reduce((product, axis) => product * (x.shape.at(axis) as number), 1);
  return x.sum([...axes], { keepdims: true }).mul(scalar(call, 1 / count));
}

/** The variance is taken about a mean held constant: its derivative in the mean is exactly zero, and one pass is saved. x is kept. */
function momentsOver(call: OperatorCall, x: JaxArray, axes: readonly number[], epsilon: number): Moments {
  const { numpy: np, lax } = call.jax;
  const mean = meanOver(call, x.ref, axes);
  const centred = x.ref.sub(lax.stopGradient(mean.ref));
  const variance = meanOver(call, centred.ref.mul(centred), axes);
  return { mean, inverse: np.reciprocal(np.sqrt(variance.add(scalar(call, epsilon)))) };
}

const epsilonOf = (call: OperatorCall): number => call.float('epsilon', 1e-5);

/** One number a channel, broadcast over the axes after it. */
const perChannel = (x: JaxArray, rank: number): JaxArray => x.reshape([1, -1, ...Array<number>(rank - 2).fill(1)]);

/**
 * Normalization in groups of channels with a gain and an offset a channel, as x A + B with A, B of one number a channel: a tangent then
 * passes through few operations of full size. Consumes all.
 * @param x  [N, C, ...]
 * @param gain  [C]
 */
export function groupNormalization(
  call: OperatorCall,
  x: JaxArray,
  groups: number,
  gain: JaxArray,
  offset: JaxArray,
): JaxArray {
  const shape = [...x.shape];
  const [n, c, ...spatial] = shape as [number, number, ...number[]];
  // With an axis for the channels of a group nothing is ever copied from groups to channels.
  const grouped = x.reshape([n, groups, c / groups, spatial.reduce((a, b) => a * b, 1)]);
  const { mean, inverse } = momentsOver(call, grouped, [-2, -1], epsilonOf(call));
  const perChannel = (v: JaxArray): JaxArray => v.reshape([1, groups, c / groups, 1]);
  const factor = inverse.mul(perChannel(gain));
  const shift = perChannel(offset).sub(mean.mul(factor.ref));
  return grouped.mul(factor).add(shift).reshape(shape);
}

/** Opset 18 has one scale a group (a mistake of the standard), opset 21 one a channel. */
const groupNormalizationRule: OperatorRule = (call) => {
  const np = call.jax.numpy;
  const groups = call.int('num_groups');
  const channels = call.shape(0)[1] as number;
  if (channels % groups !== 0) call.fail(`has ${channels} channels, which ${groups} groups do not divide.`);
  const own = (index: number): JaxArray => {
    const v = call.array(index);
    return v.size === channels ? v : np.repeat(v, channels / groups);
  };
  return tracedValue(groupNormalization(call, call.array(0), groups, own(1), own(2)));
};

const instanceNormalization: OperatorRule = (call) => {
  const x = call.array(0);
  return tracedValue(groupNormalization(call, x, x.shape[1] as number, call.array(1), call.array(2)));
};

/** Sizes before the attribute `axis` and the number of elements from it on, which are normalized together. */
function normalizedRows(call: OperatorCall): { lead: number[]; size: number } {
  const shape = call.shape(0);
  const axis = call.int('axis', -1);
  const lead = shape.slice(0, axis < 0 ? axis + shape.length : axis);
  return { lead, size: shape.slice(lead.length).reduce((a, b) => a * b, 1) };
}

/** Gain and offset, where they are given. */
function affine(call: OperatorCall, normalized: JaxArray): JaxArray {
  const scaled = call.has(1) ? normalized.mul(call.array(1)) : normalized;
  return call.has(2) ? scaled.add(call.array(2)) : scaled;
}

const layerNormalization: OperatorRule = (call) => {
  const { lead, size } = normalizedRows(call);
  const shape = [...call.shape(0)];
  const rows = call.array(0).reshape([...lead, size]);
  const { mean, inverse } = momentsOver(call, rows, [-1], epsilonOf(call));
  const normalized = rows.sub(mean.ref).mul(inverse.ref).reshape(shape);
  const statistic = [...lead, ...shape.slice(lead.length).map(() => 1)];
  return [affine(call, normalized), mean.reshape(statistic), inverse.reshape(statistic)].map(tracedValue);
};

const rmsNormalization: OperatorRule = (call) => {
  const np = call.jax.numpy;
  const { lead, size } = normalizedRows(call);
  const rows = call.array(0).reshape([...lead, size]);
  const square = meanOver(call, rows.ref.mul(rows.ref), [-1]);
  const inverse = np.reciprocal(np.sqrt(square.add(scalar(call, epsilonOf(call)))));
  return tracedValue(affine(call, rows.mul(inverse).reshape([...call.shape(0)])));
};

/** With the statistics of training, as one gain and one offset a channel. */
const batchNormalization: OperatorRule = (call): OnnxValue => {
  const np = call.jax.numpy;
  if (call.int('training_mode', 0) !== 0) call.fail('is in training mode. Export the model after model.eval().');
  const x = call.array(0);
  const [scale, offset, mean, variance] = [call.array(1), call.array(2), call.array(3), call.array(4)];
  const factor = scale.mul(np.reciprocal(np.sqrt(variance.add(scalar(call, epsilonOf(call))))));
  const shift = offset.sub(mean.mul(factor.ref));
  return tracedValue(x.ref.mul(perChannel(factor, x.ndim)).add(perChannel(shift, x.ndim)));
};

/** x over its norm along one axis. */
const lpNormalization: OperatorRule = (call) => {
  const np = call.jax.numpy;
  const x = call.array(0);
  const axis = call.int('axis', -1);
  const p = call.int('p', 2);
  const total = (p === 1 ? np.abs(x.ref) : x.ref.mul(x.ref)).sum(axis, { keepdims: true });
  return tracedValue(x.mul(np.reciprocal(p === 1 ? total : np.sqrt(total))));
};

/** Normalizations. */
export const normalizationRules: OperatorRules = {
  GroupNormalization: groupNormalizationRule,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  BatchNormalization: batchNormalization,
  LpNormalization: lpNormalization,
};
