import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openOnnxFile } from '../src/data/onnx-files.ts';
import { OnnxNetwork } from '../src/denoisers/onnx/onnx-network.ts';
import { assignRoles, sampleShapeOf } from '../src/denoisers/onnx/roles.ts';
import type { Denoiser } from '../src/denoisers/denoiser.ts';
import { parameterization } from '../src/diffusion/parameterization.ts';
import { sharedBackend } from '../src/engine/backend/start.ts';
import { readOnnx } from '../src/engine/onnx/read/read-onnx.ts';
import type { OnnxModel } from '../src/engine/onnx/model.ts';
import { normal, randomKey } from '../src/tensor/random.ts';
import { reshape, sizeOf, tensor } from '../src/tensor/tensor.ts';
import type { FloatDType, Tensor } from '../src/tensor/tensor.ts';

// Networks and images that cannot ship: the tests run where they lie beside the checkout.
const data = new URL('../../shared/data/', import.meta.url).pathname;
const isThere = existsSync(`${data}denoisers`);
const where = isThere ? '' : ' (skipped: ../shared/data/denoisers is not here)';

interface Published {
  readonly name: string;
  readonly sampleShape: readonly number[];
}

const published: readonly Published[] = [
  { name: 'bfcnn_mnist_gray', sampleShape: [1, 28, 28] },
  { name: 'bfcnn_bsd400_gray', sampleShape: [1, 24, 24] },
  { name: 'bf_dncnn_gray', sampleShape: [1, 24, 24] },
  { name: 'bf_unet_gray', sampleShape: [1, 24, 24] },
  { name: 'bfcnn_bsd300_color', sampleShape: [3, 32, 32] },
];

interface Opened {
  readonly denoiser: Denoiser;
  readonly model: OnnxModel;
  readonly bytes: Uint8Array;
}

/** Read as the networks are: D itself, pixels in [0, 1] on both sides. */
async function open({ name, sampleShape }: Published, dtype: FloatDType = 'float32'): Promise<Opened> {
  const file = await openOnnxFile(`${data}denoisers/${name}.onnx`);
  const model = await readOnnx(name, file.bytes, file);
  const roles = assignRoles(name, model);
  const shape = sampleShapeOf(name, roles.sample, sampleShape);
  const network = new OnnxNetwork({ name, model, roles, sampleShape: shape, dtype, blockSizes: [1, 16] });
  const unit = { low: 0, high: 1 };
  const reading = { parameterization: parameterization({ kind: 'blind' }), modelRange: unit, dataRange: unit };
  return { denoiser: network.denoiser(reading, () => network[Symbol.asyncDispose]()), model, bytes: file.bytes };
}

/** Bytes [N, ...] of the data folder as [N, C, H, W] in [0, 1]. */
function images(
  path: string,
  count: number,
  [channels, height, width]: readonly [number, number, number],
): Tensor<'float32'> {
  const bytes = gunzipSync(readFileSync(`${data}${path}`));
  const plane = height * width;
  const values = new Float32Array(count * channels * plane);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < plane; p++) {
        values[(n * channels + c) * plane + p] = (bytes[(n * plane + p) * channels + c] as number) / 255;
      }
    }
  }
  return tensor('float32', [count, channels, height, width], values);
}

const psnr = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return 10 * Math.log10(a.length / sum);
};

describe.skipIf(!isThere)(`published blind denoisers${where}`, () => {
  it.each([
    ['bfcnn_mnist_gray', 'mnist/mnist_test10k_28x28_gray.u8.gz', [1, 28, 28], 31.29],
    ['bfcnn_bsd300_color', 'ffhq5k/ffhq5k_32x32_rgb.u8.gz', [3, 32, 32], 27.55],
  ] as const)('%s has the PSNR of its publication at sigma 25/255', async (name, path, shape, expected) => {
    await using denoiser = (await open({ name, sampleShape: shape })).denoiser;
    // The note beside the networks does not say how many images; over the first 64 the mean error is a fair sample.
    const clean = images(path, 64, shape);
    const sigma = 25 / 255;
    const noise = normal(randomKey(1, name), clean.shape);
    const noisy = { ...clean, data: clean.data.map((v, i) => v + sigma * (noise.data[i] as number)) };
    const denoised = await denoiser.denoise(noisy, sigma);
    expect(Math.abs(psnr(noisy.data, clean.data) - 20.17)).toBeLessThan(0.05);
    expect(Math.abs(psnr(denoised.data, clean.data) - expected)).toBeLessThan(0.1);
  });

  it.each(published)(
    '$name gives what the runtime gives for the original graph, and D(y) = J(y) y',
    async (network) => {
      const { model, bytes, ...opened } = await open(network);
      await using denoiser = opened.denoiser;
      const dimension = sizeOf(network.sampleShape);
      const shape = [1, ...network.sampleShape];
      // A blob on grey with noise: these networks have seen nothing like white noise of unit size.
      const z = normal(randomKey(2, network.name), [dimension]);
      const y = tensor(
        'float32',
        shape,
        Float32Array.from(z.data, (v, i) => 0.5 + 0.3 * Math.sin(i / 9) + 0.1 * v),
      );
      const names = { inputs: model.inputs.map((v) => v.name), outputs: model.outputs.map((v) => v.name) };
      await using session = await (await sharedBackend()).createSession(bytes.slice(), names);
      const [original] = (await session.run([y])) as [Tensor<'float32'>];
      const d = await denoiser.denoise(y, 0.1);
      const jy = await denoiser.linearize(y, 0.1).apply(reshape<FloatDType>(y, [1, dimension]) as Tensor<'float32'>);
      const largest = Math.max(...d.data.map(Math.abs));
      d.data.forEach((value, i) => {
        // Twenty layers of float32 sums, each within a few roundings.
        expect(Math.abs(value - (original.data[i] as number))).toBeLessThan(64 * 2 ** -23 * largest);
        expect(Math.abs(value - (jy.data[i] as number))).toBeLessThan(1e-5 * largest);
      });
    },
  );
});
