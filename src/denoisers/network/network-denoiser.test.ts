import { describe, expect, it } from 'vitest';
import { describeDenoiserContract } from '../../../test/contracts/denoiser.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat } from '../../tensor/tensor.ts';
import type { FloatDType, Tensor } from '../../tensor/tensor.ts';
import type { Denoiser } from '../denoiser.ts';
import { mlp } from './mlp.ts';
import type { Network } from './network.ts';
import { networkDenoiser } from './network-denoiser.ts';
import { unet } from './unet.ts';

const smallUnet = unet({ sampleShape: [1, 8, 8], channels: [8, 16], features: 8, groups: 4, attention: true });
const smallMlp = mlp({ sampleShape: [12], width: 16, depth: 2, features: 8 });

/** Weights with no zero arrays, so that every path of the network carries signal. */
function livelyWeights(network: Network): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(
    network.parameters.map(({ name, shape, init }) => {
      const draws = castFloat(normal(randomKey(3, name), shape), 'float32');
      const scale = init.kind === 'normal' ? init.fanIn ** -0.5 : 0.2;
      const offset = init.kind === 'ones' ? 1 : 0;
      return [name, { ...draws, data: draws.data.map((z) => offset + scale * z) }];
    }),
  );
}

const create = (network: Network, dtype: FloatDType): Denoiser =>
  networkDenoiser({
    name: 'test',
    network,
    weights: livelyWeights(network),
    sigmaData: 0.5,
    dtype,
    blockSizes: [1, 4],
  });

describeDenoiserContract('U-Net, float64', { create: () => create(smallUnet, 'float64'), roundings: 4096 });
describeDenoiserContract('U-Net, float32', { create: () => create(smallUnet, 'float32'), roundings: 4096 });
describeDenoiserContract('MLP, float64', { create: () => create(smallMlp, 'float64'), roundings: 1024 });

describe('networkDenoiser()', () => {
  it('networkDenoiser() refuses weights that are not finite and names the first', () => {
    const weights = livelyWeights(smallMlp);
    (weights['out.w'] as Tensor<'float32'>).data[5] = NaN;
    const options = { name: 'broken', network: smallMlp, weights, sigmaData: 0.5 };
    expect(() => networkDenoiser(options)).toThrow(/broken: expected finite weights, got NaN at element 5 of 'out.w'/);
  });

  it('networkDenoiser() refuses missing, surplus and misshapen weights', () => {
    const { 'out.b': dropped, ...missing } = livelyWeights(smallMlp);
    const of = (weights: Record<string, Tensor<'float32'>>) => () =>
      networkDenoiser({ name: 'odd', network: smallMlp, weights, sigmaData: 0.5 });
    expect(of(missing)).toThrow(/lacks the weight 'out.b'/);
    expect(of({ ...missing, 'out.b': dropped as Tensor<'float32'>, extra: dropped as Tensor<'float32'> })).toThrow(
      /has a weight 'extra'/,
    );
    expect(of({ ...missing, 'out.b': missing['out.w'] as Tensor<'float32'> })).toThrow(/expected \[12\] for weight/);
  });
});
