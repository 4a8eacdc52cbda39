import { open, readFile, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatasetError } from '../errors/errors.ts';
import { nearest } from './nearest.ts';

// The only file of this folder that knows of disks; parsers take bytes and run in a browser.

/** Parts of paths, from Node. */
export { basename, dirname, join };

/** What a path leads to. */
export type PathKind = 'file' | 'folder' | 'nothing';

/** What `path` leads to; a path that may not be looked at leads to nothing. */
export async function kindOf(path: string): Promise<PathKind> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'nothing';
  }
}

/**
 * The bytes of a file.
 * @throws DatasetError that names the path and says what to do if it is missing, a folder or not readable
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const { buffer, byteOffset, length } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, length); // a Buffer's slice() would share memory, a Uint8Array's copies
  } catch (cause) {
    throw await fileError(path, cause);
  }
}

/**
 * `length` bytes of a file from `offset` on, or as many as there are.
 * @throws DatasetError as `readBytes`
 */
export async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } catch (cause) {
    throw await fileError(path, cause);
  }
}

/** Size of a file in bytes. @throws DatasetError as `readBytes` */
export async function sizeOfFile(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw await fileError(path, cause);
  }
}

/**
 * Paths of all files below a folder, relative to it, with `/` between the parts; hidden files and folders are left out.
 * @throws DatasetError if the folder is missing or not readable
 */
export async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const lists = entries
      .filter((entry) => !entry.name.startsWith('.'))
      .map(async (entry) => {
        if ((await kindOf(join(folder, entry.name))) !== 'folder') return [entry.name];
        return (await listFiles(join(folder, entry.name))).map((path) => `${entry.name}/${path}`);
      });
    return (await Promise.all(lists)).flat();
  } catch (cause) {
    throw cause instanceof DatasetError ? cause : await fileError(folder, cause);
  }
}

/** Path of a file that ships with the package; src/ and dist/ lie equally deep. */
export function assetPath(name: string): string {
  return fileURLToPath(new URL(`../../assets/${name}`, import.meta.url));
}

/** Path of a file of an installed package, such as `@resvg/resvg-wasm/index_bg.wasm`. */
export function packageFile(name: string): string {
  return fileURLToPath(import.meta.resolve(name));
}

/** The value of an environment variable; empty counts as not set. */
export function environment(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

async function fileError(path: string, cause: unknown): Promise<DatasetError> {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const siblings = await readdir(dirname(path)).catch(() => []);
    const near = nearest(basename(path), siblings);
    const remedy = near === undefined ? 'Check the path.' : `Did you mean '${join(dirname(path), near)}'?`;
    return new DatasetError(path, `expected a file, got nothing at this path. ${remedy}`, { cause });
  }
  if (code === 'EISDIR') return new DatasetError(path, 'expected a file, got a folder. Name a file in it.', { cause });
  if (code === 'EACCES' || code === 'EPERM') {
    return new DatasetError(path, 'expected a readable file, got no permission. Change its mode or owner.', { cause });
  }
  return new DatasetError(path, `expected a readable file, got ${code ?? String(cause)}. Check the disk.`, { cause });
}
