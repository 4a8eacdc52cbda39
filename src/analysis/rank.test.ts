import { describe, expect, test } from 'vitest';
import { NumericalError } from '../errors/errors.ts';
import { normal, randomKey, uniform } from '../tensor/random.ts';
import { energyRuleNames, numericalRank, rankBounds, rankRatio } from './rank.ts';

describe('numericalRank()', () => {
  test('numericalRank() counts the equal values of a projection exactly, by both rules', () => {
    const values = new Float64Array(48).fill(0.7, 0, 6);
    for (const rule of energyRuleNames) expect(numericalRank(values, rule)).toBe(6);
  });

  test('numericalRank() tells the rules apart where the second value holds between 1 and 1.99 percent of the energy', () => {
    const tail = Math.sqrt(0.015 / 0.985); // energy of the first: 0.985, between 0.9801 and 0.99
    const values = Float64Array.of(1, tail);
    expect(numericalRank(values, 'sqrt-energy-0.99')).toBe(1);
    expect(numericalRank(values, 'energy-0.99')).toBe(2);
  });

  test('numericalRank() of n equal values is the least r with r / n above the share', () => {
    const values = new Float64Array(784).fill(3);
    expect(numericalRank(values, 'sqrt-energy-0.99')).toBe(Math.floor(0.9801 * 784) + 1);
    expect(numericalRank(values, { energy: 0.5, says: 'half' })).toBe(393);
  });

  test('numericalRank() does not depend on order or scale, even where squares overflow', () => {
    const values = uniform(randomKey(1, 'rank'), [100]).data.slice();
    const rank = numericalRank(values, 'energy-0.99');
    expect(numericalRank(values.slice().reverse(), 'energy-0.99')).toBe(rank);
    for (const scale of [2 ** 600, 2 ** -600]) {
      expect(
        numericalRank(
          values.map((s) => s * scale),
          'energy-0.99',
        ),
      ).toBe(rank);
    }
  });

  test('numericalRank() of nothing and of zeros is 0, and rankRatio() of nothing too', () => {
    expect(numericalRank(new Float64Array(0), 'energy-0.99')).toBe(0);
    expect(numericalRank(new Float64Array(9), 'energy-0.99')).toBe(0);
    expect(rankRatio(0, 0)).toBe(0);
    expect(rankRatio(6, 48)).toBe(0.125);
  });

  test('numericalRank() refuses values that are negative or not finite and names the index', () => {
    for (const bad of [NaN, Infinity, -1]) {
      expect(() => numericalRank(Float64Array.of(1, bad), 'energy-0.99')).toThrow(NumericalError);
      expect(() => numericalRank(Float64Array.of(1, bad), 'energy-0.99')).toThrow('index 1');
    }
  });
});

describe('rankBounds()', () => {
  test('rankBounds() without errors is the rank itself', () => {
    const values = Float64Array.from({ length: 30 }, (_, i) => 0.7 ** i);
    const rank = numericalRank(values, 'energy-0.99');
    expect(rankBounds(values, 0, 'energy-0.99')).toEqual({ low: rank, high: rank, certain: true });
  });

  test('rankBounds() is certain of a gap wider than the errors and uncertain of a value on the edge', () => {
    const projection = new Float64Array(48).fill(1, 0, 6);
    expect(rankBounds(projection, 1e-4, 'energy-0.99')).toEqual({ low: 6, high: 6, certain: true });
    const edge = Float64Array.of(1, Math.sqrt(0.01 / 0.99)); // the first holds exactly the share
    expect(rankBounds(edge, 1e-9, 'energy-0.99')).toEqual({ low: 1, high: 2, certain: false });
  });

  test('rankBounds() says nothing is known where every value is within its error of zero', () => {
    expect(rankBounds(Float64Array.of(1e-9, 1e-10), 1e-8, 'energy-0.99')).toEqual({ low: 0, high: 2, certain: false });
    expect(rankBounds(new Float64Array(3), 0, 'energy-0.99')).toEqual({ low: 0, high: 0, certain: true });
  });

  test('rankBounds() holds the rank of every perturbed spectrum, and both ends are reached if values keep their order', () => {
    const values = Float64Array.from({ length: 20 }, (_, i) => 1 / (1 + i));
    const errors = values.map((s) => 0.02 * s);
    const { low, high } = rankBounds(values, errors, 'sqrt-energy-0.99');
    for (let trial = 0; trial < 200; trial++) {
      const shift = uniform(randomKey(2, 'shift', trial), [20]).data;
      const moved = values.map((s, i) => s + (errors[i] as number) * (2 * (shift[i] as number) - 1));
      const rank = numericalRank(moved, 'sqrt-energy-0.99');
      expect(rank).toBeGreaterThanOrEqual(low);
      expect(rank).toBeLessThanOrEqual(high);
    }
    const corner = (r: number, sign: number): number =>
      numericalRank(
        values.map((s, i) => s + (i < r ? sign : -sign) * (errors[i] as number)),
        'sqrt-energy-0.99',
      );
    expect(corner(low, 1)).toBe(low);
    expect(corner(high - 1, -1)).toBe(high);
  });

  test('rankBounds() bounds the rank of a matrix that is moved by a known amount, by Weyl', () => {
    const noise = normal(randomKey(3, 'weyl'), [6]).data;
    const values = Float64Array.of(1, 0.9, 0.5, 0.12, 0.1, 0.01); // diagonal matrix, perturbed on its diagonal
    const size = 0.05 / Math.max(...noise.map(Math.abs));
    const moved = values.map((s, i) => Math.abs(s + size * (noise[i] as number)));
    const { low, high } = rankBounds(values, 0.05, 'energy-0.99');
    const rank = numericalRank(moved, 'energy-0.99');
    expect(rank >= low && rank <= high).toBe(true);
  });
});
