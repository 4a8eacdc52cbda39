import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { jobKey } from './job-key.ts';

describe('jobKey()', () => {
  it('is the start of the SHA-256 of the identity as JSON with sorted keys', () => {
    const text = '{"job":"train","spec":{"a":[2,1],"b":{"c":1,"d":null}},"version":"1.0.0"}';
    const expected = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const spec = { b: { d: null, c: 1 }, left: undefined, a: [2, 1] };
    expect(jobKey({ version: '1.0.0', spec, job: 'train' })).toBe(expected);
  });

  it('tells apart kinds, versions, and lists of another order', () => {
    const identity = { job: 'train', spec: { a: [1, 2] }, version: '1' };
    const others = [{ job: 'audit' }, { version: '2' }, { spec: { a: [2, 1] } }, { spec: { a: ['1', 2] } }];
    const keys = [identity, ...others.map((other) => ({ ...identity, ...other }))].map(jobKey);
    expect(new Set(keys).size).toBe(5);
  });

  it('refuses what JSON would change', () => {
    expect(() => jobKey({ job: 'train', spec: { deep: { rate: NaN } }, version: '1' })).toThrow(
      'rate: expected a finite number, got NaN.',
    );
  });
});
