import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SweepSpec } from '../../experiments/sweep/sweep-spec.ts';
import { createRunFolder } from '../../store/run-folder.ts';
import { openSweepFolder } from '../../store/sweep-folder.ts';
import { runCli } from '../program.ts';
import { sizeText } from './numbers.ts';
import { runs } from './runs.ts';

let folder: string;
const at = (...path: string[]): string => join(folder, ...path);

const entries = [16, 64].map((size) => ({
  key: `key${size}`,
  parameters: { size },
  spec: { data: `d:${size}`, steps: 3 },
}));
const spec: SweepSpec = { job: 'sweep', name: 'sizes', kind: 'train', version: '1', jobs: entries };

/** A run as the skeleton of the command line writes it. */
async function writeRun(path: string, said: object, result: object, rows?: string): Promise<void> {
  await using run = await createRunFolder(path);
  await run.writeJson('spec.json', said);
  await run.writeJson('result.json', result);
  if (rows !== undefined) await run.write('rows.jsonl', rows);
  await run.commit();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-runs-'));
  await writeRun(at('a'), { job: 'audit', samples: 8, seed: 0 }, { rate: 0.25, spec: { samples: 8 }, wallMs: 3 });
  await writeRun(
    at('deep', 'b'),
    { job: 'audit', samples: 16, seed: 0 },
    { rate: 0.5, more: { gap: 2 }, list: [1, 2] },
  );
  const store = await openSweepFolder((await mkdir(at('s'), { recursive: true })) as string, spec);
  const times = { started: '2026-01-02T03:04:05.000Z', wallMs: 1500 };
  for (const entry of entries) {
    const { size } = entry.parameters;
    await store.save(
      entry,
      {
        rows: [
          { step: 1, loss: 1 },
          { step: 2, loss: 1 / size },
        ],
      },
      times,
    );
  }
  await store[Symbol.asyncDispose]();
  // Damaged in three ways, and a folder that is no run.
  await writeRun(at('cut'), { job: 'audit' }, { rate: 1 });
  await writeFile(at('cut', 'result.json'), '{');
  await writeRun(at('lost'), { job: 'audit' }, { rate: 1 });
  await rm(at('lost', 'spec.json'));
  await writeRun(at('odd'), { job: 'audit' }, { rate: 1 });
  await writeFile(at('odd', 'run.json'), 'no manifest');
  await writeRun(at('torn'), { job: 'audit' }, { rate: 1 }, '{"x": 1}\n{"x"\n');
  await mkdir(at('empty'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(['runs', ...words], [runs], {
    terminal: {
      stdout: { write: (text) => (written.out += text), isTTY: true, columns: 200 },
      stderr: { write: (text) => (written.err += text) },
      env: { NO_COLOR: '1' },
    },
    interrupts: new EventEmitter(),
    exit: () => expect.unreachable('nothing was interrupted'),
  });
  return { code, ...written };
}

const json = async (...words: string[]): Promise<Record<string, Record<string, unknown>[]>> =>
  JSON.parse((await run(...words, '--json')).out) as Record<string, Record<string, unknown>[]>;

describe('eigenlens runs ls', () => {
  it('lists every run below a folder, a sweep as one line, and names what is damaged', async () => {
    const { runs: lines, skipped } = await json('ls', folder);
    expect(lines?.map(({ path, job, jobs }) => [path, job, jobs])).toEqual([
      [at('a'), 'audit', undefined],
      [at('deep', 'b'), 'audit', undefined],
      [at('s'), 'sweep', 2],
      [at('torn'), 'audit', undefined],
    ]);
    expect(lines?.[1]?.numbers).toEqual({ rate: 0.5, 'more.gap': 2 });
    expect(skipped?.map(({ path }) => path)).toEqual([at('cut'), at('lost'), at('odd')]);
    const { code, out } = await run('ls', folder);
    expect(code).toBe(0);
    expect(out).toMatch(/s +sweep of train +2026-01-02 \d\d:\d\d .*2 jobs done/);
    expect(out).toContain(`skipped ${at('cut')}: expected result.json of `);
  });

  it('lists the jobs of sweeps with --jobs, and says where there is nothing', async () => {
    const { runs: lines } = await json('ls', at('s'), '--jobs');
    expect(lines?.map(({ key, numbers }) => [key, numbers])).toEqual([
      ['key16', { step: 2, loss: 1 / 16 }],
      ['key64', { step: 2, loss: 1 / 64 }],
    ]);
    expect((await run('ls', at('empty'))).out).toContain('no runs below');
    expect(await run('ls', at('nowhere'))).toMatchObject({ code: 2, out: '' });
  });
});

describe('eigenlens runs with sweeps of little luck', () => {
  it('takes a path with a slash behind it, a sweep without jobs that are done, and a job that began at no time', async () => {
    const other = await mkdtemp(join(tmpdir(), 'eigenlens-runs-'));
    await writeRun(other, { job: 'sweep', name: 'luckless' }, {});
    const { code, out } = await run('show', other);
    expect(code).toBe(0);
    expect(out).toMatch(/name +luckless\n/);
    const job = { key: 'k', parameters: { size: 4 }, last: {}, started: 'yesterday' };
    await writeRun(join(other, 'jobs', 'k'), { job: 'train' }, job);
    expect((await json('ls', `${other}/`)).runs?.map(({ path, jobs }) => [path, jobs])).toEqual([[other, 1]]);
    expect((await json('sql', 'SELECT count(started) AS times FROM runs', other)).rows).toEqual([{ times: 2 }]);
    await rm(other, { recursive: true });
  });
});

describe('sizeText()', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1234, '1.2 kB'],
    [99_700, '100 kB'],
    [5_000_000, '5.0 MB'],
  ])('writes %d bytes as people read them', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});

describe('eigenlens runs show', () => {
  it('shows spec, numbers and files of a run, and refuses a folder that is none', async () => {
    const { out } = await run('show', at('a'));
    expect(out).toMatch(/spec\n(.*\n)* +samples +8\n/);
    expect(out).toMatch(/numbers\n +rate +0\.25\n/);
    expect(out).toContain('result.json');
    const job = await run('show', at('s', 'jobs', 'key64'));
    expect(job.out).toMatch(/loss +0\.015625/);
    const { code, err } = await run('show', at('empty'));
    expect(code).toBe(2);
    expect(err).toContain('expected a run folder, it has no run.json. (E_STORE)');
  });
});

describe('eigenlens runs compare', () => {
  it('lays side by side the spec fields and numbers that differ', async () => {
    const value = await json('compare', at('a'), at('deep', 'b'));
    expect(value).toEqual({
      runs: [at('a'), at('deep', 'b')],
      spec: [{ name: 'samples', values: ['8', '16'] }],
      numbers: [
        { name: 'rate', values: [0.25, 0.5] },
        { name: 'more.gap', values: [null, 2] },
      ],
    });
    const { out } = await run('compare', at('a'), at('deep', 'b'));
    expect(out).toMatch(/spec +A +B\nsamples +8 +16\n2 fields are alike/);
    expect((await run('compare', at('a'))).err).toContain('expected two or more runs, got 1.');
  });
});

describe('eigenlens runs sql', () => {
  it('asks the rows of all runs, with what sets the jobs of a sweep apart', async () => {
    const { rows, skipped } = await json(
      'sql',
      'SELECT size, min(loss) AS best FROM rows GROUP BY size ORDER BY size',
      folder,
    );
    expect(rows).toEqual([
      { size: 16, best: 1 / 16 },
      { size: 64, best: 1 / 64 },
    ]);
    expect(skipped?.map(({ path }) => path)).toEqual([at('cut'), at('lost'), at('odd'), at('torn')]);
    const { rows: found } = await json(
      'sql',
      "SELECT job, wall_s, started, spec->>'$.data' AS d FROM runs WHERE sweep IS NOT NULL ORDER BY d",
      folder,
    );
    expect(found?.[0]).toEqual({ job: 'train', wall_s: 1.5, started: '2026-01-02T03:04:05.000Z', d: 'd:16' });
  });

  it('prints a table, and refuses wrong SQL in one line', async () => {
    const { out } = await run('sql', 'SELECT 1.5 AS half, 2 AS two', at('s'));
    expect(out).toBe('half  two\n 1.5    2\n1 row\n');
    const { code, err } = await run('sql', 'SELECT wrong FROM runs', at('s'));
    expect(code).toBe(2);
    expect(err).toMatch(/^error: sql: [^\n]*"wrong" not found[^\n]*\(E_SPEC\)\n$/);
  });
});
