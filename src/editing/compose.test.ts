import { describe, expect, it } from 'vitest';
import { DomainError, ModelError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import { checkFits, composed, reversed, selectDirection } from './compose.ts';
import type { DirectionSet } from './direction-set.ts';
import type { DirectionProvenance } from './direction-side-car.ts';

/** Three directions of images 1x2x2. */
const set: DirectionSet = {
  method: 'loco',
  sampleShape: [1, 2, 2],
  sigma: 2,
  vectors: tensor('float64', [3, 4], Float64Array.of(1, 0, 0, 0, 0.6, 0, -0.8, 0, 0.5, 0.5, 0.5, -0.5)),
  values: Float64Array.of(3, 2, 1),
  residuals: Float64Array.of(1e-3, 2e-3, 3e-3),
  kept: Float64Array.of(1, 0.9, 0.8),
  gains: Float64Array.of(2.5, 1.5, 0.5),
  leaks: Float64Array.of(0.1, 0.2, 0.3),
  nullRank: 0,
  orthogonality: 0,
};
const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
const provenance: DirectionProvenance = { model: { name: 'faces', hash: a }, version: '0.1.0' };

describe('reversed()', () => {
  it('reversed() turns every vector around, keeps what is known of them, and undoes itself', () => {
    const back = reversed(set);
    expect([...back.vectors.data].map((v, i) => v + (set.vectors.data[i] as number))).toEqual(new Array(12).fill(0));
    expect({ ...back, vectors: set.vectors }).toEqual(set);
    expect(reversed(back)).toEqual(set);
  });
});

describe('selectDirection()', () => {
  it('selectDirection() is one direction with its own numbers', () => {
    const one = selectDirection(set, 1);
    expect(one.vectors).toEqual(tensor('float64', [1, 4], Float64Array.of(0.6, 0, -0.8, 0)));
    const { values, residuals, kept, gains, leaks } = one;
    expect([values, residuals, kept, gains, leaks].map((list) => [...list])).toEqual([
      [2],
      [2e-3],
      [0.9],
      [1.5],
      [0.2],
    ]);
  });

  it.each([-1, 3, 0.5, NaN])('selectDirection() has no direction %d of three', (index) => {
    expect(() => selectDirection(set, index)).toThrow(DomainError);
    expect(() => selectDirection(set, index)).toThrow(`expected an index from 0 to 2 for 3 directions, got ${index}.`);
  });
});

describe('composed()', () => {
  it('composed() is the sum of weight times vector, over sets', () => {
    const other = { ...reversed(set), sigma: 2 * (1 + 9e-7) };
    const step = composed([
      { set, index: 0, weight: 3 },
      { set, index: 1, weight: -5 },
      { set: other, index: 2, weight: 4 },
    ]);
    // 3 (1, 0, 0, 0) - 5 (0.6, 0, -0.8, 0) - 4 (0.5, 0.5, 0.5, -0.5)
    expect(step).toEqual(tensor('float64', [1, 2, 2], Float64Array.of(-2, -2, 2, 2)));
  });

  it('composed() of a direction and its reverse is no step at all', () => {
    const step = composed([
      { set, index: 2, weight: 1.7 },
      { set: reversed(set), index: 2, weight: 1.7 },
    ]);
    expect([...step.data]).toEqual([0, 0, 0, 0]);
  });

  it('composed() refuses directions of two noise levels, naming both', () => {
    const other = { ...set, sigma: 2 * (1 + 1.1e-6) };
    const compose = (): unknown =>
      composed([
        { set, index: 0, weight: 1 },
        { set: other, index: 0, weight: 1 },
      ]);
    expect(compose).toThrow(DomainError);
    expect(compose).toThrow(
      /^composed: expected .* got sigma 2 and 2\.0000022\d*\. Apply them one after the other[^\n]+$/,
    );
  });

  it('composed() refuses other shapes, weights that are no numbers, directions that are not there, and nothing', () => {
    const points = { ...set, sampleShape: [4] };
    const with_ = (second: Partial<Parameters<typeof composed>[0][number]>) => (): unknown =>
      composed([
        { set, index: 0, weight: 1 },
        { set, index: 0, weight: 1, ...second },
      ]);
    for (const [compose, message] of [
      [with_({ set: points }), 'got 1x2x2 and 4'],
      [with_({ weight: NaN }), 'expected a finite weight, got NaN'],
      [with_({ index: 7 }), 'got 7'],
      [() => composed([]), 'expected at least one direction, got none'],
    ] as const) {
      expect(compose).toThrow(DomainError);
      expect(compose).toThrow(message);
    }
  });
});

describe('checkFits()', () => {
  const refusal = (model: Parameters<typeof checkFits>[2]): string => {
    try {
      checkFits(set, provenance, model);
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
      return (error as ModelError).message;
    }
    return 'accepted';
  };

  it('checkFits() accepts the model that they were found from, under any name', () => {
    for (const name of ['faces', 'runs/faces/model']) {
      expect(refusal({ name, hash: a, sampleShape: [1, 2, 2] })).toBe('accepted');
    }
  });

  it('checkFits() refuses directions of another model and says in one line whose they are', () => {
    expect(refusal({ name: 'fashion', hash: b, sampleShape: [1, 2, 2] })).toBe(
      "directions: belong to 'faces' (SHA-256 aaaaaaaaaaaa...), not to 'fashion' (bbbbbbbbbbbb...). Use them with 'faces', or find those of 'fashion'.",
    );
    expect(refusal({ name: 'faces', hash: b, sampleShape: [1, 2, 2] })).toBe(
      "directions: belong to another model of the name 'faces' (SHA-256 aaaaaaaaaaaa..., this one bbbbbbbbbbbb...): it was trained or exported again. Find them again.",
    );
  });

  it('checkFits() refuses samples of another shape, also of the same model', () => {
    for (const hash of [a, b]) {
      expect(refusal({ name: 'fashion', hash, sampleShape: [1, 28, 28] })).toBe(
        "directions: belong to 'faces' with samples of 1x2x2, not to 'fashion' with samples of 1x28x28. Use them with 'faces', or find those of 'fashion'.",
      );
    }
  });
});
