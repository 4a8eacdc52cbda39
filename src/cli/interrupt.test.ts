import { EventEmitter } from 'node:events';

import { describe, expect, it } from 'vitest';

import { watchInterrupts } from './interrupt.ts';

function watch(): {
  source: EventEmitter;
  said: string[];
  forced: () => number;
  at: (ms: number) => void;
  interrupts: ReturnType<typeof watchInterrupts>;
} {
  const source = new EventEmitter();
  const said: string[] = [];
  let forced = 0;
  let now = 0;
  const interrupts = watchInterrupts({
    source,
    say: (line) => said.push(line),
    force: () => (forced += 1),
    now: () => now,
  });
  return { source, said, forced: () => forced, at: (ms) => (now = ms), interrupts };
}

describe('watchInterrupts()', () => {
  it('aborts on the first signal and forces on the second', () => {
    const { source, said, forced, at, interrupts } = watch();
    expect(interrupts.signal.aborted).toBe(false);
    source.emit('SIGINT', 'SIGINT');
    expect(interrupts.signal.aborted).toBe(true);
    expect(said).toHaveLength(1);
    expect(forced()).toBe(0);
    at(1000);
    source.emit('SIGTERM', 'SIGTERM');
    expect(forced()).toBe(1);
  });

  it('takes copies of one key press, forwarded by npx and the launcher, for one', () => {
    const { source, forced, at } = watch();
    source.emit('SIGINT', 'SIGINT');
    at(20);
    source.emit('SIGINT', 'SIGINT');
    at(60);
    source.emit('SIGINT', 'SIGINT');
    expect(forced()).toBe(0);
  });

  it('stops listening when disposed', () => {
    const { source, interrupts } = watch();
    interrupts[Symbol.dispose]();
    expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(0);
  });
});
