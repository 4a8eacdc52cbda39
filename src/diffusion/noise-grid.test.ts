import { describe, expect, it } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { endAtZero, karrasGrid, logGrid } from './noise-grid.ts';

describe('karrasGrid()', () => {
  it('karrasGrid({ steps: 10 }) gives the ten levels printed by Li, Dai and Qu (2410.24060)', () => {
    // The paper cuts its digits off rather than rounding: 4.066 stands as 4.06.
    const printed = ['80', '42.415', '21.108', '9.723', '4.06', '1.501', '0.469', '0.116', '0.020', '0.002'];
    const cut = Array.from(karrasGrid({ steps: 10 }), (sigma, i) => {
      const unit = 10 ** (printed[i]?.split('.')[1]?.length ?? 0);
      return Math.floor(sigma * unit) / unit;
    });
    expect(cut).toEqual(printed.map(Number));
  });

  it('karrasGrid() with rho = 1 is evenly spaced', () => {
    const grid = karrasGrid({ steps: 5, sigmaMin: 1, sigmaMax: 3, rho: 1 });
    expect([...grid]).toEqual([3, 2.5, 2, 1.5, 1]);
  });

  it('karrasGrid() hits both ends exactly and descends strictly', () => {
    for (const steps of [2, 18, 257]) {
      const grid = karrasGrid({ steps });
      expect([grid[0], grid.at(-1)]).toEqual([80, 0.002]);
      expect(grid.every((s, i) => i === 0 || s < (grid[i - 1] as number))).toBe(true);
    }
    expect([...karrasGrid({ steps: 1 })]).toEqual([80]);
  });

  it.each([{ steps: 0 }, { steps: 2.5 }, { steps: 3, sigmaMin: 0 }, { steps: 3, sigmaMin: 2, sigmaMax: 1 }])(
    'karrasGrid(%o) throws DomainError',
    (options) => {
      expect(() => karrasGrid(options)).toThrow(DomainError);
      expect(() => logGrid(options)).toThrow(DomainError);
    },
  );

  it('karrasGrid() refuses rho that is not positive', () => {
    expect(() => karrasGrid({ steps: 3, rho: 0 })).toThrow(DomainError);
  });
});

it('logGrid() multiplies by the same factor at every step', () => {
  const grid = logGrid({ steps: 6, sigmaMin: 1e-3, sigmaMax: 100 });
  for (let i = 1; i < 6; i++) expect(((grid[i - 1] as number) / (grid[i] as number)) * 0.1).toBeCloseTo(1, 12);
});

it('endAtZero() appends one zero and leaves its argument alone', () => {
  const grid = karrasGrid({ steps: 3 });
  expect([...endAtZero(grid)]).toEqual([...grid, 0]);
  expect(grid).toHaveLength(3);
});
