import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { StoreError } from '../errors/errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { writeNpz } from '../data/npz.ts';
import { codeOf, storeFailure } from './failure.ts';
import { stableJson, stableJsonLine } from './json.ts';
import { MANIFEST_FORMAT, MANIFEST_NAME, readManifest, type RunManifest } from './manifest.ts';

/** How hidden folders of runs under way begin; the number of their process follows. */
export const PARTIAL = '.partial-';

/**
 * A folder that receives the files of one run, all or none: they wait in a hidden folder inside it and move into place by `commit`,
 * each by one rename. Until then an earlier run of the same name stands untouched. Disposing without commit removes the temporaries
 * and every folder that was made for them.
 */
export interface RunFolder extends AsyncDisposable {
  /** Absolute path of the folder. */
  readonly path: string;
  /** Names written so far, sorted. */
  readonly files: readonly string[];
  /** Writes text or bytes. @throws StoreError as every method here */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Writes plain data as JSON with sorted keys; refuses NaN and Infinity. */
  writeJson(name: string, value: unknown): Promise<void>;
  /** Writes named arrays as one NPZ file. */
  writeArrays(name: string, arrays: Readonly<Record<string, Tensor>>): Promise<void>;
  /** Appends one row to a JSONL file. */
  appendRow(name: string, row: unknown): Promise<void>;
  /**
   * Puts all files in place, removes those of the earlier run that this one lacks, and writes `run.json`.
   * @returns the names of all files of the run, sorted, with the manifest
   */
  commit(): Promise<readonly string[]>;
}

/**
 * Opens a run folder for one run; makes it where it does not exist.
 * @param path  new folder, earlier run, or any folder: files that no run wrote are never replaced nor removed
 * @param names  files that the run is going to write; a name that is taken is refused now, before the work, not after it
 * @throws StoreError in one line if the folder cannot be made or written, or a name is taken
 */
export async function createRunFolder(path: string, names: readonly string[] = []): Promise<RunFolder> {
  const target = resolve(path);
  const earlier = await readManifest(target);
  for (const name of names) await assertFree(target, name, earlier);
  let made: string | undefined;
  let staging: string;
  try {
    made = await makeFolders(target);
    staging = await mkdtemp(join(target, `${PARTIAL}${process.pid}-`));
  } catch (cause) {
    throw storeFailure(target, cause);
  }
  return new StagedRunFolder(target, staging, made);
}

class StagedRunFolder implements RunFolder {
  readonly path: string;
  readonly #staging: string;
  /** Topmost folder made for this run; removed again if the run fails. */
  readonly #made: string | undefined;
  readonly #names = new Set<string>();
  readonly #atExit: () => void;
  #open = true;

  constructor(path: string, staging: string, made: string | undefined) {
    this.path = path;
    this.#staging = staging;
    this.#made = made;
    this.#atExit = () => rmSync(staging, { recursive: true, force: true });
    process.once('exit', this.#atExit);
  }

  get files(): readonly string[] {
    return [...this.#names].sort();
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await this.#stage(name, (staged) => writeFile(staged, content, { flush: true }));
  }

  async writeJson(name: string, value: unknown): Promise<void> {
    await this.write(name, `${stableJson(value)}\n`);
  }

  async writeArrays(name: string, arrays: Readonly<Record<string, Tensor>>): Promise<void> {
    await this.write(name, writeNpz(new Map(Object.entries(arrays))));
  }

  async appendRow(name: string, row: unknown): Promise<void> {
    const line = `${stableJsonLine(row)}\n`;
    await this.#stage(name, (staged) => appendFile(staged, line, { flush: true }));
  }

  async commit(): Promise<readonly string[]> {
    this.#assertOpen();
    const files = this.files;
    try {
      const before = (await readManifest(this.path))?.files ?? [];
      const after = await Promise.all(files.map((name) => describe(this.#staging, name)));
      const kept = before.filter((old) => !this.#names.has(old.name));
      // Named before they move: whatever interrupts the renames, the next run knows these files as a run's own.
      await this.#placeManifest({ format: MANIFEST_FORMAT, complete: false, files: [...kept, ...after] });
      for (const name of files) await rename(join(this.#staging, name), join(this.path, name));
      for (const old of kept) if (isFileName(old.name)) await rm(join(this.path, old.name), { force: true });
      await this.#placeManifest({ format: MANIFEST_FORMAT, complete: true, files: after });
      await this.#close();
    } catch (cause) {
      throw storeFailure(this.path, cause);
    }
    return [...files, MANIFEST_NAME].sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    await this.#close();
    if (this.#made !== undefined) await removeEmpty(this.path, dirname(this.#made));
  }

  async #stage(name: string, put: (staged: string) => Promise<void>): Promise<void> {
    this.#assertOpen();
    if (!isFileName(name) || name === MANIFEST_NAME) {
      throw new StoreError(
        this.path,
        `expected a plain file name other than ${MANIFEST_NAME}, got ${JSON.stringify(name)}.`,
      );
    }
    if (!this.#names.has(name)) await assertFree(this.path, name, await readManifest(this.path));
    try {
      await put(join(this.#staging, name));
    } catch (cause) {
      throw storeFailure(join(this.path, name), cause);
    }
    this.#names.add(name);
  }

  async #placeManifest(manifest: RunManifest): Promise<void> {
    const files = [...manifest.files].sort((a, b) => (a.name < b.name ? -1 : 1));
    const staged = join(this.#staging, MANIFEST_NAME);
    await writeFile(staged, `${stableJson({ ...manifest, files })}\n`, { flush: true });
    await rename(staged, join(this.path, MANIFEST_NAME));
  }

  async #close(): Promise<void> {
    this.#open = false;
    await rm(this.#staging, { recursive: true, force: true });
    process.removeListener('exit', this.#atExit);
  }

  #assertOpen(): void {
    if (!this.#open) throw new StoreError(this.path, 'was written to after commit or dispose. Open a new run folder.');
  }
}

/** A name is free if nothing bears it, or a file that an earlier run wrote. */
async function assertFree(folder: string, name: string, earlier: RunManifest | undefined): Promise<void> {
  const path = join(folder, name);
  const found = await stat(path).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw storeFailure(path, cause);
  });
  if (found === undefined || (found.isFile() && earlier?.files.some((f) => f.name === name))) return;
  throw new StoreError(path, 'exists and was not written by a run of Eigenlens. Move it away or choose another --out.');
}

/**
 * Makes a folder and what is missing above it. Node's own recursive mkdir never returns on file systems that refuse by ENOENT (/proc).
 * @returns the topmost folder made, if any
 */
async function makeFolders(path: string): Promise<string | undefined> {
  if (await isFolder(path)) return undefined;
  const above = dirname(path) === path ? undefined : await makeFolders(dirname(path));
  try {
    await mkdir(path);
  } catch (cause) {
    // Another run may have made it meanwhile.
    if (codeOf(cause) === 'EEXIST' && (await isFolder(path))) return above;
    throw cause;
  }
  return above ?? path;
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

async function describe(folder: string, name: string): Promise<RunManifest['files'][number]> {
  const content = await readFile(join(folder, name));
  return { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

/** Removes `folder` and its parents below `stop` as long as they are empty. */
async function removeEmpty(folder: string, stop: string): Promise<void> {
  for (let at = folder; at !== stop && at !== dirname(at); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return; // Somebody else's file came in: the folder is theirs now.
    }
  }
}

function isFileName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name);
}
