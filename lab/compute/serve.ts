import { CancelledError } from '../../src/errors/errors.ts';
import { failureOf } from './failure.ts';
import type { Operation, OperationTable, Request, Response } from './protocol.ts';

/** As much of a worker's global scope as is used here. */
export interface WorkerScope {
  onmessage: ((event: { readonly data: Request }) => void) | null;
  postMessage(response: Response): void;
}

/** Progress more often than this is nobody's to see. */
const PROGRESS_MS = 50;

/**
 * The worker's half: answers calls, several at a time where they wait for something, and stops what is cancelled.
 * @param scope  the worker's `globalThis`
 */
export function serve(operations: OperationTable, scope: WorkerScope): void {
  const running = new Map<number, AbortController>();
  scope.onmessage = ({ data }) => {
    if (data.kind === 'cancel') {
      running.get(data.id)?.abort();
      return;
    }
    const { id, operation, input } = data;
    const controller = new AbortController();
    running.set(id, controller);
    // The page's half is typed by the same table.
    const run = operations[operation] as unknown as Operation<unknown, unknown, unknown>;
    const context = contextOf(id, controller.signal, scope);
    run(input, context)
      .then((value) => {
        if (controller.signal.aborted) throw new CancelledError(operation);
        scope.postMessage({ kind: 'result', id, value });
      })
      .catch((error: unknown) => scope.postMessage({ kind: 'failure', id, failure: failureOf(error) }))
      .finally(() => running.delete(id));
  };
}

function contextOf(
  id: number,
  signal: AbortSignal,
  scope: WorkerScope,
): Parameters<Operation<unknown, unknown, unknown>>[1] {
  let saidAt = -Infinity;
  return {
    signal,
    progress: (done, total) => {
      const now = performance.now();
      if (now - saidAt < PROGRESS_MS && done < total) return;
      saidAt = now;
      scope.postMessage({ kind: 'progress', id, done, total });
    },
    emit: (part) => scope.postMessage({ kind: 'part', id, part }),
  };
}
