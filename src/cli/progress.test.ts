import { describe, expect, it } from 'vitest';

import { createProgress, formatDuration } from './progress.ts';
import type { Progress } from './progress.ts';

/** A progress whose clock is set by hand, and what it wrote. */
function watch(
  interactive: boolean,
  quiet = false,
): { progress: Progress; written: string[]; at: (ms: number) => void } {
  const written: string[] = [];
  let now = 0;
  const progress = createProgress(
    { write: (text: string) => written.push(text) },
    { layout: { width: 60, color: false }, quiet, interactive, now: () => now },
  );
  return { progress, written, at: (ms) => (now = ms) };
}

describe('createProgress()', () => {
  it('writes plain lines at most every five seconds, and the last one of a phase', () => {
    const { progress, written, at } = watch(false);
    for (let done = 0; done <= 100; done++) {
      at(done * 120);
      progress.report({ label: 'training', done, total: 100, unit: 'steps', detail: 'loss 0.5' });
    }
    expect(written).toEqual([
      'training 42/100, 8.3 steps/s, 7.0 s left, loss 0.5\n',
      'training 84/100, 8.3 steps/s, 1.9 s left, loss 0.5\n',
      'training 100/100, 8.3 steps/s, 12 s, loss 0.5\n',
    ]);
  });

  it('redraws one line on a terminal, at most ten times a second and within its width', () => {
    const { progress, written, at } = watch(true);
    for (let done = 0; done <= 100; done++) {
      at(done * 10);
      progress.report({ label: 'a label that is much too long for this small terminal', done, total: 100 });
    }
    expect(written.length).toBeLessThanOrEqual(12);
    for (const text of written.slice(0, -1)) expect(text.replace('\r\x1b[K', '').length).toBeLessThan(60);
    expect(written.at(-1)).toBe('\n');
  });

  it('measures the rate from where a resumed run begins', () => {
    const { progress, written, at } = watch(false);
    progress.report({ label: 'training', done: 900, total: 1000, unit: 'steps' });
    at(10_000);
    progress.report({ label: 'training', done: 950, total: 1000, unit: 'steps' });
    expect(written).toEqual(['training 950/1000, 5.0 steps/s, 10 s left\n']);
  });

  it('starts anew with another label and with a phase that repeats', () => {
    const { progress, written, at } = watch(false);
    progress.report({ label: 'a', done: 1, total: 1 });
    progress.report({ label: 'a', done: 1, total: 1 });
    at(1000);
    progress.report({ label: 'b', done: 1, total: 1 });
    progress.report({ label: 'b', done: 0, total: 1 });
    progress.report({ label: 'b', done: 1, total: 1 });
    expect(written).toEqual(['a 1/1, 0.0 s\n', 'b 1/1, 0.0 s\n', 'b 1/1, 0.0 s\n']);
  });

  it('clears a bar before a note and on dispose', () => {
    const { progress, written } = watch(true);
    progress.report({ label: 'a', done: 1, total: 2 });
    progress.note('hello');
    progress[Symbol.dispose]();
    expect(written.slice(1)).toEqual(['\r\x1b[K', 'hello\n']);
  });

  it('is silent when quiet', () => {
    const { progress, written } = watch(true, true);
    progress.report({ label: 'a', done: 2, total: 2 });
    progress.note('hello');
    expect(written).toEqual([]);
  });
});

describe('formatDuration()', () => {
  it.each([
    [0.84, '0.8 s'],
    [9.96, '10 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [7_800, '2 h 10 min'],
  ])('says %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});
