/** Shows the newest of values that may come faster than pictures are drawn. */
export interface Newest<T> {
  /** With the next picture, unless a newer one comes first. */
  soon(value: T): void;
  /** At once; what waits is dropped. */
  now(value: T): void;
}

/** Draws at most once a picture, so that a page that falls behind its worker skips what is past. */
export function newest<T>(draw: (value: T) => void): Newest<T> {
  let latest: T;
  let waiting: number | undefined;
  return {
    soon: (value) => {
      latest = value;
      waiting ??= requestAnimationFrame(() => {
        waiting = undefined;
        draw(latest);
      });
    },
    now: (value) => {
      if (waiting !== undefined) cancelAnimationFrame(waiting);
      waiting = undefined;
      draw(value);
    },
  };
}
