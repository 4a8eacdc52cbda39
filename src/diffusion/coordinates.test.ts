import { expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import {
  alphaBarFromSigma,
  jacobianScale,
  linearVpSchedule,
  sigmaFromAlphaBar,
  sigmaFromVpTime,
  vpTimeFromSigma,
} from './coordinates.ts';

it('sigmaFromAlphaBar() undoes alphaBarFromSigma()', () => {
  for (const sigma of [0.1, 1, 3, 80]) {
    // 1 - alphaBar loses about log10(1 / sigma^2) digits
    expect(Math.abs(sigmaFromAlphaBar(alphaBarFromSigma(sigma)) / sigma - 1)).toBeLessThan(1e-13);
  }
  expect(alphaBarFromSigma(0)).toBe(1);
  expect(sigmaFromAlphaBar(1)).toBe(0);
});

it('vpTimeFromSigma() undoes sigmaFromVpTime() down to no noise', () => {
  for (const t of [0, 1e-9, 1e-3, 0.3, 0.7, 1]) {
    expect(Math.abs(vpTimeFromSigma(sigmaFromVpTime(t)) - t)).toBeLessThanOrEqual(16 * 2.3e-16 * t);
  }
});

it('sigmaFromVpTime() agrees with the 1000 discrete steps of DDPM', () => {
  // The discrete product of 1 - beta_i differs from the integral by O(beta): 1% at the noisy end.
  let logAlphaBar = 0;
  for (let i = 0; i < 1000; i++) {
    logAlphaBar += Math.log1p(-(1e-4 + (i / 999) * (0.02 - 1e-4)));
    const discrete = Math.sqrt(Math.expm1(-logAlphaBar));
    if (i % 100 === 99) {
      expect(Math.abs(sigmaFromVpTime((i + 1) / 1000) / discrete - 1)).toBeLessThan(0.05);
    }
  }
});

it('sigmaFromVpTime() with betaMin = betaMax is the exponential of constant beta', () => {
  const schedule = { betaMin: 2, betaMax: 2 };
  expect(sigmaFromVpTime(0.5, schedule)).toBeCloseTo(Math.sqrt(Math.E - 1), 14);
  expect(vpTimeFromSigma(Math.sqrt(Math.E - 1), schedule)).toBeCloseTo(0.5, 14);
  expect(linearVpSchedule).toEqual({ betaMin: 0.1, betaMax: 20 });
});

it('jacobianScale() turns the Wiener gain of VE into the one of VP', () => {
  // Unit-variance data: D = x / (1 + sigma^2) in VE, and E[x0 | x_t] = sqrt(alphaBar) x_t in VP.
  for (const sigma of [0.1, 1, 5]) {
    const ve = 1 / (1 + sigma ** 2);
    expect(ve * jacobianScale(sigma, 'VP')).toBeCloseTo(Math.sqrt(alphaBarFromSigma(sigma)), 14);
    expect(jacobianScale(sigma, 'VE')).toBe(1);
  }
});

it('conversions throw DomainError outside their domain', () => {
  expect(() => alphaBarFromSigma(-1)).toThrow(DomainError);
  expect(() => sigmaFromAlphaBar(0)).toThrow(DomainError);
  expect(() => sigmaFromVpTime(1.1)).toThrow(DomainError);
  expect(() => vpTimeFromSigma(NaN)).toThrow(DomainError);
});
