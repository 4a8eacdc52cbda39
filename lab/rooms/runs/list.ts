import { z } from 'zod';

import { DatasetError } from '../../../src/errors/errors.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import type { Operation } from '../../compute/protocol.ts';
import type { RunRow } from './row.ts';

/** What is asked for. */
export interface ListInput {
  /** Address of `/api/runs`. */
  readonly api: string;
  readonly dropped: readonly DroppedFile[];
}

/** Every run that can be shown. */
export interface RunList {
  /** Folder of this machine's runs as the server names it; undefined without a server. */
  readonly folder: string | undefined;
  readonly runs: readonly RunRow[];
  /** Folders that look like runs and cannot be read as ones. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

const MANIFEST = 'run.json';

const listing = z.object({
  folder: z.string(),
  runs: z.array(
    z.object({
      path: z.string(),
      sweep: z.string().optional(),
      job: z.string(),
      name: z.string().optional(),
      when: z.string(),
      wallMs: z.number().optional(),
      files: z.array(z.object({ name: z.string() })),
      bytes: z.number(),
    }),
  ),
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
});

const manifest = z.object({
  format: z.literal('eigenlens-run/1'),
  complete: z.boolean(),
  files: z.array(z.object({ name: z.string(), bytes: z.number() })),
});

const spec = z.looseObject({ job: z.string().optional(), command: z.string().optional(), name: z.string().optional() });
const outcome = z.looseObject({
  started: z.string().optional(),
  startedAt: z.string().optional(),
  wallMs: z.number().optional(),
});

/**
 * Lists the runs of the server's folder, where there is a server, and those that were dropped.
 * @throws DatasetError where the server cannot read its folder
 */
export const listRuns: Operation<ListInput, RunList> = async ({ api, dropped }, { signal }) => {
  const served = await askServer(api, signal);
  const { runs, skipped } = await readDropped(dropped);
  return {
    folder: served?.folder,
    runs: [...(served?.runs ?? []).map(rowOf), ...runs],
    skipped: [...(served?.skipped ?? []), ...skipped],
  };
};

/** @returns undefined where no server of the lab answers: a plain host of files hands out lab/public/api/runs, which says null */
async function askServer(api: string, signal: AbortSignal): Promise<z.infer<typeof listing> | undefined> {
  const response = await fetch(api, { signal }).catch(() => undefined);
  if (response?.status === 500) throw new DatasetError('runs', await response.text());
  if (response?.ok !== true) return undefined;
  // Hosts that leave that file out may answer with their start page.
  return listing.safeParse(parsed(await response.text())).data;
}

function rowOf({ files, ...run }: z.infer<typeof listing>['runs'][number]): RunRow {
  return { ...run, isDropped: false, files: files.map(({ name }) => name) };
}

/** Every folder among the dropped files that has a manifest, as one run. */
async function readDropped(dropped: readonly DroppedFile[]): Promise<Pick<RunList, 'runs' | 'skipped'>> {
  const files = new Map(dropped.map(({ path, file }) => [path, file]));
  const found = dropped.filter(({ path }) => path === MANIFEST || path.endsWith(`/${MANIFEST}`));
  if (dropped.length > 0 && found.length === 0) {
    throw new DatasetError(
      'the dropped folder',
      `expected the folder of a run, which holds a ${MANIFEST}, got ${dropped.length} files without one. Drop a folder that eigenlens wrote with --out.`,
    );
  }
  const runs: RunRow[] = [];
  const skipped: { path: string; reason: string }[] = [];
  for (const { path } of found) {
    const folder = path === MANIFEST ? '' : path.slice(0, -MANIFEST.length - 1);
    const run = await rowOfFiles(folder, files);
    if (typeof run === 'string') skipped.push({ path: folder, reason: run });
    else runs.push(run);
  }
  return { runs, skipped };
}

/** @returns what is wrong with a run that cannot be read, in words */
async function rowOfFiles(folder: string, files: ReadonlyMap<string, File>): Promise<RunRow | string> {
  const at = (name: string): File | undefined => files.get(folder === '' ? name : `${folder}/${name}`);
  const read = async <T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    const said = schema.safeParse(parsed((await at(name)?.text()) ?? '{}'));
    return said.success ? said.data : undefined;
  };
  const manifested = await read(MANIFEST, manifest);
  if (manifested === undefined) return `expected a manifest of format eigenlens-run/1 in ${MANIFEST}.`;
  if (!manifested.complete) return 'was interrupted while its files were put in place. Run it again.';
  const absent = manifested.files.find(({ name, bytes }) => at(name)?.size !== bytes);
  if (absent !== undefined) {
    return `expected ${absent.name} of ${absent.bytes} bytes, got ${at(absent.name)?.size ?? 'none'}. Drop the whole folder.`;
  }
  const [said, result] = [await read('spec.json', spec), await read('result.json', outcome)];
  const names = manifested.files.map(({ name }) => name);
  const began = new Date(result?.started ?? result?.startedAt ?? NaN);
  const isTraining = names.includes('model.safetensors');
  return {
    path: folder,
    isDropped: true,
    job: said?.job ?? said?.command ?? (isTraining ? 'train' : 'run'),
    name: said?.name,
    when: (Number.isNaN(began.getTime()) ? new Date(at(MANIFEST)?.lastModified ?? 0) : began).toISOString(),
    wallMs: result?.wallMs,
    files: names,
    bytes: manifested.files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** JSON, or undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
