import { BackendError, CancelledError } from '../../src/errors/errors.ts';
import { errorOf } from './failure.ts';
import type { Operation, OperationTable, Request, Response } from './protocol.ts';

/** How a call is watched and stopped. */
export interface CallOptions<P> {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly onPart?: ((part: P) => void) | undefined;
}

type AnyOperation = Operation<never, unknown, unknown>;
type InputOf<T extends AnyOperation> = Parameters<T>[0];
type OutputOf<T extends AnyOperation> = Awaited<ReturnType<T>>;
type PartOf<T extends AnyOperation> = Parameters<Parameters<T>[1]['emit']>[0];

/** A worker that does the operations of a table. */
export interface Remote<T extends OperationTable> extends Disposable {
  /** @throws LabError as the operation does; CancelledError where `signal` is aborted, at once; BackendError where the worker does not run */
  call<K extends keyof T & string>(
    operation: K,
    input: InputOf<T[K]>,
    options?: CallOptions<PartOf<T[K]>>,
  ): Promise<OutputOf<T[K]>>;
}

interface Pending {
  readonly settle: (outcome: { readonly value: unknown } | { readonly error: Error }) => void;
  readonly options: CallOptions<unknown>;
}

/**
 * The page's half of a worker.
 * @param start  starts it, on the first call; bundlers know `new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })`
 */
export function connect<T extends OperationTable>(start: () => Worker): Remote<T> {
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let count = 0;
  const end = (error: Error): void => {
    worker?.terminate();
    worker = undefined;
    for (const { settle } of [...pending.values()]) settle({ error });
  };
  const open = (): Worker => {
    const made = start();
    made.onmessage = ({ data }) => receive(pending, data as Response);
    made.onerror = ({ message }) => end(new BackendError('worker', `did not run: ${message ?? 'its script did not load'}. Reload the page.`)); // prettier-ignore
    return made;
  };
  return {
    call: (operation, input, options = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = options;
        const id = count++;
        const cancel = (): void => {
          worker?.postMessage({ kind: 'cancel', id } satisfies Request);
          pending.get(id)?.settle({ error: new CancelledError(operation) });
        };
        const settle: Pending['settle'] = (outcome) => {
          pending.delete(id);
          signal?.removeEventListener('abort', cancel);
          if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.value as OutputOf<T[typeof operation]>);
        };
        if (signal?.aborted) {
          reject(new CancelledError(operation));
          return;
        }
        signal?.addEventListener('abort', cancel);
        pending.set(id, { settle, options: options });
        (worker ??= open()).postMessage({ kind: 'call', id, operation, input } satisfies Request);
      }),
    [Symbol.dispose]: () => end(new CancelledError('worker')),
  };
}

function receive(pending: ReadonlyMap<number, Pending>, response: Response): void {
  const call = pending.get(response.id);
  switch (response.kind) {
    case 'progress':
      call?.options.onProgress?.(response.done, response.total);
      break;
    case 'part':
      call?.options.onPart?.(response.part);
      break;
    case 'result':
      call?.settle({ value: response.value });
      break;
    case 'failure':
      call?.settle({ error: errorOf(response.failure) });
      break;
  }
}
