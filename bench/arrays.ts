import type { Network } from '../src/denoisers/network/network.ts';
import { noiseFeatures } from '../src/denoisers/network/features.ts';
import { unet } from '../src/denoisers/network/unet.ts';
import { edmPreconditioning } from '../src/diffusion/edm.ts';
import { matmul } from '../src/linalg/matmul.ts';
import { normal, randomKey } from '../src/tensor/random.ts';
import { castFloat, tensor } from '../src/tensor/tensor.ts';
import type { Tensor } from '../src/tensor/tensor.ts';

/** A network with its weights, in the order of its parameters. */
export interface BenchNetwork {
  readonly network: Network;
  readonly weights: readonly Tensor<'float32'>[];
}

/** What both sides compute with. */
export interface BenchArrays extends BenchNetwork {
  /** A batch of 16: samples, noise features, and a tangent, cotangent or target. */
  readonly x: Tensor<'float32'>;
  readonly features: Tensor<'float32'>;
  readonly v: Tensor<'float32'>;
  /** One point, its noise features, and 16 tangents there. */
  readonly point: Tensor<'float32'>;
  readonly noise: Tensor<'float32'>;
  readonly block: Tensor<'float32'>;
  /** The denoiser of three colours whose singular triplets are looked for, at the point `colors` and noise level `sigma`. */
  readonly denoiser: BenchNetwork;
  readonly colors: Tensor<'float32'>;
  readonly symmetric: Tensor<'float64'>;
  readonly square: Tensor<'float64'>;
}

const batch = 16;
const order = 784;

/** Noise level of the denoiser, in units of the data. */
export const sigma = 1;

const draw = (name: string, shape: readonly number[]): Tensor<'float32'> =>
  castFloat(normal(randomKey(1, name), shape), 'float32');

/** The reference U-Net with weights as after some training, none of them zero. */
function benchNetwork(colors: number): BenchNetwork {
  const sampleShape = [colors, 32, 32] as const;
  const network = unet({ sampleShape, channels: [32, 64, 64], features: 32, groups: 8, attention: true });
  const weights = network.parameters.map(({ name, shape, init }) => {
    const scale = init.kind === 'normal' ? init.fanIn ** -0.5 : 0.05;
    const offset = init.kind === 'ones' ? 1 : 0;
    return tensor(
      'float32',
      shape,
      draw(name, shape).data.map((z) => offset + scale * z),
    );
  });
  return { network, weights };
}

/** The networks and the inputs of every operation. */
export function benchArrays(): BenchArrays {
  const { network, weights } = benchNetwork(1);
  const { sampleShape, featureCount } = network;
  const square = normal(randomKey(1, 'square'), [order, order]);
  return {
    network,
    weights,
    x: draw('x', [batch, ...sampleShape]),
    features: draw('features', [batch, featureCount]),
    v: draw('v', [batch, ...sampleShape]),
    point: draw('point', [1, ...sampleShape]),
    noise: draw('noise', [1, featureCount]),
    block: draw('block', [batch, 1, ...sampleShape]),
    denoiser: benchNetwork(3),
    colors: draw('colors', [1, 3, 32, 32]),
    symmetric: matmul(square, square, { transposeB: true }),
    square,
  };
}

/** The arrays by the names that the peer knows. */
export function namedArrays({ network, weights, denoiser, ...others }: BenchArrays): Map<string, Tensor> {
  const named = (prefix: string, of: BenchNetwork): [string, Tensor][] =>
    of.network.parameters.map(({ name }, i) => [`${prefix}/${name}`, of.weights[i] as Tensor]);
  const { cSkip, cOut, cIn, cNoise } = edmPreconditioning(sigma);
  return new Map<string, Tensor>([
    ...named('w', { network, weights }),
    ...named('d', denoiser),
    ['factors', tensor('float64', [3], Float64Array.of(cSkip, cOut, cIn))],
    ['level', noiseFeatures(Float64Array.of(cNoise), network.featureCount)],
    ...Object.entries(others),
  ]);
}
