import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeNpy } from '../data/npy.ts';
import { parseNpz } from '../data/npz.ts';
import type { CompareResult } from '../experiments/compare.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { compare } from './compare.ts';
import { runCli } from './program.ts';

const SIDE = 8;

/** Random images [count, 8, 8] as bytes, each pixel drawn towards its neighbours on the left and above. */
function pictures(count: number, name: string): Tensor<'uint8'> {
  const z = normal(randomKey(5, name), [count * SIDE * SIDE]).data;
  for (let i = 0; i < z.length; i++) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE) % SIDE];
    if (x > 0) z[i] = 0.9 * (z[i] as number) + 0.5 * (z[i - 1] as number);
    if (y > 0) z[i] = 0.9 * (z[i] as number) + 0.5 * (z[i - SIDE] as number);
  }
  return tensor(
    'uint8',
    [count, SIDE, SIDE],
    Uint8Array.from(z, (v) => Math.max(0, Math.min(255, 128 + 30 * v))),
  );
}

let folder: string;
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-compare-'));
  await writeFile(path('images.npy'), writeNpy(pictures(1200, 'images')));
  await writeFile(path('larger.npy'), writeNpy(tensor('uint8', [20, 9, 9], new Uint8Array(20 * 81).fill(7))));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(['compare', ...words], [compare], {
    terminal: {
      stdout: { write: (text) => (written.out += text) },
      stderr: { write: (text) => (written.err += text) },
      env: {},
    },
    interrupts: new EventEmitter(),
    exit: () => expect.unreachable('one interrupt is enough'),
  });
  return { code, ...written };
}

async function compareJson(...words: string[]): Promise<CompareResult> {
  const { code, out, err } = await run([...words, '--json', '--quiet']);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as CompareResult;
}

/** What is counted in the last bin, and how many there are. */
function atOne(result: CompareResult, set: string): [number, number] {
  const counts = result.histograms[0]?.counts[set] ?? [];
  return [counts.at(-1) ?? 0, counts.reduce((a, b) => a + b, 0)];
}

describe('eigenlens compare', () => {
  it('compare of a model with itself finds RP 1, the same samples and the same denoiser', async () => {
    const model = `gaussian:${path('images.npy')}`;
    const result = await compareJson(model, model, '--samples', '120');
    expect(result.reproducibility.map(({ descriptor }) => descriptor)).toEqual(['pixels-centred', 'gradients']);
    for (const rate of result.reproducibility) {
      expect(rate).toMatchObject({ value: 1, high: 1, hits: 120, count: 120, median: 1 });
      expect(rate.low).toBeCloseTo(0.025 ** (1 / 120), 12);
      expect(rate.source).toEqual({ kind: 'held-out', falsePositives: 0.01, images: 120 });
    }
    for (const { low } of result.null) expect(low).toBeLessThan(0.01);
    expect(atOne(result, 'same noise')).toEqual([120, 120]);
    expect(atOne(result, `${model} 2 and nearest training image`)[1]).toBe(120);
    for (const { rmse } of result.denoisers) expect(Object.values(rmse)).toEqual([{ value: 0, low: 0, high: 0 }]);
    expect(result.pairs.every(({ cosine }) => cosine === 1)).toBe(true);
  });

  it('compare of Gaussians of two halves of the images finds them alike, and nothing copied', async () => {
    const [a, b] = ['600', '600-1200'].map((part) => `gaussian:${path('images.npy')}:${part}`) as [string, string];
    const result = await compareJson(a, b, '--samples', '120', '--similarity', '0.6', '--descriptors', 'centred');
    expect(result.reproducibility[0]).toMatchObject({ threshold: 0.6, source: { kind: 'stated' } });
    expect(result.reproducibility[0]?.low).toBeGreaterThan(0.9);
    expect(atOne(result, `${a} and nearest training image`)).toEqual([0, 120]);
  });

  it('compare of two models that memorize other images finds no more pairs than chance, each sample a training image', async () => {
    const [a, b] = ['20', '20-40'].map((part) => `empirical:${path('images.npy')}:${part}`) as [string, string];
    const result = await compareJson(a, b, '--samples', '200', '--descriptors', 'centred');
    const gaussian = `gaussian:${path('images.npy')}`;
    const others = await compareJson(a, gaussian, '--samples', '200', '--descriptors', 'centred');
    expect(result.reproducibility[0]?.value).toBeLessThan(0.3);
    expect(atOne(result, `${a} and nearest training image`)).toEqual([200, 200]);
    expect(atOne(result, `${b} and nearest training image`)).toEqual([200, 200]);
    expect(atOne(others, `${gaussian} and nearest training image`)[0]).toBeLessThan(20);
    // Shown the same noised image, each answers with one of its own.
    const least = Math.min(...result.denoisers.map(({ rmse }) => rmse[b]?.low ?? 0));
    expect(least).toBeGreaterThan(0.005);
  });

  it('compare --out writes the report, the sheet of pairs and both sets of samples', async () => {
    const out = path('out');
    const words = [`gaussian:${path('images.npy')}`, `empirical:${path('images.npy')}`, '--samples', '100'];
    const { code, out: text } = await run([...words, '--out', out, '--quiet']);
    expect(code).toBe(0);
    expect(text).toMatch(/pixels-centred +\d\.\d{3}\* +\d\.\d{3} +\d\.\d{3} to \d\.\d{3}/);
    expect((await readdir(out)).sort()).toEqual(['arrays.npz', 'pairs.png', 'report.html', 'result.json', 'run.json', 'spec.json']); // prettier-ignore
    const arrays = parseNpz('arrays', await readFile(join(out, 'arrays.npz')));
    expect([arrays.get('samples_a')?.shape, arrays.get('samples_b')?.shape]).toEqual([
      [100, 1, SIDE, SIDE],
      [100, 1, SIDE, SIDE],
    ]);
    const report = await readFile(join(out, 'report.html'), 'utf8');
    expect(report).toContain('Samples from the same noise');
    expect(report).not.toMatch(/NaN|undefined/);
    const { pairs } = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as CompareResult;
    expect(pairs.map(({ cosine }) => cosine)).toEqual(pairs.map(({ cosine }) => cosine).toSorted((p, q) => p - q));
  });

  it('compare says where a model names no training set', async () => {
    const words = ['molrg:n=12,K=2,d=2', 'molrg:n=12,K=2,d=3', '--similarity', '0.6'];
    const result = await compareJson(...words, '--samples', '16');
    expect(result.notes).toEqual(['A model does not say what it was trained on: its samples have no nearest training images.']); // prettier-ignore
    expect(Object.keys(result.histograms[0]?.counts ?? {}).sort()).toEqual(['other noise', 'same noise']);
  });

  it.each([
    ['a single model', ['gaussian:images.npy'], /missing required argument 'other'/],
    ['models of two resolutions', ['gaussian:images.npy', 'gaussian:larger.npy'], /expected two models of one shape, got \[1, 8, 8\] and \[1, 9, 9\]\. Choose models of one resolution/],
    ['a descriptor without cosine', ['gaussian:images.npy', 'gaussian:images.npy', '--descriptors', 'pixels'], /compares by cosine, which pixels has not\. Take centred, pca, gradients/],
    ['a descriptor that is none', ['gaussian:images.npy', 'gaussian:images.npy', '--descriptors', 'sift'], /expected pixels, centred, pca, gradients or an ONNX file, got 'sift'/],
    ['too few samples to calibrate', ['gaussian:images.npy', 'gaussian:images.npy', '--samples', '98'], /samples: expected at least 99 to calibrate at 0\.01 false positives, got 98; or state a similarity/],
    ['a model that is none', ['gaussian:images.npy', 'gausian:images.npy'], /^error: .*gaussian/],
    ['images that are none', ['gaussian:images.npy', 'empirical:image.npy'], /expected a .*image\.npy|image\.npy.*(missing|nothing|Did you mean)/],
  ])('compare refuses %s in one line', async (_, words, wanted) => {
    const { code, out, err } = await run([...words.map((word) => word.replace(/(\w+\.npy)$/, path('$1'))), '--quiet']);
    expect([code, out]).toEqual([2, '']);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toMatch(wanted);
  }); // prettier-ignore
});
