import type { Network } from '../src/denoisers/network/network.ts';
import { unet } from '../src/denoisers/network/unet.ts';
import { matmul } from '../src/linalg/matmul.ts';
import { normal, randomKey } from '../src/tensor/random.ts';
import { castFloat, tensor } from '../src/tensor/tensor.ts';
import type { Tensor } from '../src/tensor/tensor.ts';

/** What both sides compute with. */
export interface BenchArrays {
  readonly network: Network;
  /** In the order of the network's parameters. */
  readonly weights: readonly Tensor<'float32'>[];
  /** A batch of 16: samples, noise features, and a tangent, cotangent or target. */
  readonly x: Tensor<'float32'>;
  readonly features: Tensor<'float32'>;
  readonly v: Tensor<'float32'>;
  /** One point, its noise features, and 16 tangents there. */
  readonly point: Tensor<'float32'>;
  readonly noise: Tensor<'float32'>;
  readonly block: Tensor<'float32'>;
  readonly symmetric: Tensor<'float64'>;
  readonly square: Tensor<'float64'>;
}

const batch = 16;
const order = 784;

/** The reference U-Net with weights as after some training, none of them zero, and the inputs of every operation. */
export function benchArrays(): BenchArrays {
  const sampleShape = [1, 32, 32] as const;
  const network = unet({ sampleShape, channels: [32, 64, 64], features: 32, groups: 8, attention: true });
  const draw = (name: string, shape: readonly number[]): Tensor<'float32'> =>
    castFloat(normal(randomKey(1, name), shape), 'float32');
  const weights = network.parameters.map(({ name, shape, init }) => {
    const scale = init.kind === 'normal' ? init.fanIn ** -0.5 : 0.05;
    const offset = init.kind === 'ones' ? 1 : 0;
    return tensor(
      'float32',
      shape,
      draw(name, shape).data.map((z) => offset + scale * z),
    );
  });
  const square = normal(randomKey(1, 'square'), [order, order]);
  return {
    network,
    weights,
    x: draw('x', [batch, ...sampleShape]),
    features: draw('features', [batch, network.featureCount]),
    v: draw('v', [batch, ...sampleShape]),
    point: draw('point', [1, ...sampleShape]),
    noise: draw('noise', [1, network.featureCount]),
    block: draw('block', [batch, 1, ...sampleShape]),
    symmetric: matmul(square, square, { transposeB: true }),
    square,
  };
}

/** The arrays by the names that the peer knows. */
export function namedArrays({ network, weights, ...others }: BenchArrays): Map<string, Tensor> {
  const named = network.parameters.map(({ name }, i) => [`w/${name}`, weights[i] as Tensor] as const);
  return new Map<string, Tensor>([...named, ...Object.entries(others)]);
}
