import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { positionOf, POSITIONS, settle, showNumber, stepped, valueAt } from './scale.ts';
import type { SliderScale } from './scale.ts';

const scales = fc.record({
  low: fc.constantFrom(1, 2, 0.01),
  high: fc.constantFrom(3, 40, 1000),
  log: fc.boolean(),
  whole: fc.boolean(),
}).map((scale) => (scale.whole ? { ...scale, low: Math.ceil(scale.low) } : scale)); // prettier-ignore

describe('a slider', () => {
  it('has the value of a position near it, and both ends exactly', () => {
    fc.assert(
      fc.property(scales, fc.integer({ min: 0, max: POSITIONS }), (scale, position) => {
        const value = valueAt(position, scale);
        expect(value).toBeGreaterThanOrEqual(scale.low);
        expect(value).toBeLessThanOrEqual(scale.high);
        // Three digits: half a unit of the last, where the value moves least.
        if (!scale.whole && value > scale.low) expect(Math.abs(positionOf(value, scale) - position)).toBeLessThan(7);
        expect(valueAt(0, scale)).toBe(scale.low);
        expect(valueAt(POSITIONS, scale)).toBe(scale.high);
      }),
    );
  });

  it('comes from one end to the other by the arrow keys, always on, never past the end', () => {
    fc.assert(
      fc.property(scales, (scale: SliderScale) => {
        let value = scale.low;
        for (let i = 0; value !== scale.high; i++) {
          const next = stepped(value, 1, scale);
          expect(next).toBeGreaterThan(value);
          expect(i).toBeLessThan(1000);
          value = next;
        }
        expect(stepped(value, 1, scale)).toBe(scale.high);
        expect(stepped(value, -10, scale)).toBeLessThan(value);
      }),
      { numRuns: 30 },
    );
  });

  it('goes by one on a linear scale of whole numbers, by ratios on a log scale', () => {
    expect(stepped(7, 1, { low: 1, high: 40, log: false, whole: true })).toBe(8);
    expect(stepped(10, 1, { low: 1, high: 100, log: true, whole: false })).toBe(10.5);
    expect(settle(2.6, { low: 1, high: 4, log: false, whole: true })).toBe(3);
  });

  it('goes from stop to stop where there are some, the nearest on its scale', () => {
    const scale = { low: 16, high: 4096, log: true, whole: true, stops: [16, 32, 512, 4096] };
    expect([16, 32, 512, 4096].map((value) => stepped(value, 1, scale))).toEqual([32, 512, 4096, 4096]);
    expect(stepped(512, -10, scale)).toBe(32);
    expect([1, 22, 23, 5000].map((value) => settle(value, scale))).toEqual([16, 16, 32, 4096]);
    expect(stepped(1, 1, { ...scale, low: 1, high: 4, stops: [1, 2, 4], log: false })).toBe(2);
  });
});

describe('showNumber()', () => {
  it('shows three digits, whole numbers in full', () => {
    expect([1234, 0.123456, 1e-5, 2.5e7, -1.5, Infinity, NaN].map(showNumber)).toEqual([
      '1234',
      '0.123',
      '1.00e−5',
      '2.50e7',
      '−1.5',
      '∞',
      '–',
    ]);
  });
});
