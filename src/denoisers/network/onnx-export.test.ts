import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../engine/backend/start.ts';
import { readOnnx } from '../../engine/onnx/read/read-onnx.ts';
import { parameterization } from '../../diffusion/parameterization.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { OnnxNetwork } from '../onnx/onnx-network.ts';
import { assignRoles, sampleShapeOf } from '../onnx/roles.ts';
import { buildNetwork } from './architecture.ts';
import type { Architecture } from './architecture.ts';
import { networkDenoiser } from './network-denoiser.ts';
import type { Network } from './network.ts';
import { exportedSideCar, exportOnnx } from './onnx-export.ts';

const architectures: Readonly<Record<string, Architecture>> = {
  'a U-Net with attention': {
    kind: 'unet',
    sampleShape: [3, 8, 12],
    channels: [8, 16],
    features: 8,
    groups: 4,
    attention: true,
  },
  'a U-Net of one level': { kind: 'unet', sampleShape: [1, 5, 7], channels: [8], features: 8, groups: 8, attention: false }, // prettier-ignore
  'a linear denoiser of images': { kind: 'linear', sampleShape: [1, 4, 5], rank: 20, sigmaData: 0.4 },
  'a linear denoiser of low rank': { kind: 'linear', sampleShape: [7], rank: 3, sigmaData: 0.4 },
  'a mixture of subspaces': { kind: 'low-rank', sampleShape: [1, 3, 4], components: 3, rank: 2, sigmaData: 0.4 },
  'a perceptron on vectors': { kind: 'mlp', sampleShape: [6], width: 16, depth: 2, features: 8 },
  'a perceptron on images': { kind: 'mlp', sampleShape: [1, 4, 4], width: 16, depth: 1, features: 8 },
};
const cases = Object.entries(architectures);
const sigmas = [0.002, 0.05, 0.4, 1, 9, 80];
const sigmaData = 0.4;

/** Weights of which none is zero, as after training. */
function drawnWeights({ parameters }: Network): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(
    parameters.map(({ name, shape, init }) => {
      const scale = init.kind === 'normal' ? init.fanIn ** -0.5 : 0.1;
      const offset = init.kind === 'ones' ? 1 : 0;
      const z = normal(randomKey(5, name), shape).data;
      return [name, castFloat(tensor('float64', shape, z.map((v) => offset + scale * v)), 'float32')]; // prettier-ignore
    }),
  );
}

const largest = (x: ArrayLike<number>): number => Array.from(x).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
const gapOf = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  largest(Array.from(a, (v, i) => v - (b[i] as number))) / largest(b);

describe('exportOnnx()', () => {
  it.each(cases)('exportOnnx() of %s computes D(x; sigma) for batches of any size', async (_, architecture) => {
    const network = buildNetwork(architecture);
    const weights = drawnWeights(network);
    const { bytes, batch } = await exportOnnx({ name: 'drawn', network, weights, sigmaData });
    expect(batch).toBe('open');
    await using backend = await startBackend();
    const names = { inputs: ['x', 'sigma'], outputs: ['denoised'] };
    await using session = await backend.createSession(bytes.slice(), names);
    await using denoiser = networkDenoiser({ name: 'home', network, weights, sigmaData });
    for (const count of [1, 2, sigmas.length]) {
      const levels = sigmas.slice(-count);
      const x = castFloat(normal(randomKey(6), [count, ...network.sampleShape]), 'float32');
      x.data.forEach((v, i) => (x.data[i] = v * (levels[Math.floor((i * count) / x.data.length)] as number)));
      const [y] = await session.run([x, tensor('float32', [count], Float32Array.from(levels))]);
      expect(y?.shape).toEqual(x.shape);
      const exact = await denoiser.denoise(x, Float64Array.from(levels, Math.fround));
      const n = x.data.length / count;
      for (let b = 0; b < count; b++) {
        const row = (data: ArrayLike<number>): number[] => Array.from(data).slice(b * n, (b + 1) * n);
        // An angle of up to 2 pi 8 ln(80) / 4 = 55 rounds by 55 eps in float32, and layers multiply that by a few.
        expect(gapOf(row(y?.data ?? []), row(exact.data))).toBeLessThan(300 * 2 ** -23);
      }
    }
  });

  it.each(cases)('exportOnnx() of %s is read back with the same products J v and J^T u', async (_, architecture) => {
    const network = buildNetwork(architecture);
    const weights = drawnWeights(network);
    const { bytes } = await exportOnnx({ name: 'drawn', network, weights, sigmaData });
    const model = await readOnnx('drawn', bytes);
    const sideCar = exportedSideCar('drawn', 'points');
    const roles = assignRoles('drawn', model, { ...sideCar.inputs, output: sideCar.output, fixed: [] });
    expect(roles.batched).toBe(true);
    const sampleShape = sampleShapeOf('drawn', roles.sample, undefined);
    expect(sampleShape).toEqual([...network.sampleShape]);
    await using foreign = new OnnxNetwork({ name: 'drawn', model, roles, sampleShape });
    const range = { low: -1, high: 1 };
    const reading = { parameterization: parameterization(sideCar.parameterization), modelRange: range };
    await using back = foreign.denoiser(reading);
    await using home = networkDenoiser({ name: 'home', network, weights, sigmaData });
    const x = castFloat(normal(randomKey(7), [1, ...network.sampleShape]), 'float32');
    const v = castFloat(normal(randomKey(8), [3, x.data.length]), 'float32');
    for (const sigma of [0.05, 0.4, 9]) {
      const [ours, theirs] = [home.linearize(x, sigma), back.linearize(x, sigma)];
      expect(gapOf((await theirs.apply(v)).data, (await ours.apply(v)).data)).toBeLessThan(300 * 2 ** -23);
      const transposed = [await theirs.applyTranspose(v), await ours.applyTranspose(v)] as const;
      expect(gapOf(transposed[0].data, transposed[1].data)).toBeLessThan(300 * 2 ** -23);
    }
  });

  it('exportOnnx() writes float32 arrays, named arguments with an open batch, and no operator of a runtime', async () => {
    const network = buildNetwork(architectures['a U-Net with attention'] as Architecture);
    const { bytes } = await exportOnnx({ name: 'drawn', network, weights: drawnWeights(network), sigmaData });
    const { graph, opsetImport } = fromBinary(ModelProtoSchema, bytes);
    expect(opsetImport.map(({ domain }) => domain)).toEqual(['']);
    expect([...new Set(graph?.node.map(({ domain }) => domain))]).toEqual(['']);
    const sizes = [...(graph?.input ?? []), ...(graph?.output ?? [])].map(({ name, type }) => {
      const shape = type?.value.case === 'tensorType' ? type.value.value.shape?.dim : undefined;
      return [name, ...(shape ?? []).map(({ value }) => String(value.value))];
    });
    expect(sizes).toEqual([
      ['x', 'batch', '3', '8', '12'],
      ['sigma', 'batch'],
      ['denoised', 'batch', '3', '8', '12'],
    ]);
    // 1 is float32; 7 is int64, which shapes and axes are.
    expect(new Set(graph?.initializer.map(({ dataType }) => dataType))).toEqual(new Set([1, 7]));
  });
});
