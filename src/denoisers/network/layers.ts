import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';
import type { Initialization, ParameterSpec, Parameters } from './network.ts';

/** Added to a variance before its root (the usual 1e-5 of group normalization). */
const epsilon = 1e-5;

/** Spec of a dense layer: w [out, in], b [out]. */
export function linearSpec(name: string, inputs: number, outputs: number, zero: boolean = false): ParameterSpec[] {
  const init: Initialization = zero ? { kind: 'zeros' } : { kind: 'normal', fanIn: inputs };
  return [
    { name: `${name}.w`, shape: [outputs, inputs], init },
    { name: `${name}.b`, shape: [outputs], init: { kind: 'zeros' } },
  ];
}

/** Spec of a convolution: w [out, in, size, size], b [out]. */
export function convSpec(
  name: string,
  inputs: number,
  outputs: number,
  size: number = 3,
  zero: boolean = false,
): ParameterSpec[] {
  const init: Initialization = zero ? { kind: 'zeros' } : { kind: 'normal', fanIn: inputs * size * size };
  return [
    { name: `${name}.w`, shape: [outputs, inputs, size, size], init },
    { name: `${name}.b`, shape: [outputs], init: { kind: 'zeros' } },
  ];
}

/** Spec of a group normalization: g [channels], b [channels]. */
export function groupNormSpec(name: string, channels: number): ParameterSpec[] {
  return [
    { name: `${name}.g`, shape: [channels], init: { kind: 'ones' } },
    { name: `${name}.b`, shape: [channels], init: { kind: 'zeros' } },
  ];
}

const weight = (p: Parameters, name: string): JaxArray => (p[name] as JaxArray).ref;

/** x [B, in] -> [B, out]. */
export function linear(jax: JaxLibrary, p: Parameters, name: string, x: JaxArray): JaxArray {
  return jax.numpy.matmul(x, jax.numpy.transpose(weight(p, `${name}.w`))).add(weight(p, `${name}.b`));
}

/** x [B, in, H, W] -> [B, out, H / stride, W / stride] with zero padding that keeps the size at stride 1. */
export function conv(jax: JaxLibrary, p: Parameters, name: string, x: JaxArray, stride: number = 1): JaxArray {
  const w = weight(p, `${name}.w`);
  const [outputs, , size] = w.shape as [number, number, number, number];
  const pad: [number, number] = [(size - 1) / 2, (size - 1) / 2];
  const y = jax.lax.convWithGeneralPadding(x, w, [stride, stride], [pad, pad]);
  return y.add(weight(p, `${name}.b`).reshape([1, outputs, 1, 1]));
}

/**
 * Group normalization, written as x A + B with A, B of size [B, C, 1, 1] so that a tangent passes through few full-size operations.
 * The variance is taken about a mean held constant: its derivative in the mean is exactly zero, and one pass is saved.
 */
export function groupNorm(jax: JaxLibrary, p: Parameters, name: string, x: JaxArray, groups: number): JaxArray {
  const np = jax.numpy;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const grouped = x.ref.reshape([batch, groups, (channels / groups) * height * width]);
  const mean = np.mean(grouped.ref, -1, { keepdims: true });
  const centred = grouped.sub(jax.lax.stopGradient(mean.ref));
  const variance = np.mean(centred.ref.mul(centred), -1, { keepdims: true });
  const scale = np.reciprocal(np.sqrt(variance.add(epsilon)));
  const perChannel = (v: JaxArray): JaxArray =>
    np.broadcastTo(v.reshape([batch, groups, 1]), [batch, groups, channels / groups]).reshape([batch, channels, 1, 1]);
  const gain = perChannel(scale).mul(weight(p, `${name}.g`).reshape([1, channels, 1, 1]));
  const offset = weight(p, `${name}.b`).reshape([1, channels, 1, 1]).sub(perChannel(mean).mul(gain.ref));
  return x.mul(gain).add(offset);
}

/** Nearest-neighbour upsampling by 2. */
export function upsample(jax: JaxLibrary, x: JaxArray): JaxArray {
  const [batch, channels, h, w] = x.shape as [number, number, number, number];
  const copies = jax.numpy.broadcastTo(x.reshape([batch, channels, h, 1, w, 1]), [batch, channels, h, 2, w, 2]);
  return copies.reshape([batch, channels, 2 * h, 2 * w]);
}

/** Spec of one-head self-attention over positions. */
export function attentionSpec(name: string, channels: number): ParameterSpec[] {
  return [
    ...groupNormSpec(`${name}.norm`, channels),
    ...convSpec(`${name}.qkv`, channels, 3 * channels, 1),
    ...convSpec(`${name}.out`, channels, channels, 1, true),
  ];
}

/** x + out(softmax(q k^T / sqrt(C)) v) over the H W positions. */
export function attention(jax: JaxLibrary, p: Parameters, name: string, x: JaxArray, groups: number): JaxArray {
  const np = jax.numpy;
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const qkv = conv(jax, p, `${name}.qkv`, groupNorm(jax, p, `${name}.norm`, x.ref, groups));
  const parts = np.split(qkv.reshape([batch, 3, channels, height * width]), 3, 1);
  const [q, k, v] = parts.map((part) => part.reshape([batch, channels, height * width])) as [
    JaxArray,
    JaxArray,
    JaxArray,
  ];
  const logits = np.matmul(np.transpose(q, [0, 2, 1]), k).mul(1 / Math.sqrt(channels));
  const weights = jax.nn.softmax(logits, -1);
  const mixed = np.matmul(v, np.transpose(weights, [0, 2, 1])).reshape([batch, channels, height, width]);
  return x.add(conv(jax, p, `${name}.out`, mixed));
}
