import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { StoreError } from '../errors/errors.ts';
import { codeOf, storeFailure } from './failure.ts';

/** Name of the manifest in every run folder. */
export const MANIFEST_NAME = 'run.json';

/** Value of `format` in a manifest; the number grows when older readers would misread. */
export const MANIFEST_FORMAT = 'eigenlens-run/1';

/** What a run folder says of itself. Files that it does not name were put there by somebody else. */
export interface RunManifest {
  readonly format: typeof MANIFEST_FORMAT;
  /** False only while one complete run is replacing another. */
  readonly complete: boolean;
  /** Size and SHA-256 (hex) of every file, sorted by name. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

/**
 * The manifest of a run folder.
 * @returns undefined where the folder or the manifest does not exist
 * @throws StoreError if the manifest cannot be read or is not one of ours
 */
export async function readManifest(folder: string): Promise<RunManifest | undefined> {
  const path = join(folder, MANIFEST_NAME);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw storeFailure(path, cause);
  }
  const value = parse(text);
  if (!isManifest(value)) {
    throw new StoreError(
      path,
      `expected a manifest of format ${MANIFEST_FORMAT}. Move it away or choose another --out.`,
    );
  }
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is RunManifest {
  if (typeof value !== 'object' || value === null) return false;
  const { format, complete, files } = value as Record<string, unknown>;
  return (
    format === MANIFEST_FORMAT &&
    typeof complete === 'boolean' &&
    Array.isArray(files) &&
    files.every((f: unknown) => typeof f === 'object' && f !== null && 'name' in f && typeof f.name === 'string')
  );
}
