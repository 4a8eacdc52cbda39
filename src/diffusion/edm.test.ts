import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { edmLossWeight, edmPreconditioning, trainingSigma } from './edm.ts';

const sigmas = [0.002, 0.1, 0.5, 3, 80];

describe('edmPreconditioning()', () => {
  it('edmPreconditioning() gives the network input of unit variance', () => {
    for (const sigma of sigmas) {
      const { cIn } = edmPreconditioning(sigma, 0.7);
      expect(cIn ** 2 * (0.7 ** 2 + sigma ** 2)).toBeCloseTo(1, 14);
    }
  });

  it('edmPreconditioning() gives the network a target of unit variance', () => {
    // F's target is (x0 - cSkip (x0 + sigma n)) / cOut, with Var x0 = sigmaData^2.
    for (const sigma of sigmas) {
      const { cSkip, cOut } = edmPreconditioning(sigma, 0.7);
      const variance = ((1 - cSkip) ** 2 * 0.7 ** 2 + (cSkip * sigma) ** 2) / cOut ** 2;
      expect(Math.abs(variance - 1)).toBeLessThan(1e-9); // 1 - cSkip loses digits at sigma 0.002
    }
  });

  it('edmPreconditioning() skips fully at no noise and not at all at high noise', () => {
    expect(edmPreconditioning(1e-8).cSkip).toBeCloseTo(1, 14);
    expect(edmPreconditioning(1e8).cOut).toBeCloseTo(0.5, 14);
    expect(edmPreconditioning(Math.E ** 4).cNoise).toBeCloseTo(1, 14);
  });

  it.each([0, -1, NaN, Infinity])('edmPreconditioning(%d) throws DomainError', (sigma) => {
    expect(() => edmPreconditioning(sigma)).toThrow(DomainError);
    expect(() => edmPreconditioning(1, sigma)).toThrow(DomainError);
  });
});

it('edmLossWeight() is (sigma^2 + sigmaData^2) / (sigma sigmaData)^2', () => {
  for (const sigma of sigmas) {
    const wanted = (sigma ** 2 + 0.25) / (sigma * 0.5) ** 2;
    expect(Math.abs(edmLossWeight(sigma) / wanted - 1)).toBeLessThan(1e-14);
  }
});

it('trainingSigma() of normal draws has ln sigma of mean -1.2 and standard deviation 1.2', () => {
  const n = 40_000;
  const logs = Array.from(normal(randomKey(1), [n]).data, (z) => Math.log(trainingSigma(z)));
  const mean = logs.reduce((s, v) => s + v, 0) / n;
  const variance = logs.reduce((s, v) => s + (v - mean) ** 2, 0) / n;
  expect(Math.abs(mean + 1.2)).toBeLessThan((4 * 1.2) / Math.sqrt(n)); // 4 standard errors
  expect(Math.abs(variance / 1.44 - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
});
