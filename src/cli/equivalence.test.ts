import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeNpy } from '../data/npy.ts';
import { parseNpz } from '../data/npz.ts';
import type { EquivalenceResult } from '../experiments/equivalence.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { equivalence } from './equivalence.ts';
import { runCli } from './program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-equivalence-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(['equivalence', ...words], [equivalence], {
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

describe('eigenlens equivalence', () => {
  it('equivalence --json of one subspace finds the network at the principal components', async () => {
    const { code, out } = await run('molrg:n=48,K=1,d=4', '--points', '10', '--json', '--quiet');
    expect(code).toBe(0);
    const result = JSON.parse(out) as EquivalenceResult;
    expect(result.distance).toBeLessThan(1e-8);
    expect(result.clustering.method).toBe('pca');
    expect(result.network.status).toBe('converged');
  });

  it('equivalence --out writes table, JSON, arrays and figures of one run on two planes', async () => {
    const out = join(folder, 'run');
    const words = ['molrg:n=20,K=2,d=2', '--points', '40', '--weights', 'hard-max', '--steps', '800', '--out', out];
    const { code, out: table } = await run(...words);
    expect(code).toBe(0);
    expect(table).toMatch(/same cluster +100\.0 %/);
    expect((await readdir(out)).sort()).toEqual(
      ['arrays.npz', 'distance.svg', 'loss.svg', 'result.json', 'run.json', 'spec.json'].sort(),
    );
    const arrays = parseNpz('arrays', await readFile(join(out, 'arrays.npz')));
    expect(arrays.get('network_basis_1')?.shape).toEqual([2, 20]);
    expect(arrays.get('step')?.shape).toEqual(arrays.get('distance')?.shape);
  });

  it('equivalence --point-noise lifts points off their subspaces by the noise, and takes nothing for 0', async () => {
    const found = async (...words: string[]): Promise<EquivalenceResult> => {
      const all = ['molrg:n=12,K=1,d=2', '--points', '100', '--steps', '60', '--json', '--quiet', ...words];
      return JSON.parse((await run(...all)).out) as EquivalenceResult;
    };
    const [clean, none, noisy] = [await found(), await found('--point-noise', '0'), await found('--point-noise', '0.3')]; // prettier-ignore
    expect(none).toEqual(clean);
    expect(clean.clustering.energy).toBeCloseTo(1, 12);
    // Of the mean square 2 + 12 * 0.09 the plane holds 2 + 2 * 0.09, and some noise that it turned to.
    expect(noisy.clustering.energy).toBeGreaterThan(2.18 / 3.08 - 0.06);
    expect(noisy.clustering.energy).toBeLessThan(2.18 / 3.08 + 0.06);
  });

  it('equivalence --data reads points of any scale and offset', async () => {
    const path = join(folder, 'points.npy');
    const x = normal(randomKey(1), [50, 8]).data.map((v, i) => 100 + 7 * v * (i % 8 < 2 ? 3 : 0.5));
    await writeFile(path, writeNpy(tensor('float64', [50, 8], x)));
    const { code, out } = await run('--data', path, '--rank', '2', '--points', '50', '--json', '--quiet');
    expect(code).toBe(0);
    expect((JSON.parse(out) as EquivalenceResult).distance).toBeLessThan(1e-6);
  });

  it.each([
    [['molrg:n=8,d=9'], /ranks/],
    [['molrg:n=48,K=5,d=2', '--points', '4'], /at least 5 points/],
    [['molrg:n=8,K=2,d=1,means=3'], /origin/],
    [['--steps', '0'], /steps/],
    [['--data', 'fashion', '--point-noise', '0.1'], /points of mixtures only/],
    [['--data', '/nowhere.npy'], /nowhere/],
    [['--sigma', '-1'], /sigma/],
  ])('equivalence %j is refused in one line', async (words, message) => {
    const { code, out, err } = await run(...words, '--quiet');
    expect(code).not.toBe(0);
    expect(out).toBe('');
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toMatch(message);
  });

  it('equivalence refuses a rank above the dimension of a data set', async () => {
    const path = join(folder, 'flat.npy');
    await writeFile(path, writeNpy(normal(randomKey(2), [30, 3])));
    const { code, err } = await run('--data', path, '--rank', '4', '--points', '30', '--quiet');
    expect(code).not.toBe(0);
    expect(err).toMatch(/from 1 to the dimension 3, got 4/);
  });

  it('equivalence refuses samples that are all equal, whatever rounding leaves of them', async () => {
    const path = join(folder, 'equal.npy');
    await writeFile(path, writeNpy(tensor('float64', [20, 5], new Float64Array(100).fill(0.1))));
    const { code, err } = await run('--data', path, '--rank', '2', '--points', '20', '--quiet');
    expect(code).toBe(2);
    expect(err).toBe('error: equivalence: expected samples of equal that differ, got all equal. They have no directions. (E_DOMAIN)\n'); // prettier-ignore
  });
});
