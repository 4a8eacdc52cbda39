import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { begin, record, redo, undo } from './history.ts';

describe('undo() and redo()', () => {
  it('walk back and forth over every change', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 50 }), fc.nat(60), (states, steps) => {
        const [first, ...rest] = states as [number, ...number[]];
        let history = rest.reduce(record, begin(first));
        for (let i = 0; i < steps; i++) history = undo(history);
        expect(history.present).toBe(states[Math.max(0, states.length - 1 - steps)]);
        for (let i = 0; i < steps; i++) history = redo(history);
        expect(history).toEqual(rest.reduce(record, begin(first)));
      }),
    );
  });

  it('forget what was taken back once something new is done', () => {
    const history = record(undo(record(begin('a'), 'b')), 'c');
    expect(redo(history)).toEqual({ past: ['a'], present: 'c', future: [] });
  });

  it('hold a hundred steps, and none for a change to the same', () => {
    const long = Array.from({ length: 150 }, (_, i) => i + 1).reduce(record, begin(0));
    expect(long.past.length).toBe(100);
    expect(long.past[0]).toBe(50);
    expect(record(long, 150)).toBe(long);
  });
});
