import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { eigenvaluesSymmetric } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import { randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { mixtureVariances, randomMixture, sampleMixture } from './mixture-draw.ts';

describe('randomMixture()', () => {
  it('randomMixture() has orthonormal bases that are orthogonal to each other', () => {
    const mixture = randomMixture({ n: 10, ranks: [3, 4], variances: [1, 2], seed: 5 });
    const frame = tensor('float64', [7, 10], Float64Array.from(mixture.flatMap(({ basis }) => [...basis.data])));
    const gram = matmul(frame, frame, { transposeB: true }).data;
    gram.forEach((g, i) => expect(Math.abs(g - (i % 8 === 0 ? 1 : 0))).toBeLessThan(40 * Number.EPSILON));
    expect(mixture.map(({ weight, variances }) => [weight, ...variances])).toEqual([
      [0.5, 1, 1, 1],
      [0.5, 2, 2, 2, 2],
    ]);
  });

  it('randomMixture() depends on the seed alone', () => {
    const make = (seed: number): number[] =>
      randomMixture({ n: 5, ranks: [2], variances: [1], seed }).flatMap(({ basis }) => [...basis.data]);
    expect(make(1)).toEqual(make(1));
    expect(make(1)).not.toEqual(make(2));
  });

  it('randomMixture() throws DomainError for ranks that do not fit', () => {
    const fits = { n: 6, ranks: [2, 2], variances: [1, 1], seed: 0 };
    for (const wrong of [
      { ranks: [4, 3] },
      { ranks: [] },
      { ranks: [2, 0.5] },
      { variances: [1] },
      { variances: [1, 0] },
      { weights: [1, -1] },
      { means: [1] },
    ]) {
      expect(() => randomMixture({ ...fits, ...wrong })).toThrow(DomainError);
    }
  });
});

describe('mixtureVariances()', () => {
  it('mixtureVariances() of zero means are the weighted variances, largest first', () => {
    const mixture = randomMixture({ n: 6, ranks: [2, 1], variances: [1, 9], weights: [3, 1], seed: 1 });
    const expected = [9 / 4, 3 / 4, 3 / 4, 0, 0, 0];
    mixtureVariances(mixture).forEach((v, i) => expect(Math.abs(v - (expected[i] as number))).toBeLessThan(1e-14));
  });

  it('mixtureVariances() are the eigenvalues of the covariance of many points, means included', () => {
    const mixture = randomMixture({ n: 3, ranks: [1, 2], variances: [1, 2], weights: [1, 2], means: [3, 1], seed: 4 });
    expect(mixture.map(({ mean }) => Math.hypot(...mean))).toEqual([expect.closeTo(3, 12), expect.closeTo(1, 12)]);
    const count = 40_000;
    const { x } = sampleMixture(mixture, randomKey(1), count);
    const mean = [0, 1, 2].map((j) => x.data.reduce((sum, v, at) => sum + (at % 3 === j ? v : 0), 0) / count);
    const centred = tensor(
      'float64',
      [count, 3],
      x.data.map((v, at) => v - (mean[at % 3] as number)),
    );
    const scatter = matmul(centred, centred, { transposeA: true });
    const found = eigenvaluesSymmetric({ ...scatter, data: scatter.data.map((v) => v / count) });
    // A sample eigenvalue has standard error about sqrt(2 / count) of itself; 4 of them, and means add kurtosis: 6.
    mixtureVariances(mixture).forEach((v, i) =>
      expect(Math.abs((found[i] as number) / v - 1)).toBeLessThan(6 * Math.sqrt(2 / count)),
    );
  });
});

describe('sampleMixture()', () => {
  const drawn = randomMixture({ n: 6, ranks: [1, 2], variances: [4, 0.25], seed: 2 });
  const mixture = drawn.map((component, k) => ({
    ...component,
    weight: [0.2, 0.8][k] as number,
    mean: new Float64Array(6).fill(k),
  }));

  it('sampleMixture() draws components by weight and points with their mean and covariance', () => {
    const count = 20_000;
    const { x, labels } = sampleMixture(mixture, randomKey(9), count);
    const share = labels.filter((k) => k === 0).length / count;
    expect(Math.abs(share - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / count)); // 4 standard errors
    mixture.forEach(({ mean, basis, variances }, k) => {
      const own = Array.from(labels.keys()).filter((i) => labels[i] === k);
      const data = Float64Array.from(own.flatMap((i) => [...mean].map((m, j) => (x.data[i * 6 + j] as number) - m)));
      const centred = tensor('float64', [own.length, 6], data);
      const coefficients = matmul(centred, basis, { transposeB: true });
      const d = variances.length;
      for (let j = 0; j < d; j++) {
        const second = own.reduce((sum, _, i) => sum + (coefficients.data[i * d + j] as number) ** 2, 0) / own.length;
        expect(Math.abs(second / (variances[j] as number) - 1)).toBeLessThan(4 * Math.sqrt(2 / own.length));
      }
      const rebuilt = matmul(coefficients, basis).data; // no noise outside the subspace
      rebuilt.forEach((value, i) => expect(Math.abs(value - (data[i] as number))).toBeLessThan(1e-13));
    });
  });

  it('sampleMixture() gives point i whatever the count, and takes labels', () => {
    const [few, many] = [sampleMixture(mixture, randomKey(9), 3), sampleMixture(mixture, randomKey(9), 8)];
    expect([...few.x.data]).toEqual([...many.x.data.slice(0, 18)]);
    const { labels } = sampleMixture(mixture, randomKey(9), 4, Int32Array.of(0, 1, 0, 1));
    expect([...labels]).toEqual([0, 1, 0, 1]);
  });
});
