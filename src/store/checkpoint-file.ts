import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf, storeFailure } from './failure.ts';

/** One file that is replaced whole: the state of a job under way. */
export interface CheckpointFile {
  /** Absolute path. */
  readonly path: string;
  /** The last whole state, or undefined where there is none. @throws StoreError */
  read(): Promise<Uint8Array | undefined>;
  /** Replaces the state by one rename; a crash leaves the old or the new one. @throws StoreError */
  write(bytes: Uint8Array): Promise<void>;
  /** Removes it once the job is done. @throws StoreError */
  remove(): Promise<void>;
}

/** A checkpoint at `path`; its folder is made on the first write. */
export function checkpointFile(path: string): CheckpointFile {
  const target = resolve(path);
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw storeFailure(target, cause);
    }
  };
  return {
    path: target,
    read: () =>
      guarded(async () => {
        try {
          return new Uint8Array(await readFile(target));
        } catch (cause) {
          if (codeOf(cause) === 'ENOENT') return undefined;
          throw cause;
        }
      }),
    write: (bytes) => guarded(() => replaceFile(target, bytes)),
    remove: () => guarded(() => rm(target, { force: true })),
  };
}

async function replaceFile(target: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.partial`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, target);
}
