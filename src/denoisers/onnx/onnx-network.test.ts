import { describe, expect, it } from 'vitest';
import { describeDenoiserContract } from '../../../test/contracts/denoiser.ts';
import { openOnnxFile } from '../../data/onnx-files.ts';
import { parameterization } from '../../diffusion/parameterization.ts';
import type { ParameterizationSpec } from '../../diffusion/parameterization.ts';
import { graph, model, node } from '../../engine/onnx/model.fixture.ts';
import { readOnnx } from '../../engine/onnx/read/read-onnx.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, tensor } from '../../tensor/tensor.ts';
import type { FloatDType } from '../../tensor/tensor.ts';
import type { Denoiser } from '../denoiser.ts';
import { OnnxNetwork } from './onnx-network.ts';
import { assignRoles, sampleShapeOf } from './roles.ts';

interface Opened {
  readonly network: OnnxNetwork;
  readonly denoiser: Denoiser;
}

async function open(
  name: string,
  spec: ParameterizationSpec,
  dtype: FloatDType = 'float32',
  wanted?: readonly number[],
): Promise<Opened> {
  const { bytes, readExternal } = await openOnnxFile(`test/models/${name}.onnx`);
  const model = await readOnnx(name, bytes, { readExternal });
  const roles = assignRoles(name, model);
  const sampleShape = sampleShapeOf(name, roles.sample, wanted);
  const text = roles.text && castFloat(normal(randomKey(4, 'text'), [3, roles.text.shape?.[2] as number]), 'float32');
  const condition = { classLabel: 1, text };
  const network = new OnnxNetwork({ name, model, roles, sampleShape, condition, dtype, blockSizes: [1, 4] });
  const release = (): Promise<void> => network[Symbol.asyncDispose]();
  return { network, denoiser: network.denoiser({ parameterization: parameterization(spec) }, release) };
}

const make = async (...args: Parameters<typeof open>): Promise<Denoiser> => (await open(...args)).denoiser;

// Random weights: the parameterizations are those of the imitated networks, but what they compute is no posterior mean.
describeDenoiserContract('DiT with learned variance and a class, batched, float32', {
  create: () => make('dit', { kind: 'epsilon' }),
  roundings: 4096,
});
describeDenoiserContract('EDM with one time for the batch, float32', {
  create: () => make('edm-fourier', { kind: 'denoised' }),
  roundings: 4096,
});
describeDenoiserContract('latent denoiser with text, float32', {
  create: () => make('latent-denoiser', { kind: 'v' }),
  roundings: 4096,
});
describeDenoiserContract('blind network, float64', {
  create: () => make('blind-unet', { kind: 'blind' }, 'float64'),
  roundings: 4096,
});

describe('OnnxNetwork', () => {
  it('denoiser() reads one network in several parameterizations that share its graphs: v = epsilon combined with x', async () => {
    const opened = await open('dit', { kind: 'x0' });
    const { denoiser } = opened;
    await using network = opened.network;
    const residual = network.denoiser({ parameterization: parameterization({ kind: 'epsilon' }) });
    const x = normal(randomKey(1, 'readings'), [2, ...denoiser.sampleShape]);
    const sigma = 0.7;
    const [f, d] = await Promise.all([denoiser.denoise(x, sigma), residual.denoise(x, sigma)]);
    // x0-prediction gives F itself, epsilon-prediction x - sigma F: the same F, to rounding of values up to about 5.
    d.data.forEach((value, i) => {
      expect(Math.abs(value - ((x.data[i] as number) - sigma * (f.data[i] as number)))).toBeLessThan(16 * 2 ** -23 * 5);
    });
  });

  it('denoiser() of a bias-free network is its Jacobian times its input: D(y) = J(y) y', async () => {
    await using denoiser = await make('blind-cnn', { kind: 'blind' }, 'float64', [1, 12, 12]);
    const y = normal(randomKey(2, 'bias-free'), [1, 1, 12, 12]);
    const [d, jy] = await Promise.all([
      denoiser.denoise(y, 0.3),
      denoiser.linearize(y, 0.3).apply({ ...y, shape: [1, 144] }),
    ]);
    const largest = Math.max(...d.data.map(Math.abs));
    d.data.forEach((value, i) => expect(Math.abs(value - (jy.data[i] as number))).toBeLessThan(1e-12 * largest));
  });

  it('denoiser() keeps weights apart from the scales of a Resize that stand before them in the file', async () => {
    const input = { name: 'x', elementType: 'float32', shape: ['n', 1, 2, 2] };
    const { scales, half, gain } = {
      scales: tensor('float32', [4], Float32Array.of(1, 1, 2, 2)),
      half: tensor('float32', [4], Float32Array.of(1, 1, 0.5, 0.5)),
      gain: tensor('float32', [1], Float32Array.of(3)),
    };
    const nodes = [
      node('Resize', ['x', '', 'scales'], ['large']),
      node('Mul', ['large', 'gain'], ['scaled']),
      node('Resize', ['scaled', '', 'half'], ['y']),
    ];
    const foreign = model(graph({ inputs: [input], outputs: ['y'], nodes, weights: { scales, half, gain } }));
    const roles = assignRoles('resizing', foreign);
    await using network = new OnnxNetwork({ name: 'resizing', model: foreign, roles, sampleShape: [1, 2, 2] });
    const denoiser = network.denoiser({ parameterization: parameterization({ kind: 'blind' }) });
    const x = tensor('float32', [1, 1, 2, 2], Float32Array.of(1, 2, 3, 4));
    expect([...(await denoiser.denoise(x, 1)).data]).toEqual([3, 6, 9, 12]);
  });

  it('OnnxNetwork refuses an output of another shape', async () => {
    await using denoiser = await make('latent-encoder', { kind: 'blind' }, 'float32', [3, 32, 32]);
    const x = normal(randomKey(3, 'shape'), [1, 3, 32, 32]);
    await expect(denoiser.denoise(x, 1)).rejects.toThrow(/its output has shape \[1, 8, 8, 8\] for samples/);
  });
});
