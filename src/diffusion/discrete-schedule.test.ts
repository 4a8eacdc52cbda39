import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { betaSchedules, betasOf, cosineChain, ddpmChain, latentChain } from './betas.ts';
import type { DiscreteVpSpec } from './betas.ts';
import { discreteSchedule, timeOfSigma, timeOnSchedule } from './discrete-schedule.ts';

const eps = 2.3e-16;
const chains: DiscreteVpSpec[] = betaSchedules.flatMap((betaSchedule) => [
  { betaSchedule },
  { betaSchedule, zeroTerminalSnr: true },
]);

describe('discreteSchedule()', () => {
  it.each([
    [ddpmChain, 4.036e-5, 0.006353],
    [cosineChain, 2.429e-9, 4.928e-5],
    [latentChain, 0.004682, 0.068265],
  ])(
    'discreteSchedule(%o) ends at the SNR and signal that Lin et al. print (2305.08891, Table 1)',
    (chain, snr, signal) => {
      const { alphaBar, sigmas } = discreteSchedule(chain);
      const last = (values: Float64Array): number => values.at(-1) as number;
      // Half a unit of the last digit printed, or of float32 in which they multiplied a thousand factors.
      expect(Math.abs(last(sigmas) ** -2 / snr - 1)).toBeLessThan(3e-4);
      expect(Math.abs(Math.sqrt(last(alphaBar)) / signal - 1)).toBeLessThan(2e-4);
    },
  );

  it('discreteSchedule() of the latent chain spans the noise levels that k-diffusion prints for Stable Diffusion', () => {
    const { min, max } = discreteSchedule(latentChain).sigmaRange;
    expect(min).toBeCloseTo(0.0292, 4);
    expect(max).toBeCloseTo(14.6146, 4);
  });

  it('discreteSchedule() multiplies 1 - beta up', () => {
    for (const betaSchedule of betaSchedules) {
      const { alphaBar, sigmas, steps } = discreteSchedule({ betaSchedule });
      let product = 1;
      betasOf({ betaSchedule }).forEach((beta, i) => {
        product *= 1 - beta;
        // one rounding a factor, and those of the logarithm
        expect(Math.abs((alphaBar[i] as number) / product - 1)).toBeLessThan(8 * steps * eps);
        const sigma = sigmas[i] as number;
        expect(Math.abs(product * (1 + sigma * sigma) - 1)).toBeLessThan(8 * steps * eps);
      });
    }
  });

  it('discreteSchedule() keeps the digits of tiny noise', () => {
    // alphaBar = 1 - 1e-20 is 1 in float64, but sigma^2 = beta / (1 - beta) is not 0.
    const { sigmas } = discreteSchedule({ trainedBetas: [1e-20, 0.5], zeroTerminalSnr: false });
    expect(Math.abs((sigmas[0] as number) / 1e-10 - 1)).toBeLessThan(4 * eps);
    // A chain rescaled to no signal keeps its first step.
    const rescaled = discreteSchedule({ trainedBetas: [1e-20, 0.3, 0.5], zeroTerminalSnr: true });
    expect(Math.abs((rescaled.sigmas[0] as number) / 1e-10 - 1)).toBeLessThan(4 * eps);
  });

  it.each(chains)('discreteSchedule(%o) grows in noise and loses signal at every step', (chain) => {
    const { sigmas, alphaBar } = discreteSchedule(chain);
    for (let i = 1; i < sigmas.length; i++) {
      expect(sigmas[i]).toBeGreaterThan(sigmas[i - 1] as number);
      expect(alphaBar[i]).toBeLessThan(alphaBar[i - 1] as number);
    }
  });

  it('discreteSchedule() of zero terminal SNR ends without signal and reports the last finite level', () => {
    const plain = discreteSchedule(latentChain);
    const { alphaBar, sigmas, sigmaRange } = discreteSchedule({ ...latentChain, zeroTerminalSnr: true });
    expect([alphaBar.at(-1), sigmas.at(-1)]).toEqual([0, Infinity]);
    expect(sigmaRange.max).toBe(sigmas.at(-2));
    expect(sigmas[0]).toBeCloseTo(plain.sigmas[0] as number, 15);
    // Lin et al., algorithm 1, on the roots of the plain chain
    const root = Array.from(plain.alphaBar, Math.sqrt);
    const [first, final] = [root[0] as number, root.at(-1) as number];
    root.forEach((r, i) => {
      const wanted = ((r - final) * first) / (first - final);
      expect(Math.abs(Math.sqrt(alphaBar[i] as number) - wanted)).toBeLessThan(1000 * eps);
    });
  });

  it('discreteSchedule() takes a chain that ends in beta = 1 for one of zero terminal SNR', () => {
    const { sigmaRange, timeAt, sigmas } = discreteSchedule({ trainedBetas: [0.1, 0.2, 1], zeroTerminalSnr: true });
    expect(sigmas[2]).toBe(Infinity);
    expect(timeAt(1e9)).toBe(1);
    expect(sigmaRange.max).toBe(sigmas[1]);
  });

  it.each([[[0.5, 1e-20]], [[0.5, 1]], [[0.5]], [[]]])(
    'discreteSchedule({ trainedBetas: %o }) throws DomainError',
    (trainedBetas) => {
      expect(() => discreteSchedule({ trainedBetas })).toThrow(DomainError);
    },
  );
});

describe('timeAt() and sigmaAt()', () => {
  it.each(chains)('undo each other on and between the steps of %o', (chain) => {
    const { timeAt, sigmaAt, sigmas, sigmaRange } = discreteSchedule(chain);
    const last = sigmas.indexOf(sigmaRange.max);
    for (let t = 0; t <= last; t += last / 997) {
      // ln sigma is known to an eps or two, and grows by 1e-4 at least in one step
      expect(Math.abs(timeAt(sigmaAt(Math.min(t, last))) - t)).toBeLessThan(1e-10);
    }
    for (const t of [0, 1, 500, last]) {
      expect(sigmaAt(t)).toBe(sigmas[t]);
      expect(timeAt(sigmas[t] as number)).toBe(t);
    }
  });

  it('are linear in ln sigma between steps', () => {
    const { timeAt, sigmaAt, sigmas } = discreteSchedule();
    const [a, b] = [sigmas[300] as number, sigmas[301] as number];
    expect(timeAt(Math.sqrt(a * b))).toBeCloseTo(300.5, 10);
    expect(sigmaAt(300.25)).toBeCloseTo(a ** 0.75 * b ** 0.25, 14);
  });

  it('clamp a noise level, and refuse a time, that the chain does not have', () => {
    const { timeAt, sigmaAt } = discreteSchedule();
    expect([timeAt(1e-9), timeAt(1e9), timeAt(Number.MIN_VALUE)]).toEqual([0, 999, 0]);
    for (const t of [-0.1, 999.1, NaN]) expect(() => sigmaAt(t)).toThrow(DomainError);
  });
});

it('nearestStep() is the step of least distance in sigma', () => {
  const { nearestStep, sigmas } = discreteSchedule(cosineChain);
  for (const sigma of [1e-5, 0.012, 0.3, 1, 7.7, 90, 1e4, 1e6]) {
    const distances = Array.from(sigmas, (other) => Math.abs(other - sigma));
    expect(distances[nearestStep(sigma)]).toBe(Math.min(...distances));
  }
});

it('timeOnSchedule() says the time in every convention', () => {
  const schedule = discreteSchedule();
  const sigma = schedule.sigmaAt(250.4);
  expect(timeOnSchedule('step', sigma, schedule)).toBeCloseTo(250.4, 9);
  expect(timeOnSchedule('nearest-step', sigma, schedule)).toBe(250);
  expect(timeOnSchedule('unit', sigma, schedule)).toBeCloseTo(0.2504, 12);
  expect(timeOnSchedule('sigma', sigma, schedule)).toBe(sigma);
  expect(timeOfSigma('quarter-log-sigma', Math.E ** 4)).toBeCloseTo(1, 15);
  // log-SNR of VP: ln(alphaBar / (1 - alphaBar))
  const alphaBar = 1 / (1 + sigma * sigma);
  expect(timeOfSigma('log-snr', sigma)).toBeCloseTo(Math.log(alphaBar / (1 - alphaBar)), 12);
});
