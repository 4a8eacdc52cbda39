import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxSideCarFormat, writeOnnxSideCar } from '../diffusion/side-car.ts';
import { castFloat } from '../tensor/tensor.ts';
import { drawImages, variances, writeIdealModel } from './ideal-network.fixture.ts';
import { openDenoiser } from './models.ts';

type Kind = Parameters<typeof writeIdealModel>[0];
const kinds: readonly Kind[] = ['denoised', 'flow', 'epsilon', 'v'];
const files = new Map<Kind, { folder: string; model: string; data: string }>();
const at = (kind: Kind): { folder: string; model: string; data: string } =>
  files.get(kind) as { folder: string; model: string; data: string };

beforeAll(async () => {
  for (const kind of kinds) files.set(kind, await writeIdealModel(kind));
});
afterAll(() => Promise.all([...files.values()].map(({ folder }) => rm(folder, { recursive: true, force: true }))));

describe('openDenoiser() of an ONNX file', () => {
  it.each(kinds)(
    'openDenoiser() finds by trying that an ideal %s network is one, and reads it as the posterior mean',
    async (kind) => {
      const { model, data } = at(kind);
      const opened = await openDenoiser(model, { data });
      await using denoiser = opened.denoiser;
      expect(opened.reading?.label).toContain(kind);
      expect(opened.reading?.by).toBeUndefined();
      const x = castFloat(drawImages(3), 'float32');
      for (const sigma of [0.1, 1]) {
        const y = await denoiser.denoise(x, sigma);
        y.data.forEach((value, i) => {
          const l = variances[i % 16] as number;
          const exact = 0.1 + ((x.data[i] as number) - 0.1) * (l / (l + sigma ** 2));
          // The discrete chain and its continuous limit differ in sigma by 1e-3 relative; float32 by less.
          expect(Math.abs(value - exact)).toBeLessThan(2e-3);
        });
      }
    },
  );

  it('openDenoiser() refuses a stated reading that another beats, naming both and the flags, unless it is to be trusted', async () => {
    const { model, data } = at('v');
    const reading = { parameterization: 'epsilon' };
    await expect(openDenoiser(model, { data, reading })).rejects.toThrow(
      /is read as 'epsilon, linear, pixels -1..1' \(--parameterization\), but 'v, linear, pixels -1..1' denoises .* --parameterization .*"kind":"v"|--parameterization v/,
    );
    const trusted = await openDenoiser(model, { data, reading, trust: true });
    await using denoiser = trusted.denoiser;
    expect(denoiser.sampleShape).toEqual([1, 4, 4]);
  });

  it.each([
    ['pixel range', { parameterization: 'epsilon', pixelRange: '0:1' }, /'epsilon, linear, pixels -1..1' denoises/],
    ['schedule', { parameterization: 'epsilon', schedule: 'cosine' }, /'epsilon, linear, pixels -1..1' denoises/],
  ])('openDenoiser() detects a wrong %s and names the right one', async (_, reading, message) => {
    const { model, data } = at('epsilon');
    await expect(openDenoiser(model, { data, reading })).rejects.toThrow(message);
  });

  it('openDenoiser() takes a right statement from the flags, from the side-car, and from a diffusers folder', async () => {
    const { model, data, folder } = at('epsilon');
    const flagged = await openDenoiser(model, { data, reading: { parameterization: 'epsilon', schedule: 'linear' } });
    await flagged.denoiser[Symbol.asyncDispose]();
    expect(flagged.reading).toMatchObject({ by: '--parameterization', check: { verdict: 'right' } });
    const sideCar = join(folder, 'model.json');
    await writeFile(
      sideCar,
      writeOnnxSideCar({ format: onnxSideCarFormat, parameterization: { kind: 'epsilon' }, data }),
    );
    const carried = await openDenoiser(model);
    await carried.denoiser[Symbol.asyncDispose]();
    expect(carried.reading).toMatchObject({ by: sideCar, check: { verdict: 'right' } });
    await rm(sideCar);
    const root = await mkdtemp(join(tmpdir(), 'eigenlens-diffusers-'));
    await mkdir(join(root, 'unet'));
    await mkdir(join(root, 'scheduler'));
    await copyFile(model, join(root, 'unet/model.onnx'));
    const scheduler = '{"_class_name": "DDPMScheduler", "prediction_type": "epsilon", "sigma_max": Infinity}';
    await writeFile(join(root, 'scheduler/scheduler_config.json'), scheduler);
    const configured = await openDenoiser(root, { data });
    await configured.denoiser[Symbol.asyncDispose]();
    expect(configured.reading?.by).toContain('scheduler_config.json');
    await rm(root, { recursive: true });
  });

  it('openDenoiser() says in one line what is missing or damaged', async () => {
    const { model, data, folder } = at('flow');
    await expect(openDenoiser(model)).rejects.toThrow(
      /does not say what it was trained on. Give its data set with --data/,
    );
    await expect(openDenoiser(join(folder, 'modle.onnx'), { data })).rejects.toThrow(/is not known|Did you mean/);
    const cut = join(folder, 'cut.onnx');
    await writeFile(cut, (await readFile(model)).subarray(0, 300));
    await expect(openDenoiser(cut, { data })).rejects.toThrow(/cut\.onnx: [^\n]+$/);
    const input = { input: 'sample=nope' };
    await expect(openDenoiser(model, { data, reading: input })).rejects.toThrow(
      /'nope', named as the sample, is not free/,
    );
    const wide = { shape: '1x8x8' };
    await expect(openDenoiser(model, { data, reading: wide })).rejects.toThrow(/does not take samples of 1x8x8/);
    const bad = { parameterization: 'eps' };
    await expect(openDenoiser(model, { data, reading: bad })).rejects.toThrow(
      /expected denoised, edm, epsilon.*got 'eps'/,
    );
  });
});

describe('openDenoiser() of a latent model', () => {
  it('openDenoiser() encodes the images and decodes the samples with the networks of the side-car', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eigenlens-latent-'));
    for (const name of ['latent-denoiser', 'latent-encoder', 'latent-decoder']) {
      await cp(`test/models/${name}.onnx`, join(folder, `${name}.onnx`));
    }
    const latent = {
      encoder: 'latent-encoder.onnx',
      decoder: 'latent-decoder.onnx',
      scalingFactor: 0.5,
      shiftFactor: 0.1,
    };
    const sideCar = { format: onnxSideCarFormat, parameterization: { kind: 'v' }, latent } as const;
    await writeFile(join(folder, 'latent-denoiser.json'), writeOnnxSideCar(sideCar));
    await writeFile(join(folder, 'text.npy'), await textEmbedding());
    const images = join(folder, 'images.npy');
    await writeFile(images, await colourImages());
    const opened = await openDenoiser(join(folder, 'latent-denoiser.onnx'), {
      data: images,
      trust: true,
      reading: { text: join(folder, 'text.npy') },
    });
    await using denoiser = opened.denoiser;
    expect(denoiser.sampleShape).toEqual([4, 8, 8]);
    expect(opened.heldout.sampleShape).toEqual([4, 8, 8]);
    const z = await opened.heldout.read([0]);
    expect((await denoiser.denoise(z, 0.5)).shape).toEqual([1, 4, 8, 8]);
    expect((await opened.decode?.(z))?.shape).toEqual([1, 3, 32, 32]);
    await rm(folder, { recursive: true });
  });
});

async function textEmbedding(): Promise<Uint8Array> {
  const { writeNpy } = await import('../data/npy.ts');
  return writeNpy({ shape: [3, 12], dtype: 'float32', data: new Float32Array(36).fill(0.1) });
}

async function colourImages(): Promise<Uint8Array> {
  const { writeNpy } = await import('../data/npy.ts');
  const data = Float32Array.from({ length: 20 * 3072 }, (_, i) => Math.sin(i * 0.37));
  return writeNpy({ shape: [20, 3, 32, 32], dtype: 'float32', data });
}
