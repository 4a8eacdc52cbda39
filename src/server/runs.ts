import { realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

import { listRuns } from '../store/run-list.ts';
import type { SkippedRun, StoredRun } from '../store/run-list.ts';
import { MANIFEST_NAME, readManifest } from '../store/manifest.ts';
import { openInside } from './open-inside.ts';
import type { OpenFile } from './open-inside.ts';

/** A run as the lab lists it: its spec and result are files of it. Paths lead from the folder of runs, with `/`, empty for itself. */
export type ListedRun = Omit<StoredRun, 'spec' | 'result'>;

/** What `/api/runs` answers. */
export interface RunListing {
  /** The folder, as the user said it. */
  readonly folder: string;
  readonly runs: readonly ListedRun[];
  readonly skipped: readonly SkippedRun[];
}

/** Runs below a folder; none where there is no such folder yet. @throws StoreError where it cannot be read */
export async function listing(folder: string): Promise<RunListing> {
  const root = await realpath(folder).catch(() => undefined);
  if (root === undefined) return { folder, runs: [], skipped: [] };
  const { runs, skipped } = await listRuns(root);
  const inside = (path: string): string => relative(root, path).split(sep).join('/');
  return {
    folder,
    runs: runs.map((run) => listed(run, inside)),
    skipped: skipped.map(({ path, reason }) => ({ path: inside(path), reason })),
  };
}

/**
 * Opens a file of a run, which its manifest must name.
 * @param parts  of the run's path, then the file's name
 * @returns undefined where there is none
 */
export async function openRunFile(folder: string, parts: readonly string[]): Promise<OpenFile | undefined> {
  const name = parts.at(-1);
  const manifest = await readManifest(join(folder, ...parts.slice(0, -1))).catch(() => undefined);
  const isNamed = name === MANIFEST_NAME || manifest?.files.some((file) => file.name === name);
  return manifest !== undefined && isNamed ? openInside(folder, parts) : undefined;
}

function listed(run: StoredRun, inside: (path: string) => string): ListedRun {
  const { path, sweep, job, name, key, parameters, last, when, wallMs, files, bytes } = run;
  const place = { path: inside(path), sweep: sweep === undefined ? undefined : inside(sweep) };
  return { ...place, job, name, key, parameters, last, when, wallMs, files, bytes };
}
