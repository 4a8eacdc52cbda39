import { describe, expect, test } from 'vitest';
import { empiricalDenoiser } from '../../denoisers/empirical.ts';
import { gaussianDenoiser } from '../../denoisers/gaussian.ts';
import type { Denoiser } from '../../denoisers/denoiser.ts';
import { CancelledError, DomainError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { measureDenoiserDistance, measureDenoisingGap } from './denoising.ts';

const variances = [4, 1, 0.25, 0.01];
const d = variances.length;
const range = { low: -3, high: 3 };

function diagonal(name: string, of: readonly number[]): Denoiser {
  const vectors = tensor(
    'float64',
    [d, d],
    Float64Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? 1 : 0)),
  );
  return gaussianDenoiser({
    name,
    sampleShape: [d],
    mean: new Float64Array(d),
    eigen: { values: Float64Array.from(of), vectors },
  });
}

function drawn(name: string, count: number): Tensor<'float64'> {
  const z = normal(randomKey(11, name), [count, d]);
  return { ...z, data: z.data.map((v, i) => v * Math.sqrt(variances[i % d] as number)) };
}

describe('measureDenoisingGap()', () => {
  const sigmas = [0.1, 0.5, 2];
  test('of a Gaussian denoiser is its closed form, the same on both sets', async () => {
    const [train, heldout] = [drawn('train', 2000), drawn('heldout', 2000)];
    const rows = await measureDenoisingGap(diagonal('wiener', variances), train, heldout, { sigmas, seed: 4, range, resamples: 200 }); // prettier-ignore
    rows.forEach(({ sigma, noisy, train: known, heldout: fresh, gap }, level) => {
      expect(sigma).toBe(sigmas[level]);
      expect(noisy).toBeCloseTo(20 * Math.log10(6 / sigma), 12);
      // Errors l s^2 / (l + s^2) along the components; each sample's has deviation sqrt(2) of that.
      const errors = variances.map((l) => (l * sigma * sigma) / (l + sigma * sigma));
      const mean = errors.reduce((sum, e) => sum + e, 0) / d;
      const deviation = Math.sqrt(errors.reduce((sum, e) => sum + 2 * e * e, 0)) / d;
      const allowed = (4 * (10 / Math.LN10) * deviation) / mean / Math.sqrt(2000);
      for (const { value, low, high } of [known, fresh]) {
        expect(Math.abs(value - 10 * Math.log10(36 / mean))).toBeLessThan(allowed);
        expect(low).toBeLessThan(value);
        expect(high).toBeGreaterThan(value);
        // The interval is about as wide as two deviations each way say.
        expect((high - low) / allowed).toBeGreaterThan(0.8);
        expect((high - low) / allowed).toBeLessThan(1.2);
      }
      expect(gap.value).toBeCloseTo(known.value - fresh.value, 12);
      expect(Math.abs(gap.value)).toBeLessThan(Math.SQRT2 * allowed);
    });
  });
  test('is wide open for a denoiser that memorizes, and finite where it makes no error', async () => {
    const [train, heldout] = [drawn('train', 30), drawn('heldout', 30)];
    const memory = empiricalDenoiser({ name: 'empirical', points: train });
    const [row] = await measureDenoisingGap(memory, train, heldout, { sigmas: [1e-3], seed: 0, range });
    expect(row?.gap.low).toBeGreaterThan(100);
    expect(row?.gap.high).toBeLessThan(400);
  });
  test('refuses a single image and no level, and stops when told', async () => {
    const [one, two] = [drawn('one', 1), drawn('two', 2)];
    const denoiser = diagonal('wiener', variances);
    const options = { sigmas, seed: 0, range };
    await expect(measureDenoisingGap(denoiser, one, two, options)).rejects.toThrow(DomainError);
    await expect(measureDenoisingGap(denoiser, two, two, { ...options, sigmas: [] })).rejects.toThrow(DomainError);
    const signal = AbortSignal.abort();
    await expect(measureDenoisingGap(denoiser, two, two, { ...options, signal })).rejects.toThrow(CancelledError);
  });
});

describe('measureDenoiserDistance()', () => {
  test('is 0 to itself and in closed form to another Gaussian', async () => {
    const [own, other] = [diagonal('own', [1, 1, 1, 1]), diagonal('other', [9, 9, 9, 9])];
    const z = normal(randomKey(6), [4000, d]);
    const rows = await measureDenoiserDistance(own, { own, other }, z, { sigmas: [0.5, 3], seed: 9, resamples: 200 });
    for (const { sigma, rmse } of rows) {
      expect(rmse.own).toEqual({ value: 0, low: 0, high: 0 });
      // (g1 - g2) x with x ~ N(0, (1 + s^2) I_4): E|x| = sqrt(1 + s^2) 3 sqrt(pi / 8), the mean of a chi variable of 4 degrees.
      const [s2, chi] = [sigma * sigma, 3 * Math.sqrt(Math.PI / 8)];
      const scale = (Math.abs(1 / (1 + s2) - 9 / (9 + s2)) * Math.sqrt(1 + s2)) / 2;
      const allowed = (4 * scale * Math.sqrt(4 - chi * chi)) / Math.sqrt(4000);
      expect(Math.abs((rmse.other?.value ?? NaN) - scale * chi)).toBeLessThan(allowed);
      expect(rmse.other?.low).toBeLessThan(rmse.other?.high as number);
    }
  });
  test('tells a memorizing denoiser from the Gaussian of its data', async () => {
    const train = drawn('train', 20);
    const references = {
      gaussian: diagonal('wiener', variances),
      empirical: empiricalDenoiser({ name: 'empirical', points: train }),
    };
    const [row] = await measureDenoiserDistance(references.empirical, references, train, { sigmas: [0.1], seed: 1 });
    expect(row?.rmse.empirical?.high).toBe(0);
    expect(row?.rmse.gaussian?.low).toBeGreaterThan(0.01);
  });
});
