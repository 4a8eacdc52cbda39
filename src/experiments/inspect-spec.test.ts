import { describe, expect, test } from 'vitest';
import { SpecError } from '../errors/errors.ts';
import { hashInspectSpec, resolveInspectSpec, trajectoryGrid } from './inspect-spec.ts';

describe('resolveInspectSpec()', () => {
  test('resolveInspectSpec() without input asks for 12 levels from 80 to 0.002 of the 18-step EDM grid', () => {
    const spec = resolveInspectSpec({});
    expect(spec.model).toBe('fashion');
    expect(spec.sigmas).toHaveLength(12);
    expect([spec.sigmas[0], spec.sigmas[11]]).toEqual([80, 0.002]);
    expect(trajectoryGrid(spec)).toHaveLength(18); // every level is a state of the sampler already
    const steps = spec.sigmas.slice(1).map((sigma, i) => (spec.sigmas[i] as number) / sigma);
    // Even in ln sigma up to the spacing of the EDM grid: an even grid has 2.62 at each step.
    for (const step of steps) expect(step > 1.9 && step < 4).toBe(true);
  });

  test('resolveInspectSpec() sorts the levels it is given and drops repeats', () => {
    expect(resolveInspectSpec({ sigmas: [0.1, 3, 0.1, 1] }).sigmas).toEqual([3, 1, 0.1]);
  });

  test('resolveInspectSpec() refuses levels that are not positive, naming the value', () => {
    for (const bad of [0, -1, NaN, Infinity]) {
      expect(() => resolveInspectSpec({ sigmas: [1, bad] })).toThrow(SpecError);
      expect(() => resolveInspectSpec({ sigmas: [1, bad] })).toThrow(`got ${bad}`);
    }
    expect(() => resolveInspectSpec({ sigmas: [] })).toThrow('sigmas');
  });

  test('resolveInspectSpec() lists every wrong field at once', () => {
    const wrong = (): unknown => resolveInspectSpec({ images: 0, triplets: 1.5, seed: -1, lengths: [0] });
    expect(wrong).toThrow(/seed: .*; images: .*; triplets: .*; lengths: /);
    expect(() => resolveInspectSpec({ levels: 19 })).toThrow('from 1 to the 18 steps');
  });
});

describe('resolveInspectSpec() and a second model', () => {
  test('resolveInspectSpec() gives the second model three levels spread evenly over those of the first', () => {
    const spec = resolveInspectSpec({ beside: 'fashion-memorized' });
    expect(spec.beside?.model).toBe('fashion-memorized');
    expect(spec.beside?.sigmas).toEqual([2, 6, 10].map((i) => spec.sigmas[i]));
    expect(resolveInspectSpec({ beside: 'b', sigmas: [1, 3] }).beside?.sigmas).toEqual([3, 1]);
    expect(resolveInspectSpec({ beside: 'b', besideLevels: 12 }).beside?.sigmas).toEqual(spec.sigmas);
  });

  test('resolveInspectSpec() compares 256 samples with the training set, or all where more are drawn', () => {
    expect(resolveInspectSpec({}).copies).toBe(256);
    expect(resolveInspectSpec({ samples: 300 }).copies).toBe(300);
    expect(resolveInspectSpec({ samples: 300, copies: 10 }).copies).toBe(10);
  });

  test.each([
    [{ besideLevels: 3 }, 'Name it with --beside.'],
    [{ beside: 'b', besideLevels: 13 }, 'from 1 to the 12 levels of the first model, got 13'],
    [{ beside: 'b', copies: 0 }, 'got --copies 0'],
    [{ beside: '' }, 'beside'],
    [{ copies: -1 }, 'copies: expected an integer from 0 to 10000, got -1'],
  ])('resolveInspectSpec(%j) is refused in one line', (input, line) => {
    expect(() => resolveInspectSpec(input)).toThrow(SpecError);
    expect(() => resolveInspectSpec(input)).toThrow(line);
  });
});

describe('hashInspectSpec()', () => {
  test('hashInspectSpec() is equal for equal specs whatever the order of keys, and differs with any field', () => {
    const spec = resolveInspectSpec({});
    const turned = Object.fromEntries(Object.entries(spec).reverse()) as typeof spec;
    expect(hashInspectSpec(turned)).toBe(hashInspectSpec(spec));
    expect(hashInspectSpec(resolveInspectSpec({ seed: 1 }))).not.toBe(hashInspectSpec(spec));
    expect(hashInspectSpec(resolveInspectSpec({ data: 'fashion' }))).not.toBe(hashInspectSpec(spec));
    expect(hashInspectSpec(resolveInspectSpec({ beside: 'fashion' }))).not.toBe(hashInspectSpec(spec));
  });

  test('hashInspectSpec() survives a round trip through JSON', () => {
    const spec = resolveInspectSpec({ sigmas: [1 / 3, 80] });
    expect(hashInspectSpec(JSON.parse(JSON.stringify(spec)) as typeof spec)).toBe(hashInspectSpec(spec));
  });
});

describe('trajectoryGrid()', () => {
  test('trajectoryGrid() holds every level of the spec exactly, also beyond the usual ends, and descends', () => {
    const spec = resolveInspectSpec({ sigmas: [200, 1 / 3, 0.001] });
    const grid = trajectoryGrid(spec);
    for (const sigma of spec.sigmas) expect(grid).toContain(sigma);
    expect([grid[0], grid.at(-1)]).toEqual([200, 0.001]);
    expect([...grid]).toEqual([...new Set(grid)].sort((a, b) => b - a));
  });
});
