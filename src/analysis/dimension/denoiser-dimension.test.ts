import { describe, expect, it } from 'vitest';
import { lowRankMixtureDenoiser } from '../../denoisers/low-rank-mixture.ts';
import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { CancelledError, DomainError } from '../../errors/errors.ts';
import { randomKey } from '../../tensor/random.ts';
import { denoiserDimension } from './denoiser-dimension.ts';

const mixture = randomMixture({ n: 40, ranks: [6, 6], variances: [1, 1], seed: 5 });
const denoiser = lowRankMixtureDenoiser({ name: 'molrg', mixture });
const { x } = sampleMixture(mixture, randomKey(6), 40);

describe('denoiserDimension()', () => {
  it('denoiserDimension() finds d values near 1 and error d sigma^2 on a low-rank mixture at small noise', async () => {
    const sigmas = [0.02, 0.01];
    const { levels, plateau } = await denoiserDimension(denoiser, x, { sigmas, seed: 1, probes: 40, triplets: 10 });
    expect(levels.map((l) => l.sigma)).toEqual([0.01, 0.02]);
    for (const { sigma, error, sure, trace, rank, values, rankIsLowerBound, status } of levels) {
      expect(rank).toMatchObject({ mean: 6, low: 6, high: 6 });
      expect({ rankIsLowerBound, status }).toEqual({ rankIsLowerBound: false, status: 'converged' });
      // Exact inside the subspace: gain 1 / (1 + sigma^2), the trace six times that.
      expect(Math.abs(trace.mean - 6 / (1 + sigma * sigma))).toBeLessThan(1e-9);
      expect(values[5]).toBeCloseTo(1, 2);
      expect(values[6]).toBeLessThan(1e-6);
      // The error is chi-squared with 6 degrees, variance 12: four standard errors of the mean of 40.
      const tolerance = 4 * Math.sqrt(12 / 40);
      expect(Math.abs(error.mean - 6)).toBeLessThan(tolerance);
      // Stein's estimate: 2 tr J + the squared noise outside (34 degrees, variance 68) - 40.
      expect(Math.abs(sure.mean - 6)).toBeLessThan(4 * Math.sqrt(68 / 40));
    }
    expect(Math.abs(plateau.slope)).toBeLessThan(1);
  });

  it('denoiserDimension() says that the rank is a lower bound, and estimates the trace from few probes', async () => {
    const { levels } = await denoiserDimension(denoiser, x, { sigmas: [0.01, 0.02], seed: 2, probes: 4, triplets: 3 });
    for (const { trace, rank, rankIsLowerBound } of levels) {
      expect({ mean: rank.mean, rankIsLowerBound }).toEqual({ mean: 3, rankIsLowerBound: true });
      // Hutchinson: variance at most 2 |J|_F^2 / probes = 3 a sample, 40 samples.
      expect(Math.abs(trace.mean - 6)).toBeLessThan(4 * Math.sqrt(3 / 40));
      expect(trace.high).toBeGreaterThan(trace.low);
    }
  });

  it('denoiserDimension() falls below the dimension where noise exceeds the data', async () => {
    const { levels, plateau } = await denoiserDimension(denoiser, x, {
      sigmas: [0.01, 0.02, 10],
      seed: 3,
      probes: 40,
      triplets: 8,
    });
    expect(levels[2]?.rank.mean).toBe(0);
    expect(levels[2]?.error.mean).toBeLessThan(0.2);
    expect(plateau.sigma).toBeLessThan(1);
  });

  it('denoiserDimension() refuses one sample or one level, and stops when told', async () => {
    const one = { ...x, shape: [1, 40], data: x.data.slice(0, 40) };
    await expect(denoiserDimension(denoiser, one, { sigmas: [0.1, 1], seed: 1 })).rejects.toThrow(DomainError);
    await expect(denoiserDimension(denoiser, x, { sigmas: [0.1], seed: 1 })).rejects.toThrow(DomainError);
    const signal = AbortSignal.abort();
    await expect(denoiserDimension(denoiser, x, { sigmas: [0.1, 1], seed: 1, signal })).rejects.toThrow(CancelledError);
  });
});
