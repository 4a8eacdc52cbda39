import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../data/npy.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { runCli } from './program.ts';
import { sweep } from './sweep.ts';

let folder: string;
let points: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-sweep-'));
  points = join(folder, 'points.npy');
  await writeFile(points, writeNpy(normal(randomKey(1), [20, 4])));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `eigenlens sweep` in this process; its workers are others. */
async function run(words: readonly string[], interrupts: EventEmitter = new EventEmitter()): Promise<Ended> {
  const written = { out: '', err: '' };
  const code = await runCli(['sweep', ...words], [sweep], {
    terminal: {
      stdout: { write: (text) => (written.out += text) },
      stderr: { write: (text) => (written.err += text) },
      env: {},
    },
    interrupts,
    exit: () => expect.unreachable('nothing was interrupted twice'),
  });
  return { code, ...written };
}

async function specFile(name: string, spec: unknown): Promise<string> {
  const path = join(folder, `${name}.json`);
  await writeFile(path, typeof spec === 'string' ? spec : JSON.stringify(spec));
  return path;
}

const tiny = (grid: object, base: object = {}): object => ({
  job: 'train',
  name: 'tiny',
  base: { data: points, architecture: 'mlp', channels: [8], depth: 1, batchSize: 4, steps: 3, ...base },
  grid,
});

/** Names of the committed jobs below a folder, with when each ran. */
async function committed(out: string): Promise<Map<string, string>> {
  const done = new Map<string, string>();
  for (const key of await readdir(join(out, 'jobs')).catch(() => [] as string[])) {
    const text = await readFile(join(out, 'jobs', key, 'result.json'), 'utf8').catch(() => undefined);
    const manifest = await readFile(join(out, 'jobs', key, 'run.json'), 'utf8').catch(() => '');
    if (text !== undefined && manifest.includes('"complete": true')) {
      done.set(key, (JSON.parse(text) as { started: string }).started);
    }
  }
  return done;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const rowsOf = async (out: string): Promise<Record<string, unknown>[]> =>
  (await readFile(join(out, 'rows.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('eigenlens sweep', () => {
  it('killed in the middle and started again, loses the jobs in hand alone and does none twice', async () => {
    const spec = await specFile('killed', tiny({ seed: [0, 1, 2, 3, 4, 5] }));
    const out = join(folder, 'killed');
    // In a process of its own, without npx and launcher between, so that the signal hits it.
    const main = [join(import.meta.dirname, 'main.ts'), 'sweep', spec, '--out', out, '--workers', '1'];
    const child = spawn(process.execPath, main, { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    await until(async () => (await committed(out)).size >= 2);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    const kept = await committed(out);
    expect(kept.size).toBeLessThan(6);

    const again = await run([spec, '--out', out, '--workers', '2', '--json', '--quiet']);
    expect(again).toMatchObject({ code: 0, err: '' });
    const { ran, found, total, jobs } = JSON.parse(again.out) as Record<string, number> & { jobs: object[] };
    expect({ ran, found, total }).toEqual({ ran: 6 - kept.size, found: kept.size, total: 6 });
    expect(jobs).toHaveLength(6);
    const all = await committed(out);
    for (const [key, started] of kept) expect(all.get(key)).toBe(started);
    expect((await readdir(out)).sort()).toEqual(['jobs', 'result.json', 'rows.jsonl', 'run.json', 'spec.json']);
    expect((await rowsOf(out)).map(({ seed, step }) => [seed, step]).sort()).toEqual(
      [0, 1, 2, 3, 4, 5].map((s) => [s, 3]),
    );
  });

  it('goes on after a failure with exit 1, tries the failed job again, and a changed spec adds jobs', async () => {
    const late = join(folder, 'late.npy');
    const grid = { data: [points, late] };
    const out = join(folder, 'failed');
    const first = await run([await specFile('failed', tiny(grid)), '--out', out, '--quiet']);
    expect(first.code).toBe(1);
    expect(first.out).toMatch(/failed [0-9a-f]{16}: .*late\.npy.*\ntiny: 1 jobs run, 0 found done, 1 failed\n$/);
    const failures = (await readFile(join(out, 'failures.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(failures.map((line) => JSON.parse(line) as object)).toMatchObject([
      { parameters: { data: late }, code: 'E_DATASET', spec: { data: late } },
    ]);

    await writeFile(late, await readFile(points));
    const changed = await specFile('failed', tiny({ ...grid, depth: [1, 2] }, { depth: undefined }));
    const second = await run([changed, '--out', out, '--quiet', '--json']);
    expect(second.code).toBe(0);
    expect(JSON.parse(second.out)).toMatchObject({ ran: 3, found: 1, total: 4, failed: 0 });
    expect(await readFile(join(out, 'failures.jsonl'), 'utf8')).toBe('');
    const rows = await rowsOf(out);
    expect(rows.map(({ data, depth }) => `${data === late} ${String(depth)}`).sort()).toEqual([
      'false 1',
      'false 2',
      'true 1',
      'true 2',
    ]);
  });

  it('refuses a folder that another sweep works in, and interrupted ends with 130 and keeps what is done', async () => {
    const spec = await specFile('long', tiny({ steps: [3, 1_000_000] }));
    const out = join(folder, 'long');
    const interrupts = new EventEmitter();
    const ended = run([spec, '--out', out, '--workers', '1'], interrupts);
    await until(async () => (await committed(out)).size === 1);
    const other = await run([spec, '--out', out]);
    expect(other).toMatchObject({ code: 2, out: '' });
    expect(other.err).toMatch(new RegExp(`is in use by process ${process.pid}\\. .*\\(E_STORE\\)\n$`));
    interrupts.emit('SIGINT', 'SIGINT');
    const { code, err } = await ended;
    expect(code).toBe(130);
    expect(err).toContain('was interrupted with 1 of 2 jobs done, which are kept.');
    expect((await readdir(out)).sort()).toEqual(['jobs']);
    expect((await committed(out)).size).toBe(1);
  });

  it('--dry-run lists the jobs with their keys and touches nothing', async () => {
    const { code, out } = await run([
      await specFile('dry', tiny({ seed: [0, 1] })),
      '--out',
      join(folder, 'dry'),
      '--dry-run',
    ]);
    expect(code).toBe(0);
    const { jobs, name } = JSON.parse(out) as { name: string; jobs: { key: string; parameters: object }[] };
    expect(name).toBe('tiny');
    expect(jobs.map(({ parameters }) => parameters)).toEqual([{ seed: 0 }, { seed: 1 }]);
    expect(new Set(jobs.map(({ key }) => /^[0-9a-f]{16}$/.test(key) && key)).size).toBe(2);
    expect(await readdir(folder)).not.toContain('dry');
  });

  it.each([
    ['empty', '', 'expected JSON, got an empty file.'],
    ['text', 'size: 16', 'expected JSON: '],
    ['prototype', '{"job": "train", "base": {"__proto__": {"steps": 1}}}', "no field may be called '__proto__'"],
    ['huge', tiny({ seed: Array.from({ length: 400 }, (_, i) => i), steps: Array.from({ length: 400 }, (_, i) => i + 1) }), 'at most 100000 jobs, got 160000.'], // prettier-ignore
    ['typed', tiny({ seed: ['x'] }), '1 of 1 jobs are wrong, so none starts. seed x: '],
  ])('refuses the hostile file %s.json in one line before anything starts', async (name, spec, message) => {
    const out = join(folder, `out-${name}`);
    const ended = await run([await specFile(name, spec), '--out', out]);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err.trimEnd()).not.toContain('\n');
    expect(ended.err).toContain(message);
    expect(ended.err).toMatch(/\(E_SPEC\)\n$/);
    expect(await readdir(folder)).not.toContain(`out-${name}`);
  });

  it('needs --out, a file that is there, whole workers, and takes no seed', async () => {
    const spec = await specFile('plain', tiny({ seed: [0] }));
    const said = async (...words: string[]): Promise<string> => (await run(words)).err;
    expect(await said(spec)).toContain('needs a folder for the results. Add --out DIR.');
    expect(await said(join(folder, 'none.json'))).toContain('expected a JSON file, got nothing.');
    expect(await said(folder)).toContain('expected a JSON file, got a folder.');
    expect(await said(spec, '--workers', '0')).toContain('--workers: expected an integer from 1 to 1024, got 0.');
    expect(await said(spec, '--seed', '1')).toContain('takes no --seed.');
  });
});
