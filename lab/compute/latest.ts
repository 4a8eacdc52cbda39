import { isCancelled } from './failure.ts';

/** What a slider's computation hears of itself. */
export interface LatestEvents<O> {
  started(): void;
  done(value: O): void;
  failed(error: unknown): void;
}

/** Runs for the newest input only. */
export interface Latest<I> {
  /** Asks for an input: what is under way is cancelled, what waits is dropped. */
  request(input: I): void;
  /** Cancels what is under way. */
  cancel(): void;
}

/**
 * Keeps at most one computation under way and at most one waiting, so that a slider never builds a queue.
 * Events speak of the newest input alone; a cancelled computation says nothing.
 */
export function latest<I, O>(run: (input: I, signal: AbortSignal) => Promise<O>, events: LatestEvents<O>): Latest<I> {
  let running: AbortController | undefined;
  let waiting: { readonly input: I } | undefined;
  const next = async (): Promise<void> => {
    if (running !== undefined || waiting === undefined) return;
    const { input } = waiting;
    const controller = new AbortController();
    [running, waiting] = [controller, undefined];
    try {
      events.started();
      const value = await run(input, controller.signal);
      if (!controller.signal.aborted) events.done(value);
    } catch (error) {
      if (!controller.signal.aborted && !isCancelled(error)) events.failed(error);
    }
    running = undefined;
    await next();
  };
  return {
    request: (input) => {
      waiting = { input };
      running?.abort();
      void next();
    },
    cancel: () => {
      waiting = undefined;
      running?.abort();
    },
  };
}
