import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './program.ts';
import { reproduce } from './reproduce.ts';
import { theory } from './theory.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-theory-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(words, [theory, reproduce], {
    terminal: {
      stdout: { write: (text) => (written.out += text) },
      stderr: { write: (text) => (written.err += text) },
      env: {},
    },
    interrupts: new EventEmitter(),
    exit: () => expect.unreachable('nothing was interrupted'),
  });
  return { code, ...written };
}

describe('eigenlens theory', () => {
  it('theory overlap --json has overlapSquared = (1 - gamma / ell^2) / (1 + gamma / ell) = 2 / 3', async () => {
    const { code, out } = await run('theory', 'overlap', '--p', '200', '--n', '1000', '--snr', '1', '--json');
    expect(code).toBe(0);
    const { overlapSquared } = JSON.parse(out) as { overlapSquared: number };
    expect(Math.abs(overlapSquared - 2 / 3)).toBeLessThan(4 * 2 ** -52);
  });

  it('theory boundary --json has the boundary N = d and, with trials, success 0 below and 1 from it', async () => {
    const words = ['theory', 'boundary', '--n', '12', '--d', '3', '--trials', '4', '--json'];
    const { code, out } = await run(...words);
    expect(code).toBe(0);
    const { boundary, monteCarlo } = JSON.parse(out) as {
      boundary: number;
      monteCarlo: { count: number; success: number }[];
    };
    expect(boundary).toBe(3);
    for (const { count, success } of monteCarlo) expect(success).toBe(count < 3 ? 0 : 1);
  });

  it('theory without a name lists the topics; --out writes their figures as SVG', async () => {
    expect((await run('theory')).out).toMatch(/overlap[^]*source: Paul 2007; .*2410\.14730\n[^]*boundary/);
    const target = join(folder, 'overlap');
    const { code } = await run('theory', 'overlap', '--p', '20', '--n', '50', '--snr', '2', '--out', target);
    expect(code).toBe(0);
    const svg = (await readdir(target)).find((name) => name.endsWith('.svg'));
    expect(await readFile(join(target, svg ?? ''), 'utf8')).toMatch(/^<svg xmlns/);
  });

  it('theory refuses unknown names, flags of other topics and values outside the domain in one line, exit 2', async () => {
    const wrong = [
      [['theory', 'overlop'], /Did you mean 'overlap'/],
      [['theory', 'overlap', '--threshold', '1'], /does not take --threshold. It takes --p/],
      [['theory', 'linear-reverse', '--d', '1'], /does not take --d\. .*--sigma-max/],
      [['theory', 'overlap', '--n', '10'], /needs --p \(dimension of the data\), --snr/],
      [['theory', 'overlap', '--p', '0', '--n', '10', '--snr', '1'], /./],
    ] as const;
    for (const [words, message] of wrong) {
      const { code, err } = await run(...words);
      expect(code).toBe(2);
      expect(err).toMatch(message);
      expect(err.trim().split('\n')).toHaveLength(1);
    }
  });
});

describe('eigenlens reproduce', () => {
  it('reproduce NAME --tiny --json has every claim with what was expected and measured', async () => {
    const { code, out } = await run('reproduce', 'telescoping', '--tiny', '--json', '--quiet');
    expect(code).toBe(0);
    const { failed, reproductions } = JSON.parse(out) as {
      failed: number;
      reproductions: { name: string; claims: { measured: number; low: number; high: number; pass: boolean }[] }[];
    };
    expect(failed).toBe(0);
    expect(reproductions[0]?.claims.length).toBeGreaterThan(0);
    for (const { measured, low, high, pass } of reproductions[0]?.claims ?? []) {
      expect(pass).toBe(measured >= low && measured <= high);
    }
  });

  it('reproduce --list names them, and a wrong name is refused with the nearest', async () => {
    expect((await run('reproduce', '--list')).out).toMatch(/overlap-table/);
    expect(await run('reproduce', 'telescopping')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/'telescoping'/) as unknown,
    });
    expect((await run('reproduce')).code).toBe(2);
  });

  it('reproduce NAME of hours asks for a folder in which to keep what it has done', async () => {
    const { code, err } = await run('reproduce', 'memorization-curve');
    expect(code).toBe(2);
    expect(err).toMatch(/takes hours.*--out DIR/);
  });

  it('reproduce keeps the jobs of a sweep in its folder and does none again', async () => {
    const out = join(folder, 'kept');
    const { keptSweep } = await import('./kept-sweep.ts');
    const input = {
      job: 'train',
      base: { data: 'molrg:n=4,d=1:8', architecture: 'mlp', channels: [8], depth: 1, batchSize: 4 },
      cases: [{ steps: 1 }, { steps: 2 }],
    };
    await mkdir(out);
    const first = await keptSweep(out)(input, {});
    expect(first.map(({ rows }) => rows.at(-1)?.['step'])).toEqual([1, 2]);
    const done: number[] = [];
    const again = await keptSweep(out)(input, { onProgress: (count) => done.push(count) });
    expect(again).toEqual(first);
    expect(Math.min(...done)).toBe(2);
  });
});
