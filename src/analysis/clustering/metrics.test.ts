import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { contingency, matchedAccuracy, normalizedMutualInformation } from './metrics.ts';

const labelled = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })), { minLength: 1 });

describe('matchedAccuracy()', () => {
  it('matchedAccuracy() is 1 for equal partitions under other names', () => {
    const { accuracy, classOf } = matchedAccuracy([5, 5, -1, -1, 3], [0, 0, 1, 1, 2]);
    expect(accuracy).toBe(1);
    expect([...classOf].sort((a, b) => a[0] - b[0])).toEqual([
      [-1, 1],
      [3, 2],
      [5, 0],
    ]);
  });

  it('matchedAccuracy() takes the best matching of all, where the greedy one is worse: counts 3 2 / 2 0 match 2 + 2 of 7', () => {
    expect(matchedAccuracy([0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0, 0]).accuracy).toBe(4 / 7);
  });

  it('matchedAccuracy() leaves clusters beyond the classes unmatched', () => {
    const { accuracy, classOf } = matchedAccuracy([0, 1, 2, 2], [7, 7, 7, 7]);
    expect(accuracy).toBe(0.5);
    expect([...classOf]).toEqual([[2, 7]]);
  });

  it('matchedAccuracy() does not depend on the order of its arguments nor of the samples', () => {
    fc.assert(
      fc.property(labelled, (pairs) => {
        const [u, v] = [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
        const { accuracy } = matchedAccuracy(u, v);
        expect(matchedAccuracy(v, u).accuracy).toBe(accuracy);
        expect(matchedAccuracy([...u].reverse(), [...v].reverse()).accuracy).toBe(accuracy);
        expect(accuracy >= 1 / pairs.length && accuracy <= 1).toBe(true);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe('normalizedMutualInformation()', () => {
  it('normalizedMutualInformation() of halves against quarters is 2 ln 2 / (ln 2 + 2 ln 2) = 2/3', () => {
    expect(normalizedMutualInformation([0, 0, 1, 1], [0, 1, 2, 3])).toBeCloseTo(2 / 3, 15);
  });

  it('normalizedMutualInformation() of counts 2 1 / 0 1 follows from its definition', () => {
    // H(U) = -(3/4 ln 3/4 + 1/4 ln 1/4), H(V) = ln 2, I = 1/2 ln(4/3) + 1/4 ln(2/3) + 1/4 ln 2.
    const [h, ln] = [-(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)), Math.log];
    const information = 0.5 * ln(4 / 3) + 0.25 * ln(2 / 3) + 0.25 * ln(2);
    expect(normalizedMutualInformation([0, 0, 0, 1], [0, 0, 1, 1])).toBeCloseTo((2 * information) / (h + ln(2)), 15);
  });

  it('normalizedMutualInformation() is 1 for equal partitions and single labels, 0 for independent ones', () => {
    expect(normalizedMutualInformation([3, 3, 9, 9], [1, 1, 0, 0])).toBe(1);
    expect(normalizedMutualInformation([1, 1, 1], [4, 4, 4])).toBe(1);
    expect(normalizedMutualInformation([0, 0, 1, 1], [0, 1, 0, 1])).toBe(0);
    expect(normalizedMutualInformation([0, 1, 2], [4, 4, 4])).toBe(0);
  });

  it('normalizedMutualInformation() is symmetric and lies in [0, 1]', () => {
    fc.assert(
      fc.property(labelled, (pairs) => {
        const [u, v] = [pairs.map((p) => p[0]), pairs.map((p) => p[1])];
        const nmi = normalizedMutualInformation(u, v);
        // Sums over at most 25 cells in another order.
        expect(Math.abs(nmi - normalizedMutualInformation(v, u))).toBeLessThan(50 * Number.EPSILON);
        expect(nmi >= 0 && nmi <= 1).toBe(true);
      }),
      { seed: 2, numRuns: 100 },
    );
  });
});

describe('contingency()', () => {
  it('contingency() counts every pair once', () => {
    const { counts, first, second, total } = contingency([2, 2, 0, 2], [1, 1, 1, 5]);
    expect({ shape: counts.shape, data: [...counts.data] }).toEqual({ shape: [2, 2], data: [1, 0, 2, 1] });
    expect([[...first], [...second], total]).toEqual([[0, 2], [1, 5], 4]);
  });

  it('contingency() refuses labels of different samples, and none', () => {
    expect(() => contingency([1], [1, 2])).toThrow(/got 1 and 2/);
    expect(() => contingency([], [])).toThrow(/one or more/);
  });
});
