import { throwIfAborted } from '../../src/errors/errors.ts';
import type { DroppedFile } from '../components/dropped-files.ts';
import type { Remote } from './connect.ts';
import type { Operation } from './protocol.ts';

/** Some files of a set, in turn. */
export interface HandedFiles {
  readonly set: string;
  readonly files: readonly DroppedFile[];
  /** Whether they begin the set anew. */
  readonly isFirst: boolean;
}

/** Files in one message: the page looks up each on the disk before it goes, which takes 0.3 ms and more. */
const AT_ONCE = 32;

const sets = new Map<string, DroppedFile[]>();

/** The worker's operation that takes files in. */
export const takeFiles: Operation<HandedFiles, void> = async ({ set, files, isFirst }) => {
  sets.set(set, [...(isFirst ? [] : (sets.get(set) ?? [])), ...files]);
};

/** In the worker: the files of a set that the page has handed over. */
export function filesOfSet(set: string): readonly DroppedFile[] {
  return sets.get(set) ?? [];
}

/**
 * In the page: hands dropped files to a worker, some at a time, so that a folder of thousands does not hold the page.
 * @param set  what the worker knows them by; what it had of this name is gone
 * @throws CancelledError
 */
export async function handFiles(
  worker: Remote<{ takeFiles: typeof takeFiles }>,
  set: string,
  files: readonly DroppedFile[],
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at === 0 || at < files.length; at += AT_ONCE) {
    throwIfAborted(set, signal);
    await worker.call('takeFiles', { set, files: files.slice(at, at + AT_ONCE), isFirst: at === 0 }, { signal });
  }
}
