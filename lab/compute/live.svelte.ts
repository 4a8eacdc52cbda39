import { untrack } from 'svelte';

import { sentenceOf } from './failure.ts';
import { latest } from './latest.ts';
import type { Latest } from './latest.ts';

/** How far a computation is. */
export interface LiveProgress {
  readonly done: number;
  readonly total: number;
}

/** How a live computation is watched: what a call of a worker takes as its options. */
export interface LiveOptions<P> {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  readonly onPart: (part: P) => void;
}

/** A value that follows its input, computed elsewhere. */
export class Live<I, O, P> {
  /** Of the newest input that was finished; undefined before the first. */
  value: O | undefined = $state.raw();
  /** What is known of the input under way; undefined before its first part. */
  part: P | undefined = $state.raw();
  busy: boolean = $state(false);
  progress: LiveProgress | undefined = $state.raw();
  /** One sentence; undefined while all is well. */
  error: string | undefined = $state.raw();
  readonly #queue: Latest<I>;

  constructor(run: (input: I, options: LiveOptions<P>) => Promise<O>) {
    this.#queue = latest<I, O>((input, signal) => run(input, this.#optionsFor(signal)), {
      started: () => {
        this.busy = true;
        this.progress = this.part = this.error = undefined;
      },
      done: (value) => {
        this.value = value;
        this.#settle();
      },
      failed: (cause) => {
        this.error = sentenceOf(cause);
        this.#settle();
      },
    });
  }

  /** Computes for an input; what is under way for another is cancelled. */
  request(input: I): void {
    this.#queue.request(input);
  }

  /** Stops what is under way; the value and the part stay, what went wrong goes. */
  readonly cancel = (): void => {
    this.#queue.cancel();
    this.error = undefined;
    this.#settle();
  };

  #settle(): void {
    this.busy = false;
    this.progress = undefined;
  }

  #optionsFor(signal: AbortSignal): LiveOptions<P> {
    return {
      signal,
      onProgress: (done, total) => {
        if (!signal.aborted) this.progress = { done, total };
      },
      onPart: (part) => {
        if (!signal.aborted) this.part = part;
      },
    };
  }
}

/**
 * Computes anew whenever what `input` reads has changed, for the newest input only. Call it while a component is set up.
 * @param input  undefined where there is nothing to compute
 * @param run    such as `(input, options) => network.call('denoise', input, options)`
 */
export function live<I, O, P = never>(
  input: () => I | undefined,
  run: (input: I, options: LiveOptions<P>) => Promise<O>,
): Live<I, O, P> {
  const made = new Live<I, O, P>(run);
  $effect(() => {
    const given = input();
    untrack(() => (given === undefined ? made.cancel() : made.request(given)));
  });
  $effect(() => made.cancel);
  return made;
}
