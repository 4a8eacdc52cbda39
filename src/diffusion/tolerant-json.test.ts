import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../errors/errors.ts';
import { parseTolerantJson } from './tolerant-json.ts';

/** What Python's json.dumps writes: JSON, save for numbers that JSON does not have. */
function dump(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (Array.isArray(value)) return `[${value.map(dump).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${dump(item)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}

const tricky = fc.constantFrom(
  'Infinity',
  '-Infinity',
  'NaN',
  '"Infinity"',
  '\\"NaN',
  ': NaN,',
  'null',
  '__proto__',
  '\\',
);
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  tricky,
  fc.tuple(fc.string(), tricky, fc.string()).map((p) => p.join('')),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(text, fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0, null, true)),
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.dictionary(text, tie('tree'), { maxKeys: 5 }),
  ),
}));

describe('parseTolerantJson()', () => {
  it('parseTolerantJson() reads what Python writes, with text that looks like bare numbers as it is', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(parseTolerantJson('x', dump(value))).toEqual(value);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('parseTolerantJson() is JSON.parse on JSON', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(parseTolerantJson('x', json)).toEqual(JSON.parse(json));
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('parseTolerantJson() never throws anything but ModelError', () => {
    const piece = fc.constantFrom(
      'NaN',
      'Infinity',
      '-',
      '1',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      ' ',
      '\n',
      'e5',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        try {
          parseTolerantJson('x', pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  it.each([
    '1Infinity',
    'Infinity1',
    'xNaN',
    '--Infinity',
    '+Infinity',
    'infinity',
    'nan',
    '{Infinity: 1}',
    '{"a": NaNNaN}',
    '"a',
    '',
  ])('parseTolerantJson(%j) throws ModelError on one line', (bad) => {
    expect(() => parseTolerantJson('config.json', bad)).toThrow(ModelError);
    expect(() => parseTolerantJson('config.json', bad)).toThrow(/^config\.json: [^\n]*$/);
  });

  it('parseTolerantJson() takes linear time on quotes that never close, and does not overflow on depth', () => {
    const start = performance.now();
    expect(() => parseTolerantJson('x', `"${'\\"'.repeat(300_000)}`)).toThrow(ModelError);
    expect(() => parseTolerantJson('x', '['.repeat(200_000))).toThrow(ModelError);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
