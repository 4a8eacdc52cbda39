import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseNpz, writeNpz } from '../data/npz.ts';
import type { DeepEmergence } from '../experiments/emergence.ts';
import type { Gaussianity } from '../experiments/gaussianity.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat } from '../tensor/tensor.ts';
import { emergence } from './emergence.ts';
import { gaussianity } from './gaussianity.ts';
import { runCli } from './program.ts';

const molrg = 'molrg:n=16,K=2,d=3';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-gaussianity-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(words, [gaussianity, emergence], {
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

describe('eigenlens gaussianity', () => {
  it('gaussianity writes table, figures, JSON and arrays, and a mixture is no Gaussian where its parts are told apart', async () => {
    const out = join(folder, 'mixture');
    const words = ['--models', 'gaussian,empirical,linear', '--sigmas', '10,0.3', '--draws', '200', '--out', out];
    const { code, out: text, err } = await run('gaussianity', molrg, ...words);
    expect([code, err.includes('error')]).toEqual([0, false]);
    expect(text).toContain('explained variance of the denoiser');
    const files = await readdir(out);
    for (const name of ['rmse.svg', 'linearity.svg', 'arrays.npz', 'result.json', 'spec.json']) {
      expect(files).toContain(name);
    }
    const result = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as Gaussianity['result'];
    const rmse = (model: string, sigma: number): number =>
      result.closeness.find((c) => c.model === model && c.sigma === sigma)?.rmse ?? NaN;
    // A mean of 1000 samples errs by sqrt(0.5 / 1000) a coordinate.
    expect(rmse('gaussian', 10)).toBeLessThan(0.04);
    expect(rmse('gaussian', 0.3)).toBeGreaterThan(2 * rmse('gaussian', 10));
    const arrays = parseNpz('arrays.npz', await readFile(join(out, 'arrays.npz')));
    expect(arrays.get('denoised_network')?.shape).toEqual([2, 16, 16]);
  });

  it('gaussianity of the Gaussian of a data set finds nothing left to explain', async () => {
    const data = join(folder, 'points.npz');
    const x = castFloat(normal(randomKey(71, 'points'), [60, 5]), 'float32');
    await writeFile(data, writeNpz(new Map([['x', x]])));
    const words = ['--models', 'gaussian,mean', '--samples', '5', '--levels', '3', '--json'];
    const { code, out } = await run('gaussianity', `gaussian:${data}`, ...words);
    expect(code).toBe(0);
    const { closeness } = JSON.parse(out) as Gaussianity['result'];
    for (const c of closeness.filter(({ model }) => model === 'gaussian')) expect(c.rmse).toBeLessThan(1e-12);
  });

  it.each([
    ['--models', 'gaussian,wiener'],
    ['--samples', '0'],
    ['--sigmas', '1,-1'],
    ['--ridge', '-1'],
    ['--models', 'ELS'],
    ['--draws', '5', '--ridge', '0'],
  ])('gaussianity %s %s is refused in one line', async (...words) => {
    const { code, err } = await run('gaussianity', molrg, ...words);
    expect(code).toBeGreaterThan(0);
    expect(err.trim()).toMatch(/^error: .*[^\n]*$/);
  });
});

describe('eigenlens emergence', () => {
  it('emergence MODEL follows both references, and states them', async () => {
    const out = join(folder, 'emergence');
    const words = ['--sigmas', '5,0.5,0.05', '--components', '6', '--basis', 'left', '--out', out];
    const { code, out: text } = await run('emergence', molrg, ...words);
    expect(code).toBe(0);
    expect(text).toContain('at sigma 0.05');
    const result = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as DeepEmergence['result'];
    expect(result.basis).toBe('left');
    // Data fill their six dimensions: the six leading directions at high noise are the principal components' span.
    const [noisy] = result.steps;
    expect(Math.max(...(noisy?.toData.principalSines ?? [1]))).toBeLessThan(1e-4);
    expect(Math.max(...(result.steps[2]?.toLast.sines ?? [1]))).toBeLessThan(1e-6);
    expect(await readdir(out)).toContain('sines-last.svg');
  });

  it('emergence --data learns linear denoisers of it', async () => {
    const data = join(folder, 'spiked.npz');
    const z = normal(randomKey(72, 'spiked'), [300, 6]);
    const x = castFloat({ ...z, data: z.data.map((v, i) => v * (5 * 0.5 ** (i % 6))) }, 'float32');
    await writeFile(data, writeNpz(new Map([['x', x]])));
    const { code, out } = await run('emergence', '--data', data, '--components', '2', '--json');
    expect(code).toBe(0);
    const found = JSON.parse(out) as { kind: string; rows: { criticalSigma: number; meanRadialFrequency: null }[] };
    expect(found.kind).toBe('linear');
    const [first, second] = found.rows;
    expect(first?.criticalSigma).toBeGreaterThan(second?.criticalSigma as number);
    expect(first?.meanRadialFrequency).toBeNull();
  });

  it.each([
    [molrg, '--components', '17'],
    [molrg, '--sigmas', '1'],
    [molrg, '--draws', '2'],
    [molrg, '--levels', '1.5'],
  ])('emergence %s %s %s is refused in one line', async (...words) => {
    const { code, err } = await run('emergence', ...words);
    expect(code).toBeGreaterThan(0);
    expect(err.trim()).toMatch(/^error: .*[^\n]*$/);
  });
});
