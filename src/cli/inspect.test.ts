import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeNpy } from '../data/npy.ts';
import { parseNpz } from '../data/npz.ts';
import type { InspectResult } from '../experiments/inspect-result.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { inspect } from './inspect.ts';
import { runCli } from './program.ts';

const launcher = fileURLToPath(new URL('../../bin/eigenlens.js', import.meta.url));
const molrg = 'molrg:n=48,K=2,d=6';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-inspect-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(...words: string[]): Promise<Ended> {
  const written = { out: '', err: '' };
  const code = await runCli(['inspect', ...words], [inspect], {
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

/** Runs the launcher as a user's shell does; `onError` sees the process and what it wrote to standard error so far. */
function launch(words: string[], onError: (kill: () => void, err: string) => void = () => undefined): Promise<Ended> {
  const child = spawn(process.execPath, [launcher, 'inspect', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => {
    err += bytes.toString();
    onError(() => child.kill('SIGINT'), err);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe('eigenlens inspect', () => {
  it('inspect --json reads the rank plateaus of the mixture: 0.125 up to sigma 0.1, 0.25 from 3, between them at 1', async () => {
    const { code, out } = await run(molrg, '--json', '--images', '20', '--sigmas', '0.002,0.1,1,10,80', '--quiet');
    expect(code).toBe(0);
    const result = JSON.parse(out) as InspectResult;
    const held = result.rankCurve.filter((r) => r.site === 'heldout' && r.rule === 'sqrt-energy-0.99');
    const ratios = (sigma: number): number[] => held.filter((r) => r.sigma === sigma).map((r) => r.ratio);
    for (const sigma of [0.002, 0.1]) expect(new Set(ratios(sigma))).toEqual(new Set([0.125]));
    for (const sigma of [10, 80]) expect(new Set(ratios(sigma))).toEqual(new Set([0.25]));
    const mixed = ratios(1).reduce((a, b) => a + b, 0) / 20;
    expect(mixed > 0.125 && mixed < 0.25).toBe(true);
  });

  it('inspect --out writes table, JSON, arrays and report of one run', async () => {
    const out = join(folder, 'a run');
    const table = await run(molrg, '--out', out, '--samples', '8', '--seed', '3');
    expect(table.code).toBe(0);
    const names = ['arrays.npz', 'report.html', 'result.json', 'run.json', 'spec.json'];
    expect((await readdir(out)).sort()).toEqual(names);

    const result = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as InspectResult;
    expect(result.files).toEqual(names);
    expect(result).toMatchObject({
      model: molrg,
      seed: 3,
      dimension: 48,
      command: expect.stringContaining('--seed 3') as string,
    });
    expect(result.sigmas).toHaveLength(12);
    for (const row of result.triplets) expect(row).toMatchObject({ status: 'converged' });
    for (const key of ['linearity', 'symmetryDefect', 'rankCurve'] as const)
      expect(result[key].length).toBeGreaterThan(0);

    const arrays = parseNpz('arrays.npz', new Uint8Array(await readFile(join(out, 'arrays.npz'))));
    expect(arrays.get('spectra_heldout')?.shape).toEqual([12, 1, 48]);
    expect(arrays.get('samples')?.shape).toEqual([8, 48]);
    const spec = JSON.parse(await readFile(join(out, 'spec.json'), 'utf8')) as object;
    expect(spec).toMatchObject({ job: 'inspect', model: molrg, seed: 3, sigmas: result.sigmas });
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain(molrg);
  });

  it('inspect prints a table of at most 80 columns with a line for every noise level', async () => {
    const { out } = await run(molrg, '--quiet', '--samples', '1');
    const lines = out.trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => /^ *[\d.]+ +\d+ +\d+ 0\.\d{3} +\d+ +\d+ 0\.\d{3} .* ok /.test(line))).toHaveLength(
      12,
    );
  });

  it('inspect --dry-run prints the spec without opening the model', async () => {
    const { code, out } = await run('no-such-model', '--dry-run', '--levels', '3');
    expect(code).toBe(0);
    const spec = JSON.parse(out) as { model: string; sigmas: number[] };
    expect(spec.model).toBe('no-such-model');
    expect(spec.sigmas).toHaveLength(3);
  });

  it('inspect says whether the model copies where its training set is known, and not where it is not', async () => {
    const points = normal(randomKey(4), [2000, 6]);
    await writeFile(join(folder, 'points.npy'), writeNpy(points));
    const words = ['--sigmas', '0.1,1', '--samples', '4', '--quiet'];
    const copies = await run(`empirical:${join(folder, 'points.npy')}`, ...words);
    expect(copies.code).toBe(0);
    expect(copies.out).toMatch(/^copying +copies: 100 % of 256 samples \((ratio|distance) on pixels\)$/m);
    expect((await run(molrg, ...words)).out).not.toContain('copying');
    expect((await run(`gaussian:${join(folder, 'points.npy')}`, ...words, '--copies', '0')).out).not.toContain('copying'); // prettier-ignore
  });

  it('inspect --beside shows two verdicts in one table, and writes the pictures and arrays of both', async () => {
    const noise = normal(randomKey(4, 'images'), [2500, 4, 4]);
    const bytes = Uint8Array.from(noise.data, (z) => Math.max(0, Math.min(255, Math.round(128 + 40 * z))));
    await writeFile(join(folder, 'images.npy'), writeNpy(tensor('uint8', noise.shape, bytes)));
    const [a, b] = ['gaussian', 'empirical'].map((kind) => `${kind}:${join(folder, 'images.npy')}`) as [string, string];
    const out = join(folder, 'two');
    const words = ['--sigmas', '0.1,1,10', '--beside-levels', '2', '--samples', '12', '--quiet', '--out', out];
    const { code, out: table } = await run(a, '--beside', b, ...words);
    expect(code).toBe(0);
    expect(table).toMatch(/^verdict +(does not copy|not enough evidence) +copies$/m);
    const [, pair = ''] = table.split('\n\n'); // the facts above it name the data by their long paths
    expect(Math.max(...pair.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const result = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as InspectResult;
    expect(result.beside).toMatchObject({ model: b, sigmas: [10, 0.1], copying: { verdict: 'copies' } });
    expect(result.files).toEqual(expect.arrayContaining(['samples.png', 'beside-samples.png', 'beside-closest.png']));
    const arrays = parseNpz('arrays.npz', new Uint8Array(await readFile(join(out, 'arrays.npz'))));
    expect(arrays.get('beside_samples')?.shape).toEqual([12, 1, 4, 4]);
    const report = await readFile(join(out, 'report.html'), 'utf8');
    expect(report.indexOf('Does it copy?')).toBeLessThan(report.indexOf('class="facts"'));
    for (const words of ['Copies its training set', 'The same latents, two models', 'Copies by every rule'])
      expect(report).toContain(words);
  });

  it.each([
    [[molrg, '--beside', 'gaussian:fashion'], /^error: --beside gaussian:fashion: expected samples of shape \[48\].*\(E_SHAPE\)\n$/], // prettier-ignore
    [[molrg, '--beside', molrg], /^error: model '.*': has no training set to be compared with.*\(E_MODEL\)\n$/],
    [[molrg, '--beside', 'fashion-memorised'], /Did you mean 'fashion-memorized'\?/],
    [['--beside-levels', '2'], /Name it with --beside\. \(E_SPEC\)\n$/],
    [['--sigmas', '1,0'], /^error: .*sigmas: expected a positive number.* got 0.*\(E_SPEC\)\n$/],
    [['--sigmas', '1,x'], /^error: --sigmas: expected a number, got "x"\. \(E_SPEC\)\n$/],
    [['--sigma', '1'], /^error: unknown option '--sigma' .*--sigmas/],
    [['--triplets', '1.5'], /triplets: expected an integer/],
    [
      ['molrgg:n=48,K=2,d=6'],
      /^error: model 'molrgg:n=48,K=2,d=6': is not known\. Did you mean 'molrg:n=48,K=2,d=6'\?/,
    ],
    [['molrg:n=4,K=2,d=6'], /at most n = 4.*\(E_SPEC\)\n$/],
    [['gaussian:missing.npy'], /^error: missing\.npy: .*\(E_DATASET\)\n$/],
    [[molrg, '--data', 'fashion'], /expected samples of shape \[48\].*\(E_SHAPE\)\n$/],
  ])('inspect %j is refused in one line with exit code 2', async (words, line) => {
    const { code, out, err } = await run(...words, '--quiet');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(line);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('inspect says where output cannot be written, before it works, and leaves an earlier file alone', async () => {
    const path = join(folder, 'taken');
    await writeFile(path, 'mine');
    const { code, out, err } = await run(molrg, '--out', path, '--quiet');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^error: .*taken.*: expected a folder.*\(E_STORE\)\n$/);
    expect(await readFile(path, 'utf8')).toBe('mine');
  });
});

describe('bin/eigenlens.js inspect', () => {
  it('prints one JSON object on standard output and progress on standard error', async () => {
    const { code, out, err } = await launch([molrg, '--json', '--samples', '2']);
    expect(code).toBe(0);
    expect((JSON.parse(out) as InspectResult).model).toBe(molrg);
    expect(err).toContain('Jacobians 1152/1152');
  });

  it('ends with 130 on Ctrl-C and leaves the folder of an earlier run as it was', async () => {
    const out = join(folder, 'interrupted');
    expect((await run(molrg, '--out', out, '--samples', '1', '--quiet')).code).toBe(0);
    const before = await readFile(join(out, 'result.json'), 'utf8');
    let sent = false;
    const {
      code,
      err,
      out: written,
    } = await launch(['molrg:n=500,K=5,d=50', '--out', out], (interrupt, text) => {
      if (sent || !text.includes('held-out')) return;
      sent = true;
      interrupt();
    });
    expect(code).toBe(130);
    expect(err).toContain('was interrupted');
    expect(written).toBe('');
    expect(await readFile(join(out, 'result.json'), 'utf8')).toBe(before);
    expect((await readdir(out)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
