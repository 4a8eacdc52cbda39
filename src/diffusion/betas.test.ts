import { expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { betasOf, cosineChain, LONGEST_CHAIN } from './betas.ts';

it('betasOf() runs from betaStart to betaEnd, evenly in beta or in its root', () => {
  const ends = { betaStart: 0.01, betaEnd: 0.09, steps: 3 };
  const linear = [...betasOf({ ...ends, betaSchedule: 'linear' })];
  const scaled = [...betasOf({ ...ends, betaSchedule: 'scaled_linear' })];
  [0.01, 0.05, 0.09].forEach((beta, i) => expect(linear[i]).toBeCloseTo(beta, 15));
  [0.01, 0.04, 0.09].forEach((beta, i) => expect(scaled[i]).toBeCloseTo(beta, 15)); // roots 0.1, 0.2, 0.3
});

it('betasOf() of the sigmoid schedule is the logistic curve over [-6, 6]', () => {
  const betas = betasOf({ betaSchedule: 'sigmoid', steps: 13, betaStart: 0.1, betaEnd: 0.5 });
  betas.forEach((beta, i) => expect(beta).toBeCloseTo(0.1 + 0.4 * (0.5 + 0.5 * Math.tanh((i - 6) / 2)), 14));
});

it('betasOf() of the cosine schedule multiplies up to a ratio of squared cosines, until the cap', () => {
  const steps = 1000;
  const f = (t: number): number => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  let alphaBar = 1;
  betasOf(cosineChain).forEach((beta, i) => {
    alphaBar *= 1 - beta;
    // The last step is capped; each factor brings one rounding.
    if (i < steps - 1)
      expect(Math.abs(alphaBar / (f((i + 1) / steps) / f(0)) - 1)).toBeLessThan(2 * steps * 2.3e-16 * 20);
  });
  expect(betasOf(cosineChain).at(-1)).toBe(0.999);
});

it('betasOf() takes trained betas as they are', () => {
  expect([...betasOf({ trainedBetas: [0.5, 0.25, 1], steps: 7 })]).toEqual([0.5, 0.25, 1]);
});

it.each([
  [{ steps: 1 }],
  [{ steps: 2.5 }],
  [{ steps: LONGEST_CHAIN + 1 }],
  [{ betaEnd: 1.5 }],
  [{ betaStart: 0 }],
  [{ betaStart: NaN }],
  [{ trainedBetas: [0.1, 1, 0.1] }],
])('betasOf(%o) throws DomainError', (spec) => {
  expect(() => betasOf(spec)).toThrow(DomainError);
});
