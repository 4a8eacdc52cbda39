import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { cosineChain, latentChain } from './betas.ts';
import { sigmaFromVpTime } from './coordinates.ts';
import { discreteSchedule } from './discrete-schedule.ts';
import { parameterization } from './parameterization.ts';
import type { ParameterizationSpec } from './parameterization.ts';
import { parameterizationSchema } from './parameterization-schema.ts';

// Data N(0, s^2): E[x0 | x] = s^2 / (s^2 + sigma^2) x. Every network below is the best one of its kind in its own coordinates, written
// from its own definition, and sees its input and its time only.
const s2 = 0.49;
type Network = (input: number, time: number) => number;

/** The best networks on x_t = sqrt(a) x0 + sqrt(1 - a) n with 1 / a = 1 + sigma^2. */
const vp = (sigmaOf: (time: number) => number): Record<'epsilon' | 'v' | 'x0', Network> => {
  const parts = (time: number): { a: number; b: number; variance: number } => {
    const sigma = sigmaOf(time);
    const [a, b] = [1 / (1 + sigma ** 2), sigma ** 2 / (1 + sigma ** 2)];
    return { a, b, variance: a * s2 + b };
  };
  return {
    epsilon: (xt, time) => (Math.sqrt(parts(time).b) / parts(time).variance) * xt,
    v: (xt, time) => (Math.sqrt(parts(time).a * parts(time).b) * (1 - s2) * xt) / parts(time).variance,
    x0: (xt, time) => ((Math.sqrt(parts(time).a) * s2) / parts(time).variance) * xt,
  };
};

/** The best velocity n - x0 on x_t = (1 - t) x0 + t n. */
const velocity = (xt: number, t: number): number => ((t - (1 - t) * s2) / ((1 - t) ** 2 * s2 + t * t)) * xt;

const logSnr = vp((time) => Math.exp(-time / 2));
const latent = discreteSchedule(latentChain);
const onLatentSteps = vp((time) => latent.sigmaAt(time));

const everySigma = [1e-3, 0.02, 0.3, 1, 4.7, 80, 1e3];
const cases: [ParameterizationSpec, Network, number[]?][] = [
  [{ kind: 'denoised' }, (x, sigma) => (s2 / (s2 + sigma ** 2)) * x],
  [{ kind: 'denoised', time: 'log-snr', timeScale: 2 }, (x, time) => (s2 / (s2 + Math.exp(-time / 2))) * x],
  [{ kind: 'edm' }, (x, time) => ((Math.exp(4 * time) * (s2 - 0.25)) / (0.5 * (s2 + Math.exp(8 * time)))) * x],
  [
    { kind: 'edm', sigmaData: 1, negated: true },
    (x, time) => ((Math.exp(4 * time) * (1 - s2)) / (s2 + Math.exp(8 * time))) * x,
  ],
  // diffusers' claim: EDM with sigmaData 1 and the sign turned is v-prediction
  [{ kind: 'edm', sigmaData: 1, negated: true }, vp((time) => Math.exp(4 * time)).v],
  [{ kind: 'epsilon', time: 'log-snr' }, logSnr.epsilon],
  [{ kind: 'v', time: 'log-snr' }, logSnr.v],
  [{ kind: 'v', time: 'quarter-log-sigma' }, vp((time) => Math.exp(4 * time)).v],
  [{ kind: 'x0', time: 'log-snr' }, logSnr.x0],
  [{ kind: 'epsilon', schedule: latentChain }, onLatentSteps.epsilon, [0.03, 0.3, 1, 14]],
  [{ kind: 'v', schedule: latentChain, time: 'unit' }, (x, t) => onLatentSteps.v(x, 1000 * t), [0.03, 0.3, 1, 14]],
  [{ kind: 'x0', schedule: latentChain, time: 'unit', timeScale: 1000 }, onLatentSteps.x0, [0.03, 0.3, 1, 14]],
  [{ kind: 'vp' }, vp((time) => sigmaFromVpTime(time / 999)).epsilon, [1e-3, 0.02, 0.3, 1, 4.7, 80]],
  [{ kind: 'vp', steps: 101 }, vp((time) => sigmaFromVpTime(time / 100)).epsilon, [1e-3, 1, 80]],
  [{ kind: 've' }, (x, time) => ((-2 * Math.exp(time)) / (s2 + 4 * Math.exp(2 * time))) * x],
  [
    { kind: 'iddpm' },
    vp((step) => discreteSchedule(cosineChain).sigmas[step] as number).epsilon,
    [0, 1, 500, 998].map((step) => discreteSchedule(cosineChain).sigmas[step] as number),
  ],
  [{ kind: 'flow' }, velocity],
  [{ kind: 'flow', timeScale: 1000 }, (xt, time) => velocity(xt, time / 1000)],
  [{ kind: 'flow', dataAt: 1 }, (xt, time) => -velocity(xt, 1 - time)],
  [{ kind: 'score' }, (x, sigma) => -x / (s2 + sigma ** 2)],
];

describe('parameterization()', () => {
  it.each(cases)(
    'parameterization(%o) turns the best network of its kind into the posterior mean',
    (spec, F, sigmas) => {
      const reading = parameterization(spec);
      for (const sigma of sigmas ?? everySigma) {
        const { cSkip, cOut, cIn, time } = reading.coefficients(sigma);
        const x = 1.3 * Math.sqrt(s2 + sigma ** 2);
        const D = cSkip * x + cOut * F(cIn * x, time);
        // At sigma 1e3 the times of bounded conventions know sigma to 1e3 eps; nothing loses more.
        expect(Math.abs(D - (s2 / (s2 + sigma ** 2)) * x)).toBeLessThan(1e-12 * Math.max(1, x));
      }
      expect(reading.needsTime).toBe(true);
    },
  );

  it('parameterization() reads networks without time', () => {
    for (const sigma of everySigma) {
      const x = 2;
      const residual = parameterization({ kind: 'residual' }).coefficients(sigma);
      const blind = parameterization({ kind: 'blind' }).coefficients(sigma);
      const noise = (sigma ** 2 / (s2 + sigma ** 2)) * x;
      const wanted = (s2 / (s2 + sigma ** 2)) * x;
      expect(residual.cSkip * x + residual.cOut * noise).toBeCloseTo(wanted, 14);
      expect(blind.cSkip * x + blind.cOut * wanted).toBe(wanted);
    }
    expect(parameterization({ kind: 'residual' }).needsTime).toBe(false);
    expect(parameterization({ kind: 'blind' }).needsTime).toBe(false);
  });

  it.each(cases.map(([spec]) => spec))('parameterization(%o) has finite coefficients at any noise', (spec) => {
    const reading = parameterization(spec);
    for (const sigma of [1e-150, 1e-9, 1e9, 1e150]) {
      const { cSkip, cOut, cIn, time } = reading.coefficients(sigma);
      for (const value of [cSkip, cOut, cIn, time]) expect(Number.isFinite(value)).toBe(true);
    }
    for (const sigma of [0, -1, NaN, Infinity]) expect(() => reading.coefficients(sigma)).toThrow(DomainError);
  });

  it('parameterization() knows the range of the training, unless the spec says another', () => {
    expect(parameterization({ kind: 'edm' }).sigmaRange).toEqual({ min: 0.002, max: 80 });
    expect(parameterization({ kind: 've' }).sigmaRange).toEqual({ min: 0.02, max: 100 });
    expect(parameterization({ kind: 'epsilon', schedule: latentChain }).sigmaRange).toEqual(latent.sigmaRange);
    expect(parameterization({ kind: 'blind' }).sigmaRange).toEqual({ min: 0, max: Infinity });
    expect(parameterization({ kind: 'blind', sigmaRange: { min: 0, max: 0.4 } }).sigmaRange).toEqual({
      min: 0,
      max: 0.4,
    });
    // Karras et al., Table 1: VP of the same betas as DDPM reaches 152, iddpm the last step under the cap
    expect(parameterization({ kind: 'vp' }).sigmaRange.max).toBeCloseTo(Math.sqrt(Math.expm1(10.05)), 9);
    expect(
      parameterization({ kind: 'v', schedule: { ...latentChain, zeroTerminalSnr: true } }).sigmaRange.max,
    ).toBeLessThan(Infinity);
  });

  it('parameterization() clamps the time to the chain, and the factors not', () => {
    const beyond = parameterization({ kind: 'epsilon' }).coefficients(1e4);
    expect(beyond).toEqual({ cSkip: 1, cOut: -1e4, cIn: 1 / Math.hypot(1, 1e4), time: 999 });
    expect(parameterization({ kind: 'vp' }).coefficients(1e4).time).toBe(999);
  });

  it.each<ParameterizationSpec>([
    { kind: 'edm', sigmaData: 0 },
    { kind: 'vp', steps: 1 },
    { kind: 'epsilon', schedule: { steps: 1 } },
    { kind: 'blind', sigmaRange: { min: 2, max: 1 } },
    { kind: 'blind', sigmaRange: { min: NaN, max: 1 } },
  ])('parameterization(%o) throws DomainError', (spec) => {
    expect(() => parameterization(spec)).toThrow(DomainError);
  });
});

it('parameterizationSchema accepts every spec above, and survives a trip through JSON', () => {
  for (const [spec] of cases) expect(parameterizationSchema.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
});
