import { describe, expect, test } from 'vitest';
import { DomainError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { bootstrap, bootstrapMean, meanOf } from './bootstrap.ts';
import { betaQuantile, incompleteBeta } from './incomplete-beta.ts';
import { complement, exactRate } from './interval.ts';

/** Probabilities of 0 .. n hits, by the recurrence. */
function binomial(n: number, p: number): number[] {
  const chances = [(1 - p) ** n];
  for (let k = 1; k <= n; k++) chances.push(((chances[k - 1] as number) * (n - k + 1) * p) / (k * (1 - p)));
  return chances;
}

const tailFrom = (n: number, p: number, k: number): number =>
  binomial(n, p)
    .slice(k)
    .reduce((sum, chance) => sum + chance, 0);

describe('incompleteBeta()', () => {
  test.each([0.01, 0.3, 0.5, 0.77])('is the upper tail of a binomial distribution at p = %f', (p) => {
    for (const n of [1, 7, 30]) {
      for (let k = 1; k <= n; k++) {
        // n roundings of the sum, and those of log gamma at n.
        expect(Math.abs(incompleteBeta(p, k, n - k + 1) - tailFrom(n, p, k)), `n ${n}, k ${k}`).toBeLessThan(1e-13);
      }
    }
  });
  test('is x^a for b = 1, and 1 minus itself turned round', () => {
    for (const [x, a] of [
      [0.2, 3.5],
      [0.9, 200],
      [0.5, 0.25],
    ] as const) {
      // prettier-ignore
      expect(Math.abs(incompleteBeta(x, a, 1) - x ** a)).toBeLessThan(1e-13);
      expect(Math.abs(incompleteBeta(x, a, 7) + incompleteBeta(1 - x, 7, a) - 1)).toBeLessThan(1e-13);
    }
  });
  test('is undone by betaQuantile(), also for very many trials', () => {
    for (const [p, a, b] of [
      [0.025, 3, 18],
      [0.975, 1, 10_000],
      [0.5, 40_000, 60_000],
    ] as const) {
      // prettier-ignore
      expect(Math.abs(incompleteBeta(betaQuantile(p, a, b), a, b) - p)).toBeLessThan(1e-9);
    }
  });
  test('refuses arguments outside its domain', () => {
    expect(() => incompleteBeta(1.5, 1, 1)).toThrow(DomainError);
    expect(() => incompleteBeta(0.5, 0, 1)).toThrow(DomainError);
    expect(() => betaQuantile(-0.1, 1, 1)).toThrow(DomainError);
  });
});

describe('exactRate()', () => {
  test('without hits reaches up to 1 - 0.025^(1/n), and mirrors', () => {
    for (const n of [1, 20, 128, 10_000]) {
      const [none, all] = [exactRate(0, n), exactRate(n, n)];
      expect(none).toMatchObject({ value: 0, low: 0, hits: 0, count: n });
      expect(Math.abs(none.high - (1 - 0.025 ** (1 / n)))).toBeLessThan(1e-12);
      expect(all.high).toBe(1);
      expect(Math.abs(all.low - 0.025 ** (1 / n))).toBeLessThan(1e-12);
    }
  });
  test('ends where as many hits or more, or less, have a chance of 2.5 %', () => {
    for (const [k, n] of [
      [1, 12],
      [5, 40],
      [39, 40],
    ] as const) {
      // prettier-ignore
      const { low, high } = exactRate(k, n);
      expect(tailFrom(n, low, k)).toBeCloseTo(0.025, 11);
      expect(1 - tailFrom(n, high, k + 1)).toBeCloseTo(0.025, 11);
    }
  });
  test('covers every true rate in at least 95 % of repetitions, counted exactly', () => {
    for (const n of [5, 20, 50]) {
      const rates = Array.from({ length: n + 1 }, (_, k) => exactRate(k, n));
      for (let p = 0.01; p < 1; p += 0.01) {
        const covered = binomial(n, p).reduce((sum, chance, k) => {
          const { low, high } = rates[k] as { low: number; high: number };
          return low <= p && p <= high ? sum + chance : sum;
        }, 0);
        expect(covered, `n ${n}, p ${p}`).toBeGreaterThanOrEqual(0.95);
      }
    }
  });
  test('refuses more hits than trials, and no trial', () => {
    expect(() => exactRate(3, 2)).toThrow(DomainError);
    expect(() => exactRate(0, 0)).toThrow(DomainError);
  });
});

test('complement() turns a memorized fraction into GL', () => {
  const rate = exactRate(3, 10);
  expect(complement(rate)).toEqual({ value: 0.7, low: 1 - rate.high, high: 1 - rate.low });
});

describe('bootstrap()', () => {
  test('of a mean covers the truth about as often as it says', () => {
    const [repetitions, n] = [300, 40];
    let covered = 0;
    for (let r = 0; r < repetitions; r++) {
      const { low, high } = bootstrapMean(normal(randomKey(r, 'drawn'), [n]).data, { seed: r, resamples: 300 });
      if (low <= 0 && 0 <= high) covered++;
    }
    // The percentile interval is too narrow by about sqrt(1 - 1/n) and by the t quantile: 94 % here. Four deviations of 300 trials.
    expect(Math.abs(covered / repetitions - 0.94)).toBeLessThan(4 * Math.sqrt((0.94 * 0.06) / repetitions));
  });
  test('moves and scales with its observations', () => {
    const values = normal(randomKey(1), [30]).data;
    const [one, other] = [values, values.map((v) => 4 * v - 8)].map((v) => bootstrapMean(v, { seed: 3 }));
    for (const end of ['value', 'low', 'high'] as const) {
      expect(other?.[end]).toBeCloseTo(4 * (one?.[end] as number) - 8, 12);
    }
    expect(one?.low).toBeLessThan(one?.high as number);
  });
  test('resamples each of several samples by itself', () => {
    const [a, b] = [Float64Array.of(1, 2, 3), new Float64Array(5).fill(7)];
    const sum = bootstrap([3, 5], (i, j) => meanOf(a, i) + meanOf(b, j), { seed: 0 });
    const alone = bootstrapMean(a, { seed: 0 });
    expect(sum).toEqual({ value: alone.value + 7, low: alone.low + 7, high: alone.high + 7 });
  });
  test('refuses empty samples and few resamples', () => {
    expect(() => bootstrapMean([], { seed: 0 })).toThrow(DomainError);
    expect(() => bootstrapMean([1], { seed: 0, resamples: 10 })).toThrow(DomainError);
  });
});
