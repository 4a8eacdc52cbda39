/** Shows the newest of values that may come faster than pictures are drawn. */
export interface Newest<T> {
  /** With the next picture, unless a newer one comes first. */
  soon(value: T): void;
  /** At once; what waits is dropped. */
  now(value: T): void;
}

/**
 * Draws at most once a picture of the screen, so that a page that falls behind its worker skips what is past.
 * @param pauseMs  draws this long after it was asked to instead, for what need not move smoothly
 */
export function newest<T>(draw: (value: T) => void, pauseMs?: number): Newest<T> {
  let latest: T;
  let waiting: number | undefined;
  const run = (): void => {
    waiting = undefined;
    draw(latest);
  };
  const wait = (): number => (pauseMs === undefined ? requestAnimationFrame(run) : window.setTimeout(run, pauseMs));
  const forget = pauseMs === undefined ? cancelAnimationFrame : clearTimeout;
  return {
    soon: (value) => {
      latest = value;
      waiting ??= wait();
    },
    now: (value) => {
      if (waiting !== undefined) forget(waiting);
      waiting = undefined;
      draw(value);
    },
  };
}
