import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseNpz } from '../data/npz.ts';
import type { JobFiles } from '../experiments/jobs/job.ts';
import type { SweepEntry, SweepSpec } from '../experiments/sweep/sweep-spec.ts';
import { tensor } from '../tensor/tensor.ts';
import { openSweepFolder } from './sweep-folder.ts';
import type { StoredJob } from './sweep-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-sweep-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const entries: SweepEntry[] = ['aa', 'bb', 'cc'].map((key, n) => ({ key, parameters: { n }, spec: { n } }));
const [first, second, third] = entries as [SweepEntry, SweepEntry, SweepEntry];
const spec: SweepSpec = { job: 'sweep', name: 's', kind: 'train', version: '1', jobs: entries };
const times = { started: '2026-01-01T00:00:00.000Z', wallMs: 5 };
const result: JobFiles = {
  rows: [
    { step: 1, loss: 0.5 },
    { step: 2, loss: null },
  ],
  files: { 'model.json': '{}' },
};
const text = (...path: string[]): Promise<string> => readFile(join(folder, ...path), 'utf8');

async function listed(jobs: AsyncIterable<StoredJob>): Promise<StoredJob[]> {
  const all: StoredJob[] = [];
  for await (const job of jobs) all.push(job);
  return all;
}

describe('openSweepFolder()', () => {
  it('save() commits one run folder a job, which done() and jobs() find again', async () => {
    await using store = await openSweepFolder(folder, spec);
    const arrays = { x: tensor('float64', [2], Float64Array.of(1, 2)) };
    await store.save(second, { ...result, arrays }, times);
    const files = ['arrays.npz', 'model.json', 'result.json', 'rows.jsonl', 'run.json', 'spec.json'];
    expect((await readdir(join(folder, 'jobs', 'bb'))).sort()).toEqual(files);
    expect(JSON.parse(await text('jobs', 'bb', 'spec.json'))).toEqual({ job: 'train', n: 1 });
    expect(await text('jobs', 'bb', 'rows.jsonl')).toBe('{"loss":0.5,"step":1}\n{"loss":null,"step":2}\n');
    const npz = new Uint8Array(await readFile(join(folder, 'jobs', 'bb', 'arrays.npz')));
    expect(parseNpz('arrays.npz', npz).get('x')?.data).toEqual(Float64Array.of(1, 2));
    expect(await store.done(['aa', 'bb', 'cc'])).toEqual(new Set(['bb']));
    const record = { key: 'bb', job: 'train', version: '1', parameters: { n: 1 }, ...times };
    expect(await listed(store.jobs())).toEqual([
      { record: { ...record, rows: 2, last: { step: 2, loss: null } }, rows: result.rows },
    ]);
  });

  it('done() leaves out a job that lacks a file, has one cut short, or was never committed', async () => {
    await using store = await openSweepFolder(folder, spec);
    for (const entry of entries) await store.save(entry, result, times);
    await rm(join(folder, 'jobs', 'aa', 'model.json'));
    await writeFile(join(folder, 'jobs', 'bb', 'rows.jsonl'), '{"st');
    const manifest = await text('jobs', 'cc', 'run.json');
    await writeFile(join(folder, 'jobs', 'cc', 'run.json'), manifest.replace('"complete": true', '"complete": false'));
    expect(await store.done(['aa', 'bb', 'cc'])).toEqual(new Set());
    for (const entry of entries) await store.save(entry, result, times);
    expect((await store.done(['aa', 'bb', 'cc'])).size).toBe(3);
    await writeFile(join(folder, 'jobs', 'aa', 'run.json'), 'no manifest');
    await expect(store.done(['aa'])).rejects.toThrow(/run\.json: expected a manifest/);
  });

  it('save() refuses NaN, names of its own and names that are paths, and leaves nothing', async () => {
    await using store = await openSweepFolder(folder, spec);
    const save = (files: JobFiles): Promise<void> => store.save(first, files, times);
    await expect(save({ rows: [{ loss: NaN }] })).rejects.toThrow('got NaN at $.loss');
    await expect(save({ rows: [], files: { 'spec.json': '' } })).rejects.toThrow("other names than the sweep's own");
    await expect(save({ rows: [], files: { '../x': '' } })).rejects.toThrow('expected a plain file name');
    expect(await readdir(join(folder, 'jobs')).catch(() => [])).toEqual([]);
  });

  it('removes what dead processes left half-written, and nothing else', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const left = [`.partial-${dead}-abc`, 'jobs/aa/.partial-1-abc', 'jobs/bb/.partial-xyz'];
    for (const path of left) await mkdir(join(folder, path), { recursive: true });
    await mkdir(join(folder, `.partial-${process.pid}-abc`));
    await writeFile(join(folder, 'jobs', 'bb', 'mine.txt'), 'x');
    await (await openSweepFolder(folder, spec))[Symbol.asyncDispose]();
    const names = await readdir(folder, { recursive: true });
    expect(names.sort()).toEqual([`.partial-${process.pid}-abc`, 'jobs', 'jobs/bb', 'jobs/bb/mine.txt']);
  });

  it('fail() adds a line, which stays until its job is tried again', async () => {
    {
      await using store = await openSweepFolder(folder, spec);
      await store.fail({ ...first, message: 'train: no.', code: 'E_DOMAIN' });
      await store.fail({ ...third, message: 'odd' });
    }
    await writeFile(join(folder, 'failures.jsonl'), `${await text('failures.jsonl')}{"key":"cut sho`);
    const failure = { ...first, message: 'train: no.', code: 'E_DOMAIN' };
    await (await openSweepFolder(folder, { ...spec, jobs: [second, third] }))[Symbol.asyncDispose]();
    expect((await text('failures.jsonl')).split('\n').map((line) => line && (JSON.parse(line) as object))).toEqual([
      failure,
      '',
    ]);
  });
});
