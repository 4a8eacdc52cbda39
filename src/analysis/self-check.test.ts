import { describe, expect, it } from 'vitest';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { NumericalError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkReading } from './self-check.ts';

const n = 16;
/** Gaussian data with a decaying spectrum: its exact denoiser beats the scalar Wiener filter. */
const variances = Float64Array.from({ length: n }, (_, i) => 2 ** -i);

function exact(scale: number = 1): Denoiser {
  const vectors: Tensor<'float64'> = {
    shape: [n, n],
    dtype: 'float64',
    data: Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
  };
  const values = variances.map((v) => v * scale);
  return gaussianDenoiser({
    name: `scale ${scale}`,
    sampleShape: [n],
    mean: new Float64Array(n),
    eigen: { values, vectors },
  });
}

function draws(count: number): Tensor<'float64'> {
  const z = normal(randomKey(5, 'self-check test'), [count, n]);
  return { ...z, data: z.data.map((v, i) => v * Math.sqrt(variances[i % n] as number)) };
}

const overflowing: Denoiser = {
  ...exact(),
  sampleShape: [n],
  denoise: () => Promise.reject(new NumericalError('overflowing', 'not finite.')),
};

describe('checkReading()', () => {
  it('checkReading() finds the exact posterior mean right and measures its error as sum l s^2 / (l + s^2)', async () => {
    const check = await checkReading(castFloat(draws(2000), 'float32'), [
      { label: 'exact', denoiser: exact() },
      { label: 'blurred', denoiser: exact(1e-3) },
    ]);
    expect(check.verdict).toBe('right');
    const [best] = check.readings;
    expect(best?.label).toBe('exact');
    check.sigmas.forEach((sigma, k) => {
      const closed = variances.reduce((sum, l) => sum + (l * sigma ** 2) / (l + sigma ** 2), 0) / n;
      // 32,000 squared errors of relative spread about 2: three standard errors are 5 %.
      expect(Math.abs((best?.errors[k] as number) / closed - 1)).toBeLessThan(0.05);
    });
  });

  it('checkReading() names the reading that beats the stated one', async () => {
    const check = await checkReading(draws(200), [
      { label: 'stated', denoiser: exact(1e-3) },
      { label: 'exact', denoiser: exact() },
      { label: 'overflowing', denoiser: overflowing },
    ]);
    expect(check).toMatchObject({ verdict: 'wrong', best: { label: 'exact' } });
    expect(check.overflowed).toEqual(['overflowing']);
    await expect(checkReading(draws(9), [{ label: 'only', denoiser: overflowing }])).rejects.toThrow(
      /no reading gives finite/,
    );
  });

  it('checkReading() says unclear where no reading denoises the images', async () => {
    const check = await checkReading(draws(200), [{ label: 'stated', denoiser: exact(1e6) }]);
    expect(check.verdict).toBe('unclear');
  });

  it('checkReading() calls the earliest of equal readings the best, and counts what the time did not allow', async () => {
    const readings = ['stated', 'first', 'second'].map((label, i) => ({ label, denoiser: exact(i === 0 ? 1e-3 : 1) }));
    expect((await checkReading(draws(50), readings)).best.label).toBe('first');
    expect(await checkReading(draws(50), readings, { budgetMs: -1 })).toMatchObject({
      untried: 2,
      best: { label: 'stated' },
    });
  });
});
