import { constants } from 'node:fs';
import { lstat, open, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that is open for reading; whoever has it closes it. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly bytes: number;
}

/**
 * Opens a file below a folder.
 * @param folder  may itself be reached by links
 * @param parts   plain names, as `pathParts` gives them
 * @returns undefined where there is no regular file, or a link is on the way
 */
export async function openInside(folder: string, parts: readonly string[]): Promise<OpenFile | undefined> {
  try {
    const path = join(await realpath(folder), ...parts);
    if ((await realpath(path)) !== path || !(await lstat(path)).isFile()) return undefined;
    // A link may have taken the file's place meanwhile.
    const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const found = await handle.stat();
    if (found.isFile()) return { handle, bytes: found.size };
    await handle.close();
    return undefined;
  } catch {
    return undefined;
  }
}
