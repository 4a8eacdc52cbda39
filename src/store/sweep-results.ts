import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseNpz } from '../data/npz.ts';
import type { JobFiles, JobRow } from '../experiments/jobs/job.ts';
import { codeOf, storeFailure } from './failure.ts';
import { readJsonLines } from './read-json.ts';

/**
 * What a finished job of a sweep left, less its other files.
 * @param sweep  folder of the sweep
 * @param key  of the job
 * @throws StoreError for a job that is not there or whose rows are damaged; DatasetError for arrays that are damaged
 */
export async function readJobResult(sweep: string, key: string): Promise<JobFiles> {
  const folder = join(sweep, 'jobs', key);
  const rows = (await readJsonLines(join(folder, 'rows.jsonl'))) as JobRow[];
  const path = join(folder, 'arrays.npz');
  const arrays = await readFile(path).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw storeFailure(path, cause);
  });
  return { rows, ...(arrays && { arrays: Object.fromEntries(parseNpz(path, arrays)) }) };
}
