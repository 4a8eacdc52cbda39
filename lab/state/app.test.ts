import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { emptyState, linkTo, reduce, viewOf } from './app.ts';
import type { AppState } from './app.ts';
import { record } from './codec.ts';
import { choice, flag, number, text, unlinked, whole } from './field.ts';
import { defineRoom } from './room.ts';
import type { Room } from './room.ts';

interface Shape {
  readonly size: number;
  readonly count: number;
  readonly mode: 'a' | 'b';
  readonly on: boolean;
  readonly word: string;
  readonly file: object | undefined;
}

const codec = record<Shape>({
  size: number('s', 1.5, { low: 0.1, high: 10 }),
  count: whole('n', 3, { low: 1, high: 100 }),
  mode: choice('mode', 'a', ['a', 'b']),
  on: flag('on', false),
  word: text('w', '', 20),
  file: unlinked<object | undefined>(undefined),
});
const actions = { set: (state: Shape, change: Partial<Shape>): Shape => ({ ...state, ...change }) };
const load = (): Promise<never> => Promise.reject(new Error('no component in this test'));
const rooms: readonly Room[] = [
  defineRoom({ name: 'first', title: 'First', version: 1, codec, actions, load }),
  defineRoom({ name: 'second', title: 'Second', version: 4, codec, actions, load }),
];

const shapes = fc.record({
  size: fc.double({ min: 0.1, max: 10, noNaN: true }),
  count: fc.integer({ min: 1, max: 100 }),
  mode: fc.constantFrom('a' as const, 'b' as const),
  on: fc.boolean(),
  word: fc.string({ unit: 'binary', maxLength: 10 }),
  file: fc.constant(undefined),
});

const follow = (hash: string, state: AppState = emptyState(rooms)): AppState =>
  reduce(rooms, state, { kind: 'follow', hash });

describe('linkTo() and follow', () => {
  it('give every view back, to the last digit, and say nothing', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom(...rooms), (view, room) => {
        const state = follow(linkTo(room, view));
        expect(state).toEqual({ room: room.name, views: { [room.name]: view }, notice: undefined });
      }),
    );
  });

  it('give a browser an address that it keeps as it is', () => {
    fc.assert(
      fc.property(shapes, (view) => {
        const link = linkTo(rooms[0] as Room, view);
        expect(new URL(link, 'http://localhost/lab/').hash).toBe(link);
      }),
    );
  });

  it('are as short as what differs from the start', () => {
    const [, second] = rooms as [Room, Room];
    expect(linkTo(second, codec.start)).toBe('#second');
    expect(linkTo(second, { ...codec.start, count: 7 })).toBe('#second.4?n=7');
    expect(linkTo(second, { ...codec.start, file: {} })).toBe('#second');
  });

  it('take any text for an address: what they show is a view of a room, and a notice fits on a line', () => {
    const anything = fc.oneof(fc.string(), fc.string().map((s) => `#first.1?${s}`)); // prettier-ignore
    fc.assert(
      fc.property(anything, (hash) => {
        const { room, views, notice } = follow(hash);
        expect(rooms.map((r) => r.name)).toContain(room);
        const view = viewOf(rooms, { room, views, notice }, room);
        expect(Object.keys(view)).toEqual(Object.keys(codec.start));
        expect(notice ?? '').not.toContain('\n');
      }),
    );
  });

  it.each([
    ['#nowhere', 'The link names no room of this lab: here is First.'],
    ['#second.3?n=5', 'The link is from another version of this room: what it shows is the start.'],
    ['#first.1?n=1.5', 'The link says n = 1.5, expected a whole number from 1 to 100. It shows the start there.'],
    ['#first.1?mode=c&on=2', 'The link says mode = c, expected a or b. The link says on = 2, expected 0 or 1. It shows the start there.'], // prettier-ignore
    ['#first.1?x=1', 'The link says x, which this room does not know. It shows the start there.'],
  ])('follow %s to the start of a room and say why', (hash, notice) => {
    const state = follow(hash);
    expect(state.notice).toBe(notice);
    expect(viewOf(rooms, state, state.room)).toEqual(codec.start);
  });

  it('follow no link at all to the first room, without a word', () => {
    expect(follow('')).toEqual({ room: 'first', views: {}, notice: undefined });
    expect(follow('#')).toEqual({ room: 'first', views: {}, notice: undefined });
  });
});

describe('reduce()', () => {
  it('performs an action of a room and leaves the others as they were', () => {
    const start = follow('#second.4?n=9');
    const next = reduce(rooms, start, { kind: 'act', room: 'first', action: 'set', input: { count: 5 } });
    expect(viewOf(rooms, next, 'first')).toEqual({ ...codec.start, count: 5 });
    expect(viewOf(rooms, next, 'second')).toBe(viewOf(rooms, start, 'second'));
    expect(next.room).toBe('second');
  });

  it('takes a notice away when told to, or when the next link is fine', () => {
    const start = follow('#nowhere');
    expect(reduce(rooms, start, { kind: 'dismiss' }).notice).toBeUndefined();
    expect(follow('#second', start).notice).toBeUndefined();
  });
});
