import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { subspaceDistance } from '../linalg/angles.ts';
import { orthonormalRows } from '../linalg/qr.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { slice, tensor } from '../tensor/tensor.ts';
import {
  boundProbability,
  expectedSquaredError,
  lowerBound,
  sampleBoundary,
  upperBound,
  worstSquaredError,
} from './sample-complexity.ts';

describe('sample complexity', () => {
  it('expectedSquaredError() is the published 10.43, 7.27, 3.81 at (48, 8) with 2, 4, 6 points', () => {
    const found = [2, 4, 6].map((N) => Number(expectedSquaredError(48, 8, N).toFixed(2)));
    expect(found).toEqual([10.43, 7.27, 3.81]);
  });

  it('expectedSquaredError() is the mean over random completions of what the points show', () => {
    const [n, d, N, trials] = [12, 5, 2, 400];
    const truth = orthonormalRows(normal(randomKey(1), [d, n])).q;
    const squares = Array.from({ length: trials }, (_, trial) => {
      const rows = new Float64Array(d * n);
      rows.set(truth.data.subarray(0, N * n));
      rows.set(normal(randomKey(2, trial), [d - N, n]).data, N * n);
      return subspaceDistance(orthonormalRows(tensor('float64', [d, n], rows)).q, truth) ** 2;
    });
    const mean = squares.reduce((sum, s) => sum + s, 0) / trials;
    const spread = Math.sqrt(squares.reduce((sum, s) => sum + (s - mean) ** 2, 0) / (trials - 1) / trials);
    expect(Math.abs(mean - expectedSquaredError(n, d, N))).toBeLessThan(4 * spread); // 4 standard errors
    expect(Math.max(...squares)).toBeLessThanOrEqual(worstSquaredError(n, d, N));
  });

  it('worstSquaredError() is reached by a completion orthogonal to what is missing', () => {
    const frame = orthonormalRows(normal(randomKey(3), [9, 10])).q;
    const bad = tensor(
      'float64',
      [5, 10],
      Float64Array.from([...frame.data.subarray(0, 20), ...frame.data.subarray(60)]),
    );
    // Truth: rows 0 to 4; rows 0 and 1 are shown; rows 6 to 8 are chosen for 2 to 4.
    expect(subspaceDistance(bad, slice(frame, 0, 5)) ** 2).toBeCloseTo(worstSquaredError(10, 5, 2), 12);
    expect(worstSquaredError(6, 5, 2)).toBe(2); // only one direction is left to be wrong in
    expect([expectedSquaredError(10, 5, 5), worstSquaredError(10, 5, 7)]).toEqual([0, 0]);
  });

  it('sampleBoundary() is the rank, and one more for several components that are no lines', () => {
    expect([sampleBoundary(4, 1), sampleBoundary(4, 2), sampleBoundary(1, 3)]).toEqual([4, 5, 1]);
  });

  it('upperBound() and lowerBound() are linear in noise and c1, and meet beta without noise', () => {
    const at = { n: 48, d: 4, N: 9, noise: 0.5 };
    expect(upperBound(at)).toBeCloseTo(0.5 / (3 - Math.sqrt(3)), 14);
    expect(upperBound({ ...at, c1: 3 })).toBeCloseTo(3 * upperBound(at), 14);
    expect(upperBound({ ...at, noise: 0 })).toBe(0);
    const few = { ...at, N: 2, noise: 0.1 };
    expect(lowerBound(few)).toBeCloseTo(2 - 0.1 / (2 - 1), 14);
    expect(lowerBound({ ...few, noise: 0 })).toBe(Math.sqrt(worstSquaredError(48, 4, 2)));
    expect(lowerBound({ ...few, noise: 100 })).toBe(0);
  });

  it('boundProbability() is the theorem read term by term, and at least 0', () => {
    const p = boundProbability({ counts: [100, 100], d: 4 });
    expect(p).toBeCloseTo(1 - 8 / 200 - 2 * (0.5 ** 97 + Math.exp(-100)), 14);
    expect(boundProbability({ counts: [4, 4], d: 4 })).toBe(0);
  });

  it('sample complexity refuses sizes that are none', () => {
    expect(() => expectedSquaredError(0, 1, 1)).toThrow(DomainError);
    expect(() => expectedSquaredError(4, 5, 1)).toThrow('a rank of at most the dimension 4, got 5');
    expect(() => worstSquaredError(4, 2, -1)).toThrow(DomainError);
    expect(() => upperBound({ n: 8, d: 4, N: 3, noise: 0 })).toThrow('Take lowerBound');
    expect(() => lowerBound({ n: 8, d: 4, N: 4, noise: 0 })).toThrow(DomainError);
    expect(() => upperBound({ n: 8, d: 4, N: 5, noise: -1 })).toThrow(DomainError);
    expect(() => sampleBoundary(2.5, 1)).toThrow(DomainError);
  });
});
