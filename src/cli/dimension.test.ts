import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawManifold } from '../analysis/dimension/manifolds.ts';
import { writeNpy } from '../data/npy.ts';
import { tensor } from '../tensor/tensor.ts';
import { dimension } from './dimension.ts';
import { runCli } from './program.ts';

let folder: string;
let points: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-dimension-'));
  points = join(folder, 'sphere.npy');
  await writeFile(points, writeNpy(drawManifold({ kind: 'sphere', dimension: 2, ambient: 4, count: 200, seed: 1 })));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(['dimension', ...words, '--quiet'], [dimension], {
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

describe('eigenlens dimension', () => {
  it('dimension --json prints estimates, intervals and predictions', async () => {
    const { code, out } = await run(['--data', points, '--k', '5,10', '--pca-k', '12', '--json']);
    expect(code).toBe(0);
    const result = JSON.parse(out) as { estimates: { dimension: number }[]; predictions: { perDimension: number }[] };
    for (const estimate of result.estimates) expect(Math.abs(estimate.dimension - 2)).toBeLessThan(0.6);
    expect(result.predictions.map((p) => p.perDimension)).toEqual([1, 50, 60, 630]);
  });

  it('dimension --model measures a model on its own data, and --out holds both figures', async () => {
    const out = join(folder, 'run');
    const sizes = ['--k', '5', '--images', '2', '--sigmas', '0.01,0.1', '--triplets', '8', '--queries', '50'];
    const { code, out: text } = await run(['--model', 'molrg:n=12,K=2,d=3', ...sizes, '--out', out]);
    expect(code).toBe(0);
    expect(text).toMatch(/values > 1\/2/);
    expect(text).toMatch(/U-Net on photographs \[4\]/);
    expect((await readdir(out)).sort()).toEqual(['noise.svg', 'result.json', 'run.json', 'scales.svg', 'spec.json']);
  });

  it.each<[string, string[], RegExp]>([
    ['nothing to measure', [], /^error: dimension: expected data or a model.*\(E_SPEC\)\n$/],
    ['k of 1', ['--data', 'sphere', '--k', '1'], /^error: dimension: k: expected at least 2.*\n$/],
    ['an unknown data set', ['--data', 'fashio'], /^error: .*Did you mean 'fashion'.*\n$/],
  ])('dimension refuses %s in one line with exit code 2', async (_, words, message) => {
    const { code, out, err } = await run(words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });

  it('dimension refuses too few, equal and non-finite samples in one line', async () => {
    const write = async (name: string, values: readonly number[]): Promise<string> => {
      const path = join(folder, name);
      await writeFile(path, writeNpy(tensor('float64', [values.length, 1], Float64Array.from(values))));
      return path;
    };
    const lists = { few: [1, 2, 3], equal: new Array<number>(30).fill(2), nan: [1, NaN, 3] };
    for (const [name, values] of Object.entries(lists)) {
      const { code, err } = await run(['--data', await write(`${name}.npy`, values)]);
      expect(code).toBe(2);
      expect(err).toMatch(/^error: .*\(E_[A-Z]+\)\n$/);
      expect(err.trimEnd().split('\n')).toHaveLength(1);
    }
  });
});
