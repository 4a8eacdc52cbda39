import { describe, expect, test } from 'vitest';
import { openDataset } from '../data/open.ts';
import { DatasetError, ModelError, SpecError } from '../errors/errors.ts';
import { openDenoiser } from './models.ts';
import { splitDataset } from './split-dataset.ts';

describe('openDenoiser()', () => {
  test('openDenoiser() opens a mixture with held-out draws of its own and its covariance', async () => {
    const { denoiser, heldout, train, variances } = await openDenoiser('molrg:n=48,K=2,d=6');
    expect(denoiser.name).toBe('molrg:n=48,K=2,d=6');
    expect(denoiser.sampleShape).toEqual([48]);
    expect(train).toBeUndefined();
    expect([...(variances ?? [])]).toEqual([...new Array<number>(12).fill(0.5), ...new Array<number>(36).fill(0)]);
    const x = await heldout.read(Array.from({ length: heldout.count }, (_, i) => i));
    const energy = x.data.reduce((sum, v) => sum + v * v, 0) / heldout.count;
    // |x|^2 is chi-square with 6 degrees of freedom: mean 6, variance 12; five standard deviations of the mean.
    expect(Math.abs(energy - 6)).toBeLessThan(5 * Math.sqrt(12 / heldout.count));
    const { low, high } = heldout.range; // of the float64 draws, which are handed out as float32
    expect([low, high].map(Math.fround)).toEqual([Math.min(...x.data), Math.max(...x.data)]);
  });

  test.each([
    ['gausian:fashion', "Did you mean 'gaussian:fashion'?"],
    ['MOLRG:n=48,K=2,d=6', "Did you mean 'molrg:n=48,K=2,d=6'?"],
    ['gaussian', "Did you mean 'gaussian:DATA'?"],
    ['fasion', "Did you mean 'fashion'?"],
    [
      'nothing-of-ours',
      'Use fashion, fashion-memorized, faces, gaussian:DATA, empirical:DATA, molrg:n=48,K=2,d=6, an ONNX file or the folder of a model.',
    ],
  ])('openDenoiser() does not know %s and says what to write', async (spec, remedy) => {
    await expect(openDenoiser(spec)).rejects.toThrow(ModelError);
    await expect(openDenoiser(spec)).rejects.toThrow(remedy);
  });

  test('openDenoiser() passes on what is wrong with an argument', async () => {
    await expect(openDenoiser('molrg:n=4,K=2,d=6')).rejects.toThrow(SpecError);
    await expect(openDenoiser('gaussian:fasion')).rejects.toThrow("Did you mean 'fashion'?");
    await expect(openDenoiser('molrg:n=48,K=2,d=6', { data: './missing.npy' })).rejects.toThrow(DatasetError);
  });
});

describe('splitDataset()', () => {
  test('splitDataset() holds out the last 1000 shipped images, whichever part is named', async () => {
    for (const name of ['fashion', 'fashion-train', 'fashion-heldout']) {
      const { train, heldout } = await splitDataset(name);
      expect([train.count, heldout.count]).toEqual([9000, 1000]);
    }
    const all = await openDataset('fashion');
    const { heldout } = await splitDataset('fashion');
    expect((await heldout.read([0])).data).toEqual((await all.read([9000])).data);
  });
});
