import { sizeOf } from '../../tensor/tensor.ts';
import { linear, linearSpec } from './layers.ts';
import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';
import type { Network, Parameters } from './network.ts';

/** Size of a multilayer perceptron with residual blocks. */
export interface MlpConfig {
  readonly sampleShape: readonly number[];
  /** Width of every hidden layer. */
  readonly width: number;
  /** Residual blocks h + W2 silu(W1 silu(h)). */
  readonly depth: number;
  /** Noise features, added to the first hidden layer and to each block. */
  readonly features: number;
}

/** Fully connected network on flattened samples: the plainest denoiser, for vectors and for small images. */
export function mlp(config: MlpConfig): Network {
  const { sampleShape, width, depth, features } = config;
  const dimension = sizeOf(sampleShape);
  const blocks = Array.from({ length: depth }, (_, i) => `block${i}`);
  return {
    parameters: [
      ...linearSpec('in', dimension, width),
      ...linearSpec('embed', features, width),
      ...blocks.flatMap((name) => [
        ...linearSpec(`${name}.noise`, width, width),
        ...linearSpec(`${name}.a`, width, width),
        ...linearSpec(`${name}.b`, width, width, true),
      ]),
      ...linearSpec('out', width, dimension, true),
    ],
    sampleShape,
    featureCount: features,
    apply: (jax, p, x, noise) => applyMlp(jax, p, blocks, dimension, x, noise),
  };
}

function applyMlp(
  jax: JaxLibrary,
  p: Parameters,
  blocks: readonly string[],
  dimension: number,
  x: JaxArray,
  noise: JaxArray,
): JaxArray {
  const { silu } = jax.nn;
  const shape = x.shape;
  const embedding = silu(linear(jax, p, 'embed', noise));
  let h = linear(jax, p, 'in', x.reshape([shape[0] as number, dimension]));
  for (const name of blocks) {
    const shifted = h.ref.add(linear(jax, p, `${name}.noise`, embedding.ref));
    h = h.add(linear(jax, p, `${name}.b`, silu(linear(jax, p, `${name}.a`, silu(shifted)))));
  }
  embedding.dispose();
  return linear(jax, p, 'out', silu(h)).reshape(shape);
}
