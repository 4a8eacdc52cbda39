import { describe, expect, it } from 'vitest';

import { SpecError } from '../errors/errors.ts';
import { parseSeed, parseSeeds } from './seeds.ts';

describe('parseSeeds()', () => {
  it('reads numbers and ranges in the order said', () => {
    expect(parseSeeds('7')).toEqual([7]);
    expect(parseSeeds('0-3,100')).toEqual([0, 1, 2, 3, 100]);
    expect(parseSeeds('5, 2-3')).toEqual([5, 2, 3]);
    expect(parseSeeds('0-63,100')).toHaveLength(65);
  });

  it.each(['', '3-1', '1,', '-1', '1.5', '0x10', 'a', '1--2', '9007199254740993'])('refuses %j', (text) => {
    expect(() => parseSeeds(text)).toThrow(SpecError);
  });

  it('refuses a seed said twice and a range beyond a million before it fills the memory', () => {
    expect(() => parseSeeds('0-5,3')).toThrow('got 3 twice');
    expect(() => parseSeeds('0-9007199254740991')).toThrow('at most 1000000');
  });
});

describe('parseSeed()', () => {
  it('reads one integer up to 2^53 - 1 and names the flag when it cannot', () => {
    expect(parseSeed('9007199254740991')).toBe(2 ** 53 - 1);
    expect(() => parseSeed('9007199254740992', '--seed')).toThrow(/^--seed: expected an integer/);
    expect(() => parseSeed('0-3')).toThrow(SpecError);
  });
});
