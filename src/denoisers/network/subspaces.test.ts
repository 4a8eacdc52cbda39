import { describe, expect, it } from 'vitest';
import { DomainError } from '../../errors/errors.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, slice, tensor } from '../../tensor/tensor.ts';
import type { FloatDType, FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { linear } from './linear.ts';
import { lowRankNetwork } from './low-rank.ts';
import { networkDenoiser } from './network-denoiser.ts';
import { subspaces } from './subspaces.ts';
import { initialWeights } from './weights.ts';

const [K, d, n] = [3, 4, 10] as const;
const sigmaData = 0.6;
const network = subspaces({ sampleShape: [n], components: K, rank: d, sigmaData });
const bases = normal(randomKey(1, 'bases'), [K, d, n]);
// Far from orthonormal: rows of very different lengths, and two that are nearly parallel.
bases.data.forEach((v, i) => (bases.data[i] = v * 2 ** ((Math.floor(i / n) % 5) - 2)));
for (let j = 0; j < n; j++) bases.data[n + j] = 0.3 * (bases.data[n + j] as number) + (bases.data[j] as number);
const mean = normal(randomKey(1, 'mean'), [1, n]);
const logVariance = 0.7;
const weights = { bases, mean, 'log-variance': tensor('float64', [1, 1], Float64Array.of(logVariance)) };

/** Denoiser of the closed form on the same subspaces. */
function oracle(): ReturnType<typeof lowRankNetwork> {
  const spans = Array.from({ length: K }, (_, k) => {
    const rows = slice(bases, k, k + 1);
    return orthonormalRows({ ...rows, shape: [d, n] }).q;
  });
  const variance = Math.exp(logVariance) * sigmaData ** 2;
  return lowRankNetwork({ name: 'oracle', bases: spans, variance, mean: mean.data.map((m) => m * sigmaData) });
}

describe('subspaces()', () => {
  it.each([
    ['float64', 1e-6],
    // Logits reach |x|^2 / (2 sigma^2) = 1e5 at the lowest level: float32 leaves 1e-2 of a weight there.
    ['float32', 1e-3],
  ] as const)(
    'subspaces() in %s is the low-rank network on the spans of its rows, and so are its products',
    async (dtype, tolerance) => {
      await using ours = networkDenoiser({ name: 'ours', network, weights, sigmaData, dtype });
      await using exact = oracle();
      const v = castFloat(normal(randomKey(4), [2, n]), dtype) as FloatTensor;
      for (const sigma of [0.01, 0.1, 0.5, 3]) {
        const x = castFloat(normal(randomKey(3), [5, n]), dtype) as FloatTensor;
        const [a, b] = [await ours.denoise(x, sigma), await exact.denoise(castFloat(x, 'float64'), sigma)];
        b.data.forEach((value, i) => expect(Math.abs((a.data[i] as number) - value)).toBeLessThan(tolerance));
        if (sigma < 0.1) continue; // near the border of two subspaces, J grows as 1 / sigma^2
        const point = slice<FloatDType>(x, 0, 1) as FloatTensor;
        const [p, q] = [ours.linearize(point, sigma), exact.linearize(castFloat(point, 'float64'), sigma)];
        const [jv, exactly] = [await p.apply(v), await q.apply(castFloat(v, 'float64'))];
        exactly.data.forEach((value, i) =>
          expect(Math.abs((jv.data[i] as number) - value)).toBeLessThan(100 * tolerance),
        );
      }
    },
  );

  it('subspaces() starts from orthonormal rows, other ones with another seed', () => {
    const start = initialWeights(network, 2).bases as Tensor<'float32'>;
    for (let k = 0; k < K; k++) {
      for (let i = 0; i < d; i++) {
        for (let j = 0; j < d; j++) {
          let dot = 0;
          for (let l = 0; l < n; l++) dot += (start.data[(k * d + i) * n + l] as number) * (start.data[(k * d + j) * n + l] as number); // prettier-ignore
          expect(dot).toBeCloseTo(i === j ? 1 : 0, 6);
        }
      }
    }
    expect(initialWeights(network, 3).bases?.data).not.toEqual(start.data);
  });

  it('subspaces() and linear() refuse more directions than dimensions', () => {
    expect(() => subspaces({ sampleShape: [2, 2], components: 1, rank: 5, sigmaData })).toThrow(DomainError);
    expect(() => linear({ sampleShape: [2, 2], rank: 5, sigmaData })).toThrow(DomainError);
  });
});
