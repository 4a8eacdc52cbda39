import type { Network } from '../../src/denoisers/network/network.ts';
import { conv, convSpec, groupNorm, groupNormSpec } from '../../src/denoisers/network/layers.ts';
import { unet } from '../../src/denoisers/network/unet.ts';
import { initialWeights, orderedWeights } from '../../src/denoisers/network/weights.ts';
import { loadJax } from '../../src/engine/jax.ts';
import type { JaxArray } from '../../src/engine/jax.ts';
import type { LoweredModel } from '../../src/engine/lower/lower.ts';
import { lower } from '../../src/engine/lower/lower.ts';
import type { ArgumentSpec } from '../../src/engine/trace.ts';
import { trace } from '../../src/engine/trace.ts';
import { normal, randomKey } from '../../src/tensor/random.ts';
import { castFloat, tensor } from '../../src/tensor/tensor.ts';
import type { FloatDType, FloatTensor } from '../../src/tensor/tensor.ts';

/** What is computed of the network: its value at a batch, or J v, J^T u for a block of vectors at one point. */
export type GraphKind = 'forward' | 'jvp' | 'vjp';

/** All of them. */
export const graphKinds: readonly GraphKind[] = ['forward', 'jvp', 'vjp'];

/** A small version of what people train, or a piece of it. */
export type NetworkName = 'unet' | 'block';

/** x + conv(silu(norm(conv(x)))): a dozen kernels, since WebGPU on a processor needs a second to compile each few. */
const block: Network = {
  parameters: [...convSpec('in', 1, 4), ...groupNormSpec('norm', 4), ...convSpec('out', 4, 1)],
  sampleShape: [1, 8, 8],
  featureCount: 1,
  apply: (jax, p, x, features) => {
    features.dispose();
    const inner = groupNorm(jax, p, 'norm', conv(jax, p, 'in', x.ref), 2);
    return x.add(conv(jax, p, 'out', jax.nn.silu(inner)));
  },
};

const networks: Record<NetworkName, Network> = {
  unet: unet({ sampleShape: [1, 16, 16], channels: [16, 32], features: 16, groups: 8, attention: true }),
  block,
};

const rows = 4;

/** Weights without the zeros that training starts from: those would hide most of the network. */
function weights(network: Network, dtype: FloatDType): FloatTensor[] {
  const made = Object.entries(initialWeights(network, 1)).map(([name, { shape, data }]) => {
    const noise = normal(randomKey(2, name), shape).data;
    return [
      name,
      tensor(
        'float32',
        shape,
        data.map((v, i) => v + 0.05 * (noise[i] as number)),
      ),
    ] as const;
  });
  return orderedWeights('graphs.fixture', network, Object.fromEntries(made), dtype) as FloatTensor[];
}

function specs(network: Network, kind: GraphKind, dtype: FloatDType): ArgumentSpec[] {
  const count = kind === 'forward' ? rows : 1;
  const values = weights(network, dtype);
  return [
    ...network.parameters.map(({ shape }, i) => ({ shape, dtype, value: values[i] as FloatTensor })),
    { shape: [count, ...network.sampleShape], dtype },
    { shape: [count, network.featureCount], dtype },
    ...(kind === 'forward' ? [] : [{ shape: [rows, 1, ...network.sampleShape], dtype, linear: true }]),
  ];
}

/** A graph of the network as ONNX, traced and lowered wherever this runs. */
export async function lowerGraph(
  kind: GraphKind,
  name: NetworkName = 'unet',
  dtype: FloatDType = 'float32',
): Promise<LoweredModel> {
  const network = networks[name];
  const jax = await loadJax();
  const fn = (...inputs: JaxArray[]): JaxArray => {
    const p = Object.fromEntries(network.parameters.map((spec, i) => [spec.name, inputs[i] as JaxArray]));
    const [x, features, block] = inputs.slice(network.parameters.length) as [JaxArray, JaxArray, JaxArray];
    const at = (y: JaxArray): JaxArray => network.apply(jax, p, y, features.ref);
    if (kind === 'forward') return at(x);
    if (kind === 'vjp') {
      const [value, pull] = jax.vjp(at, [x]);
      value.dispose();
      return jax.vmap((u: JaxArray) => pull(u)[0])(block);
    }
    return jax.vmap((v: JaxArray) => {
      const [value, tangent] = jax.jvp(at, [x.ref], [v]);
      value.dispose();
      return tangent;
    })(block);
  };
  return lower(await trace(fn, specs(network, kind, dtype)));
}

/** The arguments that a model is run with, equal in Node and in a page. */
export function argumentsOf(inputs: LoweredModel['inputs']): FloatTensor[] {
  return inputs.map(({ name, shape, dtype }) =>
    castFloat(normal(randomKey(3, name), shape), dtype as FloatDType),
  ) as FloatTensor[];
}
