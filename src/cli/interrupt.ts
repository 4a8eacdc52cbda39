/** The part of `process` that interrupts need. */
export interface InterruptSource {
  on(signal: InterruptSignal, listener: (signal: InterruptSignal) => void): unknown;
  removeListener(signal: InterruptSignal, listener: (signal: InterruptSignal) => void): unknown;
}

/** Signals that ask a command to stop. */
export type InterruptSignal = 'SIGINT' | 'SIGTERM';

/** What an interrupt does. */
export interface InterruptOptions {
  readonly source: InterruptSource;
  /** Says that the command is stopping. */
  readonly say: (line: string) => void;
  /** Ends the process at once. */
  readonly force: () => void;
  /** Milliseconds of a steady clock. */
  readonly now?: () => number;
}

/**
 * One Ctrl-C reaches the process several times: from the terminal, from npx and from the launcher, each forwarding it.
 * Repeats within this time are the same key press.
 */
const SAME_PRESS_MS = 300;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Turns the first interrupt into an abort, the second into a forced end.
 * @returns the signal that long work obeys; dispose to stop listening
 */
export function watchInterrupts(options: InterruptOptions): Disposable & { readonly signal: AbortSignal } {
  const { source, say, force } = options;
  const now = options.now ?? (() => performance.now());
  const controller = new AbortController();
  let firstAt: number | undefined;
  const listener = (): void => {
    if (firstAt === undefined) {
      firstAt = now();
      say('stopping; once more to force');
      controller.abort();
    } else if (now() - firstAt > SAME_PRESS_MS) force();
  };
  for (const signal of SIGNALS) source.on(signal, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) source.removeListener(signal, listener);
    },
  };
}
