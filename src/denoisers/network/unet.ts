import { DomainError } from '../../errors/errors.ts';
import {
  attention,
  attentionSpec,
  conv,
  convSpec,
  groupNorm,
  groupNormSpec,
  linear,
  linearSpec,
  upsample,
} from './layers.ts';
import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';
import type { Network, Parameters, ParameterSpec } from './network.ts';

/** Size of a U-Net. Every level but the last halves height and width. */
export interface UnetConfig {
  /** [C, H, W]; H and W divisible by 2^(levels - 1). */
  readonly sampleShape: readonly [number, number, number];
  /** Channels at each level, from full resolution down; divisible by `groups`. */
  readonly channels: readonly number[];
  /** Noise features; the embedding has four times as many channels. */
  readonly features: number;
  /** Groups of the normalizations. */
  readonly groups: number;
  /** Self-attention in the middle. */
  readonly attention: boolean;
}

interface Block {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
}

/** The blocks of one way down and up: one residual block a level down, two (with the skips) a level up. */
interface Plan {
  readonly down: readonly Block[];
  readonly middle: readonly Block[];
  /** Per level, from the deepest up. */
  readonly up: readonly (readonly Block[])[];
}

function plan(channels: readonly number[]): Plan {
  let current = channels[0] as number;
  const skips = [current];
  const down = channels.map((outputs, i) => {
    const block = { name: `down${i}`, inputs: current, outputs };
    current = outputs;
    skips.push(current);
    if (i < channels.length - 1) skips.push(current);
    return block;
  });
  const middle = ['middle0', 'middle1'].map((name) => ({ name, inputs: current, outputs: current }));
  const up = channels
    .map((outputs, i) => ({ outputs, i }))
    .reverse()
    .map(({ outputs, i }) =>
      [0, 1].flatMap((j) => {
        const skip = skips.pop();
        if (skip === undefined) return [];
        const block = { name: `up${i}${j}`, inputs: current + skip, outputs };
        current = outputs;
        return [block];
      }),
    );
  return { down, middle, up };
}

function blockSpec({ name, inputs, outputs }: Block, embedding: number): ParameterSpec[] {
  return [
    ...groupNormSpec(`${name}.norm1`, inputs),
    ...convSpec(`${name}.conv1`, inputs, outputs),
    ...linearSpec(`${name}.noise`, embedding, outputs),
    ...groupNormSpec(`${name}.norm2`, outputs),
    ...convSpec(`${name}.conv2`, outputs, outputs, 3, true),
    ...(inputs === outputs ? [] : convSpec(`${name}.skip`, inputs, outputs, 1)),
  ];
}

/**
 * U-Net of Ho et al. 2020 (arXiv 2006.11239, appendix B) in small: residual blocks with group normalization, SiLU and a noise embedding,
 * strided convolutions down, nearest neighbours up, skips at every level, optional attention in the middle.
 * @throws DomainError where sizes do not divide
 */
export function unet(config: UnetConfig): Network {
  const { sampleShape, channels, features, groups } = config;
  const [colors, height, width] = sampleShape;
  const factor = 2 ** (channels.length - 1);
  if (height % factor !== 0 || width % factor !== 0) {
    throw new DomainError('unet', `expected height and width divisible by ${factor}, got ${height} x ${width}.`);
  }
  const { down, middle, up } = plan(channels);
  const blocks = [...down, ...middle, ...up.flat()];
  const odd = blocks.find((b) => b.inputs % groups !== 0 || b.outputs % groups !== 0);
  if (odd !== undefined) {
    throw new DomainError('unet', `expected channels divisible by ${groups} groups, got ${odd.inputs} in ${odd.name}.`);
  }
  const deepest = channels.at(-1) as number;
  const parameters = [
    ...linearSpec('embed0', features, 4 * features),
    ...linearSpec('embed1', 4 * features, 4 * features),
    ...convSpec('in', colors, channels[0] as number),
    ...blocks.flatMap((b) => blockSpec(b, 4 * features)),
    ...channels.slice(0, -1).flatMap((c, i) => convSpec(`shrink${i}`, c, c)),
    ...channels.slice(1).flatMap((c, i) => convSpec(`grow${i + 1}`, c, c)),
    ...(config.attention ? attentionSpec('attention', deepest) : []),
    ...groupNormSpec('norm', channels[0] as number),
    ...convSpec('out', channels[0] as number, colors, 3, true),
  ];
  return {
    parameters,
    sampleShape,
    featureCount: features,
    apply: (jax, p, x, noise) => applyUnet(jax, p, config, x, noise),
  };
}

function residualBlock(
  jax: JaxLibrary,
  p: Parameters,
  name: string,
  x: JaxArray,
  embedding: JaxArray,
  groups: number,
): JaxArray {
  const { silu } = jax.nn;
  const first = conv(jax, p, `${name}.conv1`, silu(groupNorm(jax, p, `${name}.norm1`, x.ref, groups)));
  const shift = linear(jax, p, `${name}.noise`, silu(embedding.ref));
  const shifted = first.add(shift.reshape([...shift.shape, 1, 1]));
  const second = conv(jax, p, `${name}.conv2`, silu(groupNorm(jax, p, `${name}.norm2`, shifted, groups)));
  return second.add(p[`${name}.skip.w`] === undefined ? x : conv(jax, p, `${name}.skip`, x));
}

function applyUnet(jax: JaxLibrary, p: Parameters, config: UnetConfig, x: JaxArray, noise: JaxArray): JaxArray {
  const { channels, groups } = config;
  const { up } = plan(channels);
  const embedding = linear(jax, p, 'embed1', jax.nn.silu(linear(jax, p, 'embed0', noise)));
  const block = (name: string, h: JaxArray): JaxArray => residualBlock(jax, p, name, h, embedding, groups);
  let h = conv(jax, p, 'in', x);
  const skips = [h.ref];
  channels.forEach((_, i) => {
    h = block(`down${i}`, h);
    skips.push(h.ref);
    if (i === channels.length - 1) return;
    h = conv(jax, p, `shrink${i}`, h, 2);
    skips.push(h.ref);
  });
  h = block('middle0', h);
  if (config.attention) h = attention(jax, p, 'attention', h, groups);
  h = block('middle1', h);
  up.forEach((blocks, step) => {
    for (const { name } of blocks) h = block(name, jax.numpy.concatenate([h, skips.pop() as JaxArray], 1));
    const level = channels.length - 1 - step;
    if (level > 0) h = conv(jax, p, `grow${level}`, upsample(jax, h));
  });
  embedding.dispose();
  return conv(jax, p, 'out', jax.nn.silu(groupNorm(jax, p, 'norm', h, groups)));
}
