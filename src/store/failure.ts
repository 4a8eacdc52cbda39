import { StoreError } from '../errors/errors.ts';

const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space and run again; what was there before is untouched.',
  EDQUOT: 'the disk quota is used up. Free some space and run again; what was there before is untouched.',
  EACCES: 'permission denied. Choose another --out or change the permissions.',
  EPERM: 'permission denied. Choose another --out or change the permissions.',
  EROFS: 'the file system is read-only. Choose another --out.',
  ENOTDIR: 'expected a folder, got a file on the way. Choose another --out.',
  EEXIST: 'expected a folder, got a file of that name. Choose another --out.',
  EISDIR: 'expected a file, got a folder of that name. Move it away or choose another --out.',
  ENOENT: 'the folder is gone or cannot be made there. Choose another --out.',
  ENAMETOOLONG: 'the name is too long. Choose a shorter --out.',
  EMFILE: 'too many files are open. Close some programs or raise the limit (ulimit -n).',
};

/**
 * The one line that a user reads when the file system says no.
 * @param path  what could not be written or read
 * @param cause  the error from the file system, or a StoreError, which is passed through
 */
export function storeFailure(path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = codeOf(cause);
  const known = code === undefined ? undefined : advice[code];
  const text = known ?? (cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : String(cause));
  return new StoreError(path, code === undefined ? text : `${text} (${code})`, { cause, details: { path, code } });
}

/** The code of a file-system error (`ENOENT`), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
