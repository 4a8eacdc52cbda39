import { describe, expect, it } from 'vitest';
import { inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { computeMoments } from '../data/moments.ts';
import { CancelledError, DatasetError, DomainError } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { subspaceDistance } from '../linalg/angles.ts';
import { gramKernel } from '../linalg/gram.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, slice, tensor } from '../tensor/tensor.ts';
import { leadingComponents } from './principal-components.ts';

const range = { low: -100, high: 100 };

/** N samples of D independent numbers with standard deviations 0.8^d about a mean that is not 0. */
function decaying(n: number, D: number): Dataset {
  const x = castFloat(normal(randomKey(4, n, D), [n, D]), 'float32');
  for (let i = 0; i < x.data.length; i++) x.data[i] = (x.data[i] as number) * 0.8 ** (i % D) + 3;
  return inMemory('decaying', x, range);
}

describe('leadingComponents()', () => {
  it.each(['gram', 'krylov'] as const)(
    'leadingComponents() by %s equals eigh of the covariance to 1e-8',
    async (method) => {
      const data = decaying(700, 40);
      const { mean, covariance } = await computeMoments(data);
      const exact = eigh(covariance);
      const got = await leadingComponents(data, { count: 6, method });
      expect(got).toMatchObject({ status: 'converged', method, samples: 700 });
      expect(Math.max(...got.residual)).toBeLessThan(1e-9);
      for (let i = 0; i < 6; i++) {
        const expected = exact.values[i] as number;
        expect(Math.abs((got.variances[i] as number) / expected - 1)).toBeLessThan(1e-8);
        const [u, v] = [slice(got.components, i, i + 1), slice(exact.vectors, i, i + 1)];
        expect(subspaceDistance(u, v)).toBeLessThan(1e-8);
        expect(u.data.reduce((sum, x, d) => sum + x * (v.data[d] as number), 0)).toBeGreaterThan(0);
      }
      const trace = exact.values.reduce((a, b) => a + b);
      expect(Math.abs(got.totalVariance / trace - 1)).toBeLessThan(1e-12);
      got.mean.forEach((m, d) => expect(Math.abs(m - (mean[d] as number))).toBeLessThan(1e-12));
    },
  );

  it('leadingComponents() by gram works across blocks of the kernel and edges of its strips', async () => {
    const data = decaying(2100, 115);
    const [fast, plain] = [await leadingComponents(data, { count: 3 }), await computeMoments(data)];
    const exact = eigh(plain.covariance).values;
    fast.variances.forEach((l, i) => expect(Math.abs(l / (exact[i] as number) - 1)).toBeLessThan(1e-12));
  });

  it('leadingComponents() of much data, in products on all cores, equals eigh of the covariance to rounding', async () => {
    // Two chunks and a rest, beside an offset of 1000 times the spread, sorted along the offset.
    const [N, D] = [4200, 1013];
    const x = castFloat(normal(randomKey(8), [N, D]), 'float32');
    for (let i = 0; i < x.data.length; i++) {
      const spread = (x.data[i] as number) / (1 + (i % D));
      x.data[i] = spread + 1000 + (i < x.data.length / 2 ? 0 : 1 / D);
    }
    const data = inMemory('much', x, range);
    const { mean, covariance } = await computeMoments(data, { gram: gramKernel });
    const exact = eigh(covariance);
    const got = await leadingComponents(data, { count: 5 });
    expect(got).toMatchObject({ status: 'converged', method: 'gram', samples: N, passes: 1 });
    // Sums of N products in float64, about a centre off the mean by a fraction of the spread.
    const tolerance = 16 * Math.sqrt(N) * Number.EPSILON;
    got.mean.forEach((m, d) => expect(Math.abs(m / (mean[d] as number) - 1)).toBeLessThan(tolerance));
    got.variances.forEach((l, i) => expect(Math.abs(l / (exact.values[i] as number) - 1)).toBeLessThan(tolerance));
    expect(subspaceDistance(got.components, slice(exact.vectors, 0, 5))).toBeLessThan(1e-11);
  });

  it.each(['gram', 'krylov'] as const)(
    'leadingComponents() by %s certifies repeated and vanishing variances by their residuals',
    async (method) => {
      // Samples +-e_1, +-e_2, +-e_3 / 2 in 9 dimensions: variances 1/3, 1/3, 1/12 and 0 six times.
      const x = new Float32Array(6 * 9);
      [1, -1, 1, -1, 0.5, -0.5].forEach((v, i) => (x[9 * i + (i >> 1)] = v));
      const data = inMemory('repeated', tensor('float32', [6, 9], x), range);
      const got = await leadingComponents(data, { count: 5, method });
      expect(got.status).toBe('converged');
      [1 / 3, 1 / 3, 1 / 12, 0, 0].forEach((l, i) =>
        expect(Math.abs((got.variances[i] as number) - l)).toBeLessThan(1e-14),
      );
      expect(Math.max(...got.residual)).toBeLessThan(1e-9);
      const plane = tensor(
        'float64',
        [2, 9],
        Float64Array.from({ length: 18 }, (_, i) => Number(i === 0 || i === 10)),
      );
      expect(subspaceDistance(slice(got.components, 0, 2), plane)).toBeLessThan(1e-9);
    },
  );

  it('leadingComponents() takes samples of 12,288 numbers without a matrix of their square', async () => {
    const [n, D, d] = [60, 12_288, 3];
    const scales = [5, 2, 1];
    const basis = normal(randomKey(5), [d, D]);
    const z = normal(randomKey(6), [n, d]);
    const x = new Float32Array(n * D);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < d; k++) {
        const c = (z.data[i * d + k] as number) * (scales[k] as number);
        for (let j = 0; j < D; j++) x[i * D + j] = (x[i * D + j] as number) + c * (basis.data[k * D + j] as number);
      }
    }
    const got = await leadingComponents(inMemory('wide', tensor('float32', [n, D], x), range), { count: d });
    expect(got).toMatchObject({ method: 'krylov', status: 'converged' });
    // All the variance lies in the subspace; float32 samples leave 6e-8 of their size outside it.
    expect(Math.abs(got.variances.reduce((a, b) => a + b) / got.totalVariance - 1)).toBeLessThan(1e-12);
  });

  it('leadingComponents() says so where the sweeps do not suffice', async () => {
    const flat = inMemory('flat', castFloat(normal(randomKey(7), [400, 60]), 'float32'), range);
    const got = await leadingComponents(flat, { count: 3, method: 'krylov', maxSweeps: 1 });
    expect(got.status).toBe('maxIterations');
    expect(Math.max(...got.residual)).toBeGreaterThan(1e-9);
  });

  it('leadingComponents() refuses counts beyond the sizes, equal and non-finite samples, and stops when told', async () => {
    const data = decaying(5, 8);
    await expect(leadingComponents(data, { count: 6 })).rejects.toThrow(DomainError);
    await expect(leadingComponents(data, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
    for (const method of ['gram', 'krylov'] as const) {
      const equal = inMemory('equal', tensor('float32', [4, 3], new Float32Array(12).fill(2)), range);
      await expect(leadingComponents(equal, { method })).rejects.toThrow(/equal: .*variance 0/);
      const broken = inMemory('broken', tensor('float32', [2, 2], Float32Array.of(1, NaN, 2, 3)), range);
      await expect(leadingComponents(broken, { method })).rejects.toThrow(DatasetError);
    }
  });
});
