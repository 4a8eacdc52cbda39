import { describe, expect, it } from 'vitest';
import { describeDenoiserContract } from '../../test/contracts/denoiser.ts';
import { DomainError, NumericalError, ShapeError } from '../errors/errors.ts';
import { eigenvaluesSymmetric } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { row, slice, tensor, zeros } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { Denoiser } from './denoiser.ts';
import { gaussianDenoiser } from './gaussian.ts';
import { lowRankMixtureDenoiser, mixturePosterior } from './low-rank-mixture.ts';
import type { LowRankMixture } from './low-rank-mixture.ts';
import { randomMixture, sampleMixture } from './mixture-draw.ts';
import { parseMixtureSpec } from './mixture-spec.ts';

// Three dimensions, a line and a plane that are not orthogonal to each other, off the origin.
const frame = orthonormalRows(normal(randomKey(4, 'frame'), [2, 3])).q;
const skew: LowRankMixture = [
  {
    weight: 0.3,
    mean: Float64Array.of(0.5, -0.2, 0.1),
    basis: orthonormalRows(normal(randomKey(4, 'line'), [1, 3])).q,
    variances: Float64Array.of(2),
  },
  { weight: 0.7, mean: Float64Array.of(-0.4, 0, 0.3), basis: frame, variances: Float64Array.of(1, 0.3) },
];
const figure = randomMixture(parseMixtureSpec('n=48,K=2,d=6'));

describeDenoiserContract('low-rank mixture', {
  create: () => lowRankMixtureDenoiser({ name: 'skew', mixture: skew }),
  sigmas: [0.1, 1, 10],
  symmetric: true,
});
describeDenoiserContract('MoLRG', {
  create: () => lowRankMixtureDenoiser({ name: 'molrg:n=48,K=2,d=6', mixture: figure }),
  sigmas: [0.002, 0.1, 1, 3],
  symmetric: true,
  clean: row(sampleMixture(figure, randomKey(1), 1).x, 0).data,
});

describe('lowRankMixtureDenoiser()', () => {
  it.each([0.3, 1, 4])(
    'lowRankMixtureDenoiser() at sigma %d has the posterior mean and J = posterior covariance / sigma^2',
    async (sigma) => {
      await using denoiser = lowRankMixtureDenoiser({ name: 'skew', mixture: skew });
      const x = Float64Array.of(0.3, 0.4, -0.6);
      const { mean, covariance } = posteriorByQuadrature(x, sigma);
      const point = tensor('float64', [1, 3], x);
      const out = await denoiser.denoise(point, sigma);
      mean.forEach((m, j) => expect(Math.abs((out.data[j] as number) - m)).toBeLessThan(1e-10));
      const J = await jacobianOf(denoiser, point, sigma);
      J.data.forEach((value, i) => {
        expect(Math.abs(value - (covariance[i] as number) / sigma ** 2)).toBeLessThan(1e-9);
      });
    },
  );

  it('lowRankMixtureDenoiser() of one component is the Gaussian denoiser of its covariance', async () => {
    const [plane] = [skew[1] as LowRankMixture[number]];
    await using mixed = lowRankMixtureDenoiser({ name: 'one', mixture: [{ ...plane, weight: 1 }] });
    const eigen = { values: plane.variances, vectors: plane.basis };
    await using gaussian = gaussianDenoiser({ name: 'gaussian', sampleShape: [3], mean: plane.mean, eigen });
    const x = normal(randomKey(8), [5, 3]);
    const sigmas = Float64Array.of(0.01, 0.1, 1, 3, 30);
    const [a, b] = [await mixed.denoise(x, sigmas), await gaussian.denoise(x, sigmas)];
    a.data.forEach((value, i) => expect(Math.abs(value - (b.data[i] as number))).toBeLessThan(1e-14));
    const [Ja, Jb] = [await jacobianOf(mixed, row(x, 0), 0.1), await jacobianOf(gaussian, row(x, 0), 0.1)];
    Ja.data.forEach((value, i) => expect(Math.abs(value - (Jb.data[i] as number))).toBeLessThan(1e-14));
  });

  it('lowRankMixtureDenoiser() weighs unequal ranks by (1 + 1 / sigma^2)^(-d / 2) at the origin', async () => {
    const mixture = randomMixture(parseMixtureSpec('n=12,d=2:5'));
    await using denoiser = lowRankMixtureDenoiser({ name: 'unequal', mixture });
    const sigma = 0.7;
    const J = await jacobianOf(denoiser, zeros('float64', [12]), sigma);
    const shrink = 1 / (1 + sigma ** 2);
    const odds = (1 + 1 / sigma ** 2) ** (3 / 2); // of rank 2 over rank 5
    const w = odds / (1 + odds);
    const values = eigenvaluesSymmetric(J);
    const wanted = [w, w, ...new Array<number>(5).fill(1 - w)].map((v) => v * shrink);
    wanted.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 13));
  });

  // Published curve: 6/48 at low noise, 12/48 at high noise, mixed between. At sigma 3 one point in a hundred still has rank 11.
  it.each([
    [0.002, 0.125, 0],
    [0.1, 0.125, 0],
    [0.6, 0.136, 0.02],
    [1.1, 0.19, 0.02],
    [3, 0.25, 0.001],
    [5, 0.25, 0],
    [80, 0.25, 0],
  ])("n=48,K=2,d=6 at sigma %d has rank ratio %d by the papers' rule", async (sigma, ratio, tolerance) => {
    await using denoiser = lowRankMixtureDenoiser({ name: 'molrg', mixture: figure });
    const count = 100;
    const { x } = sampleMixture(figure, randomKey(2, 'points'), count);
    const noisy = addNoise(x, sigma);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += papersRank(eigenvaluesSymmetric(await jacobianOf(denoiser, row(noisy, i), sigma)));
    }
    expect(Math.abs(sum / count / 48 - ratio)).toBeLessThanOrEqual(tolerance);
  });

  it('lowRankMixtureDenoiser() at sigma 0.002 finds the component of a point and projects on it', async () => {
    await using denoiser = lowRankMixtureDenoiser({ name: 'molrg', mixture: figure });
    const { x, labels } = sampleMixture(figure, randomKey(6), 8);
    const noisy = addNoise(x, 0.002);
    const out = await denoiser.denoise(noisy, 0.002);
    labels.forEach((k, i) => {
      const { basis } = figure[k] as LowRankMixture[number];
      const inside = matmul(matmul(slice(noisy, i, i + 1), basis, { transposeB: true }), basis).data;
      inside.forEach((v, j) => {
        expect(Math.abs((out.data[i * 48 + j] as number) - v / (1 + 0.002 ** 2))).toBeLessThan(1e-14);
      });
    });
  });

  it('lowRankMixtureDenoiser() refuses what is not a mixture', () => {
    const make = (change: Partial<LowRankMixture[number]>) => () =>
      lowRankMixtureDenoiser({ name: 'bad', mixture: [skew[0], { ...skew[1], ...change }] as LowRankMixture });
    expect(make({})).not.toThrow();
    expect(make({ weight: 0.6 })).toThrow(DomainError);
    expect(make({ weight: -0.7 })).toThrow(DomainError);
    expect(make({ mean: Float64Array.of(1) })).toThrow(ShapeError);
    expect(make({ mean: Float64Array.of(1, NaN, 0) })).toThrow(NumericalError);
    expect(make({ variances: Float64Array.of(1, 0) })).toThrow(DomainError);
    expect(make({ variances: Float64Array.of(1) })).toThrow(ShapeError);
    expect(make({ basis: { ...frame, data: frame.data.map((v) => 2 * v) } })).toThrow(DomainError);
    expect(() => lowRankMixtureDenoiser({ name: 'none', mixture: [] })).toThrow(ShapeError);
  });

  it('denoise() reports values too large for float64 as NumericalError', async () => {
    await using denoiser = lowRankMixtureDenoiser({ name: 'skew', mixture: skew });
    await expect(denoiser.denoise(tensor('float64', [1, 3], Float64Array.of(1e200, 0, 0)), 1)).rejects.toThrow(
      NumericalError,
    );
  });
});

describe('mixturePosterior()', () => {
  it('mixturePosterior() has the log-density of a dense Gaussian for one component', () => {
    const [plane] = [skew[1] as LowRankMixture[number]];
    const sigma = 0.4;
    const x = normal(randomKey(3), [4, 3]);
    const { logDensity, weights } = mixturePosterior([{ ...plane, weight: 1 }], x, sigma);
    expect([...weights.data]).toEqual([1, 1, 1, 1]);
    // Covariance in its own basis: variances + sigma^2 inside, sigma^2 along the normal.
    const spread = [1 + sigma ** 2, 0.3 + sigma ** 2];
    logDensity.forEach((value, b) => {
      const centred = plane.mean.map((m, j) => (x.data[3 * b + j] as number) - m);
      const inside = [0, 1].map((i) => centred.reduce((sum, c, j) => sum + c * (frame.data[3 * i + j] as number), 0));
      const outside = centred.reduce((sum, c) => sum + c * c, 0) - inside.reduce((sum, c) => sum + c * c, 0);
      const quadratic = inside.reduce((sum, c, i) => sum + (c * c) / (spread[i] as number), outside / sigma ** 2);
      const logDeterminant = spread.reduce((sum, v) => sum + Math.log(v), Math.log(sigma ** 2));
      expect(value).toBeCloseTo(-(quadratic + logDeterminant + 3 * Math.log(2 * Math.PI)) / 2, 12);
    });
  });

  it.each([0.3, 2])('mixturePosterior() at sigma %d has the gradient of its log-density as score', async (sigma) => {
    const x = Float64Array.of(0.3, 0.4, -0.6);
    const at = (point: Float64Array) => mixturePosterior(skew, tensor('float64', [1, 3], point), sigma);
    const h = 1e-4;
    const { score, mean, weights } = at(x);
    score.data.forEach((s, j) => {
      const moved = [h, -h].map((step) => at(x.map((v, i) => (i === j ? v + step : v))).logDensity[0] as number);
      expect(Math.abs(((moved[0] as number) - (moved[1] as number)) / (2 * h) - s)).toBeLessThan(1e-6); // h^2 / sigma^4
    });
    expect(weights.data.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 14);
    await using denoiser = lowRankMixtureDenoiser({ name: 'skew', mixture: skew });
    expect((await denoiser.denoise(tensor('float64', [1, 3], x), sigma)).data).toEqual(mean.data);
  });

  it('mixturePosterior() refuses points and noise levels that are none', () => {
    expect(() => mixturePosterior(skew, zeros('float64', [1, 2]), 1)).toThrow(ShapeError);
    expect(() => mixturePosterior(skew, zeros('float64', [1, 3]), 0)).toThrow(DomainError);
    expect(() => mixturePosterior([], zeros('float64', [1, 3]), 1)).toThrow(ShapeError);
  });
});

/**
 * Posterior of the skew mixture by the trapezoidal rule over each component's own coordinates; the integrand is Gaussian, so the
 * rule converges faster than any power of its step.
 */
function posteriorByQuadrature(x: Float64Array, sigma: number): { mean: Float64Array; covariance: Float64Array } {
  const nodes = Array.from({ length: 241 }, (_, i) => (i - 120) / 12); // +- 10 standard deviations
  let total = 0;
  const first = new Float64Array(3);
  const second = new Float64Array(9);
  for (const { weight, mean, basis, variances } of skew) {
    const d = variances.length;
    const step = 12 ** -d;
    const grid = d === 1 ? nodes.map((z) => [z]) : nodes.flatMap((z) => nodes.map((y) => [z, y]));
    for (const z of grid) {
      const x0 = mean.map((m, j) =>
        z.reduce((sum, zi, i) => sum + zi * Math.sqrt(variances[i] as number) * (basis.data[i * 3 + j] as number), m),
      );
      const exponent =
        z.reduce((sum, zi) => sum + zi * zi, 0) +
        x0.reduce((sum, v, j) => sum + (((x[j] as number) - v) / sigma) ** 2, 0);
      const mass = (weight * step * Math.exp(-exponent / 2)) / (2 * Math.PI) ** (d / 2);
      total += mass;
      for (let i = 0; i < 3; i++) {
        first[i] = (first[i] as number) + mass * (x0[i] as number);
        for (let j = 0; j < 3; j++) {
          second[3 * i + j] = (second[3 * i + j] as number) + mass * (x0[i] as number) * (x0[j] as number);
        }
      }
    }
  }
  const mean = first.map((m) => m / total);
  const covariance = second.map((s, i) => s / total - (mean[Math.floor(i / 3)] as number) * (mean[i % 3] as number));
  return { mean, covariance };
}

function addNoise(x: Tensor<'float64'>, sigma: number): Tensor<'float64'> {
  const noise = normal(randomKey(2, 'noise', sigma), x.shape).data;
  return { ...x, data: x.data.map((v, i) => v + sigma * (noise[i] as number)) };
}

async function jacobianOf(denoiser: Denoiser, x: FloatTensor, sigma: number): Promise<Tensor<'float64'>> {
  const n = denoiser.sampleShape[0] as number;
  const identity = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  const J = await denoiser.linearize(x, sigma).apply(tensor('float64', [n, n], identity));
  return J as Tensor<'float64'>;
}

/** Smallest r with sqrt(sum_{i<=r} S_i^2) > 0.99 sqrt(sum S_i^2); eigenvalues of a positive semidefinite J are its singular values. */
function papersRank(values: Float64Array): number {
  const total = Math.hypot(...values);
  return 1 + values.findIndex((_, i) => Math.hypot(...values.slice(0, i + 1)) > 0.99 * total);
}
