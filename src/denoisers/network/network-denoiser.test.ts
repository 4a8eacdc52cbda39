import { describe, expect, it, vi } from 'vitest';
import { describeDenoiserContract } from '../../../test/contracts/denoiser.ts';
import { startBackend } from '../../engine/backend/start.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, row, slice } from '../../tensor/tensor.ts';
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
  it('prepare() makes the graphs that calls of a size need, and the calls make none', async () => {
    await using backend = await startBackend();
    const made = vi.spyOn(backend, 'createSession');
    const options = { name: 'test', network: smallMlp, weights: livelyWeights(smallMlp), sigmaData: 0.5 };
    await using denoiser = networkDenoiser({ ...options, backends: [backend], blockSizes: [1, 4] });
    const x = castFloat(normal(randomKey(1, 'x'), [5, 12]), 'float32');
    await denoiser.prepare?.('products', 5);
    // Five vectors are a block of four and one alone, with J and with its transpose.
    expect(made).toHaveBeenCalledTimes(4);
    const op = denoiser.linearize(row(x, 0), 0.7);
    await Promise.all([op.apply(x), op.applyTranspose(x)]);
    expect(made).toHaveBeenCalledTimes(4);
    await denoiser.prepare?.('denoise', 1);
    expect(made).toHaveBeenCalledTimes(5);
    await denoiser.denoise(slice(x, 0, 1), 0.7);
    expect(made).toHaveBeenCalledTimes(5);
  });

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
