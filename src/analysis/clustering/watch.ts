import { throwIfAborted } from '../../errors/errors.ts';

/** How a long computation is watched and stopped. */
export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Reports progress, hands the event loop a turn so that an interrupt is heard, and stops if one was. @throws CancelledError */
export async function turn(where: string, { signal, onProgress }: Watch, done: number, total: number): Promise<void> {
  onProgress?.(done, total);
  await new Promise((resolve) => setTimeout(resolve, 0));
  throwIfAborted(where, signal);
}
