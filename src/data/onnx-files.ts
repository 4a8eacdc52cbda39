import { constants, open, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { DatasetError } from '../errors/errors.ts';
import { kindOf, readBytes } from './files.ts';

/** A model file and a way to the files beside it that hold its larger arrays. */
export interface OnnxFile {
  readonly bytes: Uint8Array;
  /**
   * @param location  path relative to the model's folder
   * @throws DatasetError where the file is missing, too short, no regular file, or leads out of the folder
   */
  readonly readExternal: (location: string, offset: number, length: number) => Promise<Uint8Array>;
}

/**
 * Opens an ONNX file. Arrays that lie outside it are read from its folder only: where the path is a link, as in the cache of Hugging Face,
 * also from the folder that the link leads to.
 * @throws DatasetError if the file is missing or not readable
 */
export async function openOnnxFile(path: string): Promise<OnnxFile> {
  const bytes = await readBytes(path);
  const folders = [await realpath(dirname(path)), dirname(await realpath(path))];
  return {
    bytes,
    async readExternal(location, offset, length) {
      const beside = join(dirname(path), location);
      if ((await kindOf(beside)) === 'nothing') {
        throw new DatasetError(
          path,
          `expected weights in ${shown(beside)}, got no such file. Put it beside the model.`,
        );
      }
      const real = await realpath(beside);
      if (!folders.some((folder) => real.startsWith(folder.endsWith(sep) ? folder : folder + sep))) {
        throw new DatasetError(path, `expected weights in its folder, got ${shown(beside)}, which leads out of it.`);
      }
      return readRange(path, real, offset, length);
    },
  };
}

async function readRange(model: string, path: string, offset: number, length: number): Promise<Uint8Array> {
  if ((await kindOf(path)) === 'folder')
    throw new DatasetError(model, `expected a file at ${shown(path)}, got a folder.`);
  const file = await openToRead(model, path);
  try {
    const found = await file.stat();
    if (!found.isFile() || offset + length > found.size) {
      throw new DatasetError(
        model,
        `expected ${length} bytes at ${offset} of ${shown(path)}, got a file of ${found.size}. Fetch it again.`,
      );
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const { bytesRead } = await file.read(bytes, at, Math.min(length - at, 2 ** 30), offset + at);
      if (bytesRead === 0)
        throw new DatasetError(model, `${shown(path)} became shorter while it was read. Fetch it again.`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function openToRead(model: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new DatasetError(
      model,
      `expected readable weights in ${shown(path)}, got ${code}. Change its mode or owner.`,
      { cause },
    );
  }
}

/** A path as it may stand in a message of one line. */
function shown(path: string): string {
  return path.replace(/\p{Cc}/gu, '?');
}
