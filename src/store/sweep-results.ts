import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseNpz } from '../data/npz.ts';
import type { JobFiles, JobRow } from '../experiments/jobs/job.ts';
import { codeOf, storeFailure } from './failure.ts';

/**
 * What a finished job of a sweep left, less its other files.
 * @param sweep  folder of the sweep
 * @param key  of the job
 * @throws StoreError for a job that is not there; DatasetError for arrays that are damaged
 */
export async function readJobResult(sweep: string, key: string): Promise<JobFiles> {
  const folder = join(sweep, 'jobs', key);
  const read = async (name: string): Promise<Buffer | undefined> => {
    try {
      return await readFile(join(folder, name));
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT' && name === 'arrays.npz') return undefined;
      throw storeFailure(join(folder, name), cause);
    }
  };
  const text = (await read('rows.jsonl'))?.toString('utf8') ?? '';
  const rows = text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as JobRow); // prettier-ignore
  const arrays = await read('arrays.npz');
  return { rows, ...(arrays && { arrays: Object.fromEntries(parseNpz(join(folder, 'arrays.npz'), arrays)) }) };
}
