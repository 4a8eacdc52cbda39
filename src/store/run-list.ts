import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LabError, StoreError } from '../errors/errors.ts';
import type { JobRow } from '../experiments/jobs/job.ts';
import { storeFailure } from './failure.ts';
import { MANIFEST_NAME, readManifest } from './manifest.ts';
import type { RunManifest } from './manifest.ts';
import { readJson, readJsonLines } from './read-json.ts';

/** One run folder, as it says of itself. */
export interface StoredRun {
  /** As it was reached. */
  readonly path: string;
  /** Kind of run: the command, or the kind of a sweep's jobs. */
  readonly job: string;
  /** What its spec calls it. */
  readonly name?: string | undefined;
  /** Folder of the sweep that it is a job of. */
  readonly sweep?: string | undefined;
  /** Of a job of a sweep. */
  readonly key?: string | undefined;
  /** What sets a job of a sweep apart. */
  readonly parameters: JobRow;
  /** Last row of a job of a sweep. */
  readonly last: JobRow;
  /** ISO 8601: when it began where it says so, else when its files were put in place. */
  readonly when: string;
  readonly wallMs?: number | undefined;
  readonly files: RunManifest['files'];
  /** Of all files. */
  readonly bytes: number;
  readonly spec: Fields;
  readonly result: Fields;
}

/** A JSON object of a run. */
export type Fields = Readonly<Record<string, unknown>>;

/** A folder that looks like a run and cannot be read as one. */
export interface SkippedRun {
  readonly path: string;
  readonly reason: string;
}

/** What lies below a folder. */
export interface RunList {
  /** Sorted by path. */
  readonly runs: readonly StoredRun[];
  readonly skipped: readonly SkippedRun[];
}

/** Folders deeper than this are nobody's runs. */
const DEPTH = 8;

/**
 * Every run folder at or below `folder`; hidden folders and links are not followed, damaged runs are skipped with a reason.
 * @throws StoreError where the folder itself cannot be read
 */
export async function listRuns(folder: string): Promise<RunList> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw storeFailure(folder, cause);
  });
  if (!found.isDirectory()) throw new StoreError(folder, 'expected a folder of runs, got a file.');
  const runs: StoredRun[] = [];
  const skipped: SkippedRun[] = [];
  // As the paths below it will begin: `./runs/` is `runs`.
  await collect(join(folder, '.'), DEPTH, runs, skipped);
  const byPath = (a: { path: string }, b: { path: string }): number => (a.path < b.path ? -1 : 1);
  return { runs: runs.sort(byPath), skipped: skipped.sort(byPath) };
}

/** The run that a folder is. @throws StoreError in one line where it is none, or a damaged one */
export async function readRun(path: string): Promise<StoredRun> {
  const manifest = await readManifest(path);
  if (manifest === undefined) throw new StoreError(path, `expected a run folder, it has no ${MANIFEST_NAME}.`);
  if (!manifest.complete)
    throw new StoreError(path, 'was interrupted while its files were put in place. Run it again.');
  for (const { name, bytes } of manifest.files) {
    const size = (await stat(join(path, name)).catch(() => undefined))?.size;
    if (size === bytes) continue;
    throw new StoreError(path, `expected ${name} of ${bytes} bytes, got ${size ?? 'none'}. Run it again.`);
  }
  const read = async (name: string): Promise<Fields> =>
    manifest.files.some((file) => file.name === name)
      ? fieldsOf(join(path, name), await readJson(join(path, name)))
      : {};
  const [spec, result] = [await read('spec.json'), await read('result.json')];
  const { mtime } = await stat(join(path, MANIFEST_NAME));
  const { key, started, wallMs, parameters } = result;
  const began = new Date(textOf(started) ?? NaN);
  const isJob = typeof key === 'string' && typeof parameters === 'object' && parameters !== null;
  return {
    path,
    job: jobOf(spec, manifest),
    name: textOf(spec.name),
    ...(isJob && { sweep: dirname(dirname(path)), key }),
    parameters: isJob ? (parameters as JobRow) : {},
    last: isJob ? ((result.last ?? (await readJsonLines(join(path, 'rows.jsonl'))).at(-1) ?? {}) as JobRow) : {},
    when: (Number.isNaN(began.getTime()) ? mtime : began).toISOString(),
    wallMs: typeof wallMs === 'number' ? wallMs : undefined,
    files: manifest.files,
    bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
    spec,
    result,
  };
}

async function collect(folder: string, depth: number, runs: StoredRun[], skipped: SkippedRun[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    skipped.push({ path: folder, reason: storeFailure(folder, cause).message });
    return [];
  });
  if (entries.some(({ name }) => name === MANIFEST_NAME)) {
    try {
      runs.push(await readRun(folder));
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      skipped.push({ path: folder, reason: error.message.slice(`${error.where}: `.length) });
    }
  }
  if (depth === 0) return;
  for (const entry of entries) {
    if (entry.isDirectory() && !entry.name.startsWith('.'))
      await collect(join(folder, entry.name), depth - 1, runs, skipped);
  }
}

/** Specs name their job in several ways; a training's names none, but leaves a model. */
function jobOf(spec: Fields, { files }: RunManifest): string {
  const said = textOf(spec.job) ?? textOf(spec.command);
  if (said !== undefined) return said;
  return files.some(({ name }) => name === 'model.safetensors') ? 'train' : 'run';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function fieldsOf(path: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new StoreError(path, 'expected a JSON object, got something else. Run it again.');
}
