import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumericalError, ShapeError } from '../../errors/errors.ts';
import { tensor } from '../../tensor/tensor.ts';
import { optimalAssignment } from './assignment.ts';

function matrix(rows: readonly (readonly number[])[]): ReturnType<typeof tensor<'float64'>> {
  return tensor('float64', [rows.length, rows[0]?.length ?? 0], Float64Array.from(rows.flat()));
}

/** Least cost over all injections of the shorter side. */
function exhaustive(rows: readonly (readonly number[])[]): number {
  const [R, C] = [rows.length, (rows[0] as readonly number[]).length];
  if (R > C) return exhaustive(Array.from({ length: C }, (_, j) => rows.map((r) => r[j] as number)));
  const search = (i: number, used: ReadonlySet<number>): number => {
    if (i === R) return 0;
    let best = Infinity;
    for (let j = 0; j < C; j++) {
      if (!used.has(j))
        best = Math.min(best, ((rows[i] as number[])[j] as number) + search(i + 1, new Set([...used, j])));
    }
    return best;
  };
  return search(0, new Set());
}

describe('optimalAssignment()', () => {
  it('optimalAssignment() beats the greedy pairing where that is not optimal', () => {
    const { columns, cost } = optimalAssignment(matrix([[1, 2], [2, 100]])); // prettier-ignore
    expect([...columns]).toEqual([1, 0]);
    expect(cost).toBe(4);
  });

  it('optimalAssignment() costs what exhaustive search finds, for square, wide and tall matrices of any sign', () => {
    const sizes = fc.record({ R: fc.integer({ min: 1, max: 5 }), C: fc.integer({ min: 1, max: 6 }) });
    const matrices = sizes.chain(({ R, C }) =>
      fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: C, maxLength: C }), {
        minLength: R,
        maxLength: R,
      }),
    );
    fc.assert(
      fc.property(matrices, (rows) => {
        const { columns, cost } = optimalAssignment(matrix(rows));
        const paired = [...columns].filter((j) => j >= 0);
        expect(new Set(paired).size).toBe(Math.min(rows.length, (rows[0] as number[]).length));
        expect(cost).toBe(exhaustive(rows));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('optimalAssignment() undoes a permutation of 60 rows', () => {
    const n = 60;
    const rows = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => (j === (i * 7 + 3) % n ? 0 : 1)),
    );
    const { columns, cost } = optimalAssignment(matrix(rows));
    expect(cost).toBe(0);
    expect([...columns]).toEqual(Array.from({ length: n }, (_, i) => (i * 7 + 3) % n));
  });

  it('optimalAssignment() of no rows pairs nothing, and refuses what is no matrix of finite costs', () => {
    expect(optimalAssignment(tensor('float64', [0, 3], new Float64Array(0))).cost).toBe(0);
    expect(() => optimalAssignment(tensor('float64', [2], new Float64Array(2)))).toThrow(ShapeError);
    expect(() => optimalAssignment(matrix([[1, NaN]]))).toThrow(NumericalError);
  });
});
