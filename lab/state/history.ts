/** A state with what it was before and what was taken back. */
export interface History<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[];
}

/** Steps that can be taken back. */
const DEPTH = 100;

/** A state that nothing came before. */
export function begin<T>(present: T): History<T> {
  return { past: [], present, future: [] };
}

/** The history after a change; what had been taken back is gone, a change to the same changes nothing. */
export function record<T>(history: History<T>, next: T): History<T> {
  if (Object.is(next, history.present)) return history;
  return { past: [...history.past, history.present].slice(-DEPTH), present: next, future: [] };
}

/** One step back; the same history where there is none. */
export function undo<T>({ past, present, future }: History<T>): History<T> {
  if (past.length === 0) return { past, present, future };
  return { past: past.slice(0, -1), present: past.at(-1) as T, future: [present, ...future] };
}

/** One step forward again; the same history where there is none. */
export function redo<T>({ past, present, future }: History<T>): History<T> {
  if (future.length === 0) return { past, present, future };
  return { past: [...past, present], present: future[0] as T, future: future.slice(1) };
}
