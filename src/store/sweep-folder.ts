import { appendFile, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StoreError } from '../errors/errors.ts';
import type { JobFiles, JobRow } from '../experiments/jobs/job.ts';
import type { JobTimes, SweepFailure, SweepStore } from '../experiments/sweep/run-sweep.ts';
import type { SweepEntry, SweepSpec } from '../experiments/sweep/sweep-spec.ts';
import { codeOf, storeFailure } from './failure.ts';
import { isProcess, lockFolder } from './folder-lock.ts';
import { stableJsonLine } from './json.ts';
import { readManifest } from './manifest.ts';
import { readJson, readJsonLines } from './read-json.ts';
import { createRunFolder, PARTIAL } from './run-folder.ts';

/** What stands in the result.json of one job of a sweep. */
export interface JobRecord extends JobTimes {
  readonly key: string;
  readonly job: string;
  readonly version: string;
  readonly parameters: JobRow;
  /** Rows in rows.jsonl. */
  readonly rows: number;
  /** The last of them. */
  readonly last: JobRow;
}

/** A job that is done, as its folder says. */
export interface StoredJob {
  readonly record: JobRecord;
  readonly rows: readonly JobRow[];
}

/** The folder of a sweep: one run folder a job under jobs/, by key, and failures.jsonl. This process alone writes there. */
export interface SweepFolder extends SweepStore, AsyncDisposable {
  /** Absolute path. */
  readonly path: string;
  /** Every job that is done, those of earlier specs too, by key. @throws StoreError */
  jobs(): AsyncIterable<StoredJob>;
}

const FAILURES = 'failures.jsonl';
const OWN_NAMES = ['spec.json', 'result.json', 'rows.jsonl', 'arrays.npz'] as const;

/**
 * Opens the folder of a sweep, which exists: takes it for this process, removes what processes that are gone left half-written, and
 * forgets earlier failures of the jobs that are about to be tried.
 * @throws StoreError in one line where another sweep runs there, or the disk refuses
 */
export async function openSweepFolder(path: string, spec: SweepSpec): Promise<SweepFolder> {
  const root = resolve(path);
  const lock = await lockFolder(root);
  try {
    await removeHalfWritten(root);
    await forgetFailures(join(root, FAILURES), new Set(spec.jobs.map(({ key }) => key)));
  } catch (cause) {
    await lock[Symbol.asyncDispose]();
    throw storeFailure(root, cause);
  }
  return new LockedSweepFolder(root, spec, lock);
}

class LockedSweepFolder implements SweepFolder {
  readonly path: string;
  readonly #spec: SweepSpec;
  readonly #lock: AsyncDisposable;

  constructor(path: string, spec: SweepSpec, lock: AsyncDisposable) {
    this.path = path;
    this.#spec = spec;
    this.#lock = lock;
  }

  async done(keys: readonly string[]): Promise<ReadonlySet<string>> {
    const there = new Set(await namesIn(join(this.path, 'jobs')));
    const done = new Set<string>();
    for (const key of keys) if (there.has(key) && (await isComplete(this.#folderOf(key)))) done.add(key);
    return done;
  }

  async save({ key, parameters, spec }: SweepEntry, result: JobFiles, times: JobTimes): Promise<void> {
    const { kind, version } = this.#spec;
    const { rows, arrays, files = {} } = result;
    const own = OWN_NAMES.find((name) => Object.hasOwn(files, name));
    if (own !== undefined)
      throw new StoreError(kind, `expected files of other names than the sweep's own, got ${own}.`);
    await using folder = await createRunFolder(this.#folderOf(key));
    const record: JobRecord = {
      key,
      job: kind,
      version,
      parameters,
      rows: rows.length,
      last: rows.at(-1) ?? {},
      ...times,
    };
    for (const [name, content] of Object.entries(files)) await folder.write(name, content);
    if (arrays !== undefined && Object.keys(arrays).length > 0) await folder.writeArrays('arrays.npz', arrays);
    await folder.write('rows.jsonl', rows.map((row) => `${stableJsonLine(row)}\n`).join(''));
    await folder.writeJson('spec.json', { job: kind, ...spec });
    await folder.writeJson('result.json', record);
    await folder.commit();
  }

  async fail(failure: SweepFailure): Promise<void> {
    const path = join(this.path, FAILURES);
    try {
      await appendFile(path, `${stableJsonLine(failure)}\n`, { flush: true });
    } catch (cause) {
      throw storeFailure(path, cause);
    }
  }

  async *jobs(): AsyncIterable<StoredJob> {
    for (const key of (await namesIn(join(this.path, 'jobs'))).sort()) {
      const folder = this.#folderOf(key);
      if (!(await isComplete(folder))) continue;
      const record = (await readJson(join(folder, 'result.json'))) as JobRecord;
      yield { record, rows: (await readJsonLines(join(folder, 'rows.jsonl'))) as JobRow[] };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#lock[Symbol.asyncDispose]());
  }

  #folderOf(key: string): string {
    return join(this.path, 'jobs', key);
  }
}

/** Whether a run was committed and its files are still there, at their sizes. */
async function isComplete(folder: string): Promise<boolean> {
  const manifest = await readManifest(folder);
  if (manifest?.complete !== true) return false;
  for (const { name, bytes } of manifest.files) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.size !== bytes) return false;
  }
  return true;
}

async function removeHalfWritten(root: string): Promise<void> {
  for (const name of await namesIn(root)) {
    const pid = name.startsWith(PARTIAL) ? Number.parseInt(name.slice(PARTIAL.length)) : NaN;
    if (!Number.isNaN(pid) && !isProcess(pid)) await rm(join(root, name), { recursive: true, force: true });
  }
  // Below, only a process that held the lock wrote, and it is gone.
  const jobs = join(root, 'jobs');
  for (const key of await namesIn(jobs)) {
    const folder = join(jobs, key);
    const partial = (await namesIn(folder)).filter((name) => name.startsWith(PARTIAL));
    for (const name of partial) await rm(join(folder, name), { recursive: true, force: true });
    if (partial.length > 0) await rmdir(folder).catch(() => undefined); // it may hold an earlier run
  }
}

async function forgetFailures(path: string, keys: ReadonlySet<string>): Promise<void> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return '';
    throw cause;
  });
  if (text === '') return;
  const kept = text.split('\n').filter((line) => {
    const key = keyOf(line);
    return key !== undefined && !keys.has(key);
  });
  await writeFile(`${path}.partial`, kept.map((line) => `${line}\n`).join(''), { flush: true });
  await rename(`${path}.partial`, path);
}

function keyOf(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { key?: string }).key;
  } catch {
    return undefined; // cut short with the process that wrote it
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return [];
    throw storeFailure(folder, cause);
  }
}
