import { writeFile } from 'node:fs/promises';
import { StoreError } from '../errors/errors.ts';
import { codeOf, storeFailure } from './failure.ts';

/**
 * Writes a text file that must not exist yet.
 * @throws StoreError where it does, or the disk refuses; nothing that was there is lost
 */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') {
      throw new StoreError(path, 'exists already and is left as it is. Move it away to write a new one.', { cause });
    }
    throw storeFailure(path, cause);
  }
}
