import { describe, expect, it } from 'vitest';
import { expandCombinations, MOST_JOBS } from './expand.ts';

describe('expandCombinations()', () => {
  it('gives every combination on top of the base; an object sets its fields, a list is one value', () => {
    const variants = expandCombinations({
      base: { steps: 10, size: 1 },
      grid: { size: [16, 64], net: [{ channels: [8], depth: 1 }, { channels: [16] }], sigmas: [[1, 2]] },
      cases: [],
    });
    expect(variants.map(({ fields }) => fields)).toEqual([
      { steps: 10, size: 16, channels: [8], depth: 1, sigmas: [1, 2] },
      { steps: 10, size: 16, channels: [16], sigmas: [1, 2] },
      { steps: 10, size: 64, channels: [8], depth: 1, sigmas: [1, 2] },
      { steps: 10, size: 64, channels: [16], sigmas: [1, 2] },
    ]);
    expect(variants[0]?.parameters).toEqual({ size: 16, channels: '[8]', depth: 1, sigmas: '[1,2]' });
  });

  it('multiplies cases with the grid, and gives the base alone where nothing varies', () => {
    const grid = { seed: [0, 1] };
    const cases = [{ data: 'a' }, { data: 'b', steps: 3 }];
    expect(expandCombinations({ base: {}, grid, cases }).map(({ fields }) => fields)).toEqual([
      { data: 'a', seed: 0 },
      { data: 'a', seed: 1 },
      { data: 'b', steps: 3, seed: 0 },
      { data: 'b', steps: 3, seed: 1 },
    ]);
    expect(expandCombinations({ base: { steps: 1 }, grid: {}, cases: [] })).toEqual([
      { fields: { steps: 1 }, parameters: {} },
    ]);
  });

  it('refuses more jobs than anybody means before it makes any, and a field that two axes set', () => {
    const axis = Array.from({ length: 1000 }, (_, i) => i);
    const grid = { a: axis, b: axis, c: axis };
    expect(() => expandCombinations({ base: {}, grid, cases: [] })).toThrow(
      `at most ${MOST_JOBS} jobs, got 1000000000.`,
    );
    expect(() => expandCombinations({ base: {}, grid: { a: [1], b: [{ a: 2 }] }, cases: [] })).toThrow(
      'got a from grid.a and grid.b.',
    );
    expect(() => expandCombinations({ base: {}, grid: { a: [1] }, cases: [{ a: 2 }] })).toThrow(
      'from cases and grid.a',
    );
  });
});
