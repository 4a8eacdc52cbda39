import { expect, test } from 'vitest';

import { StoreError } from '../errors/errors.ts';
import { stableJson, stableJsonLine } from './json.ts';

test('stableJson() gives the same text for the same data whatever the order of keys', () => {
  const a = { seed: 1, model: 'x', inner: { b: 2, a: [1, 2] } };
  const b = { inner: { a: [1, 2], b: 2 }, model: 'x', seed: 1 };
  expect(stableJson(a)).toBe(stableJson(b));
  expect(stableJson(a)).toBe('{ "inner": { "a": [1, 2], "b": 2 }, "model": "x", "seed": 1 }');
});

test('stableJson() reads back as what went in, long or short', () => {
  const value = {
    rows: Array.from({ length: 20 }, (_, i) => ({ sigma: 2 ** -i, rank: i, rule: 'sqrt-energy-0.99' })),
    numbers: Array.from({ length: 100 }, (_, i) => Math.sqrt(i)),
    nested: [[1, 2, { a: null }], [], {}],
    text: 'quote " and line\nbreak',
  };
  expect(JSON.parse(stableJson(value))).toEqual(value);
  expect(JSON.parse(stableJsonLine(value))).toEqual(value);
  expect(stableJsonLine(value)).not.toContain('\n');
});

test('stableJson() keeps a list of numbers on one line and gives every row of a table its own', () => {
  const row = { sigma: 0.002, values: Array.from({ length: 60 }, () => 0.5) };
  const lines = stableJson({ triplets: [row, row] }).split('\n');
  expect(lines.filter((line) => line.includes('"values"'))).toHaveLength(2);
  const ranks = stableJson({ rankCurve: Array.from({ length: 9 }, () => ({ rank: 1, ratio: 0.5, sigma: 1 })) }).split(
    '\n',
  );
  expect(ranks.filter((line) => line.includes('"rank"'))).toHaveLength(9);
});

test('stableJson() leaves out undefined and names the path of what JSON would change in silence', () => {
  expect(stableJson({ a: 1, b: undefined })).toBe('{ "a": 1 }');
  const bad: [unknown, string][] = [
    [{ a: [0, NaN] }, 'NaN at $.a[1]'],
    [{ a: { b: Infinity } }, 'Infinity at $.a.b'],
    [{ f: () => 0 }, 'function at $.f'],
    [{ x: new Float64Array(2) }, 'Float64Array at $.x'],
    [[undefined], 'undefined at $[0]'],
  ];
  for (const [value, words] of bad) {
    expect(() => stableJson(value)).toThrow(StoreError);
    expect(() => stableJson(value)).toThrow(words);
  }
});
