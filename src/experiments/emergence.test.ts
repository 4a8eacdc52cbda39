import { describe, expect, it } from 'vitest';
import { inMemory } from '../data/dataset.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { SpecError } from '../errors/errors.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { dataMoments, leadingMoments } from './data-moments.ts';
import { deepEmergence } from './emergence.ts';

const variances = [8, 4, 2, 1, 0.5, 0.25];
const basis = orthonormalRows(normal(randomKey(51, 'basis'), [6, 6])).q;
const z = normal(randomKey(51, 'z'), [4000, 6]);
const points = new Float64Array(z.data.length).map((_, at) => {
  const [n, j] = [Math.floor(at / 6), at % 6];
  return variances.reduce((s, l, i) => s + Math.sqrt(l) * (z.data[n * 6 + i] as number) * (basis.data[i * 6 + j] as number), 0); // prettier-ignore
});
const dataset = inMemory('points', tensor('float64', [4000, 6], points), { low: -10, high: 10 });
const common = { dataset, components: 3, basis: 'symmetrised', sigmas: [10, 1, 0.1], steps: 6, seed: 1 } as const;

describe('deepEmergence()', () => {
  it('deepEmergence() of the Gaussian of the data finds the principal components at every noise level', async () => {
    await using denoiser = gaussianDenoiser({ name: 'g', sampleShape: [6], ...(await dataMoments(dataset)) });
    const { result, arrays } = await deepEmergence({ denoiser, ...common });
    for (const { sigma, values, status, toLast, toData } of result.steps) {
      expect(status).toBe('converged');
      values.forEach((v, i) => expect(v).toBeCloseTo(wienerOf(result.variances[i] as number, sigma), 9));
      // vectors to the residual 1e-4 over a gap of 5e-3 between gains at sigma 0.1
      for (const s of [...toData.sines, ...toLast.sines]) expect(s).toBeLessThan(0.02);
    }
    expect(arrays.bases.shape).toEqual([3, 3, 6]);
    expect(result.references.data).toContain('4000 samples');
  });

  it('deepEmergence() tells a model of other data from the principal components, yet sees that its basis stays', async () => {
    const moments = await dataMoments(dataset);
    const turned = { ...moments.eigen, vectors: orthonormalRows(normal(randomKey(52, 'other'), [6, 6])).q };
    await using denoiser = gaussianDenoiser({ name: 'other', sampleShape: [6], mean: moments.mean, eigen: turned });
    const { result } = await deepEmergence({ denoiser, ...common });
    for (const { toLast, toData } of result.steps) {
      expect(Math.max(...toLast.principalSines)).toBeLessThan(0.02);
      expect(Math.max(...toData.principalSines)).toBeGreaterThan(0.5);
    }
  });

  it('deepEmergence() refuses more components than dimensions and stops on a signal', async () => {
    await using denoiser = gaussianDenoiser({
      name: 'g',
      sampleShape: [6],
      ...leadingMoments(await dataMoments(dataset), 4),
    });
    await expect(deepEmergence({ denoiser, ...common, components: 7 })).rejects.toThrow(SpecError);
    await expect(deepEmergence({ denoiser, ...common, sigmas: [1, 2] })).rejects.toThrow('descending');
    await expect(deepEmergence({ denoiser, ...common, signal: AbortSignal.abort() })).rejects.toThrow('interrupted');
  });
});

function wienerOf(l: number, sigma: number): number {
  return l / (l + sigma * sigma);
}
