import { describe, expect, it } from 'vitest';

import { CancelledError } from '../../src/errors/errors.ts';
import { latest } from './latest.ts';
import type { Latest } from './latest.ts';

interface Bench {
  readonly queue: Latest<number>;
  /** What was run, with its signal and how to end it. */
  readonly runs: { input: number; signal: AbortSignal; resolve: (v: string) => void; reject: (e: Error) => void }[];
  readonly heard: string[];
}

function bench(): Bench {
  const [runs, heard]: [Bench['runs'], string[]] = [[], []];
  const queue = latest<number, string>(
    (input, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      signal.addEventListener('abort', () => reject(new CancelledError('run')));
      runs.push({ input, signal, resolve, reject });
      return promise;
    },
    {
      started: () => heard.push('started'),
      done: (value) => heard.push(value),
      failed: (error) => heard.push(String(error)),
    },
  );
  return { queue, runs, heard };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('latest()', () => {
  it('runs the first and the last of a quick series, and hears of the last only', async () => {
    const { queue, runs, heard } = bench();
    for (const input of [1, 2, 3, 4]) queue.request(input);
    await settled();
    expect(runs.map(({ input }) => input)).toEqual([1, 4]);
    runs[1]?.resolve('four');
    await settled();
    expect(heard).toEqual(['started', 'started', 'four']);
  });

  it('hears of a failure, and goes on', async () => {
    const { queue, runs, heard } = bench();
    queue.request(1);
    runs[0]?.reject(new RangeError('no'));
    await settled();
    queue.request(2);
    runs[1]?.resolve('two');
    await settled();
    expect(heard).toEqual(['started', 'RangeError: no', 'started', 'two']);
  });

  it('says nothing of what was cancelled, whatever becomes of it', async () => {
    const { queue, runs, heard } = bench();
    queue.request(1);
    queue.cancel();
    runs[0]?.resolve('late');
    await settled();
    expect(runs[0]?.signal.aborted).toBe(true);
    expect(heard).toEqual(['started']);
  });
});
