import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeNpy } from '../data/npy.ts';
import { parseNpz } from '../data/npz.ts';
import type { EditResult } from '../experiments/edit-result.ts';
import { encodePng } from '../report/png.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { edit } from './edit.ts';
import { runCli } from './program.ts';

const SIDE = 8;

/** Random smooth images [count, side, side] as bytes. */
function pictures(count: number, side = SIDE): Tensor<'uint8'> {
  const z = normal(randomKey(5, 'pictures'), [count * side * side]).data;
  for (let i = 0; i < z.length; i++) {
    if (i % side > 0) z[i] = 0.9 * (z[i] as number) + 0.5 * (z[i - 1] as number);
    if (Math.floor(i / side) % side > 0) z[i] = 0.9 * (z[i] as number) + 0.5 * (z[i - side] as number);
  }
  return tensor(
    'uint8',
    [count, side, side],
    Uint8Array.from(z, (v) => Math.max(0, Math.min(255, 128 + 30 * v))),
  );
}

/** A grey PNG of one value. */
function flat(width: number, height: number, value: number): Uint8Array {
  return encodePng({ width, height, data: new Uint8Array(width * height * 3).fill(value) });
}

let folder: string;
const path = (name: string): string => join(folder, name);
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-edit-'));
  await writeFile(path('images.npy'), writeNpy(pictures(300)));
  await writeFile(path('others.npy'), writeNpy(pictures(200)));
  await writeFile(path('wide.npy'), writeNpy(tensor('float32', [1, 8, 8], new Float32Array(64).fill(3))));
  await writeFile(path('nan.npy'), writeNpy(tensor('float32', [1, 8, 8], new Float32Array(64).fill(NaN))));
  await writeFile(path('shape.npy'), writeNpy(tensor('float32', [1, 9, 8], new Float32Array(72))));
  await writeFile(path('tiny.png'), flat(4, 4, 90));
  await writeFile(path('mask16.png'), flat(16, 16, 255));
  await writeFile(path('black.png'), flat(8, 8, 0));
  await writeFile(path('white.png'), flat(8, 8, 255));
  model = `gaussian:${path('images.npy')}`;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(words: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(['edit', ...words, '--quiet'], [edit], {
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

async function editJson(...words: string[]): Promise<EditResult> {
  const { code, out, err } = await run([...words, '--json']);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as EditResult;
}

describe('eigenlens edit', () => {
  it('edit of a Gaussian does what its linear model says: straight lines, the singular value as slope, effects that add up', async () => {
    const result = await editJson(model, '0', '--mask', 'box:0,0,4,8', '--directions', '2', '--compose', '1=2,2=-1');
    expect(result.images[0]?.roundTripPsnr).toBeGreaterThan(30);
    expect(result.orthogonality).toBeLessThan(1e-10);
    for (const row of result.directions) {
      expect(row.rSquared).toBeCloseTo(1, 9);
      expect(row.linearity).toBeCloseTo(1, 9);
      expect(row.transfer).toBeCloseTo(1, 6);
      // The slope is along all of J v, inside and outside.
      expect(row.slope).toBeCloseTo(Math.hypot(row.gain, row.leak), 9);
      const middle = row.changes.find(({ strength }) => strength === 0);
      expect(middle).toMatchObject({ inside: 0, outside: 0, ssim: 1 });
    }
    expect(result.composition?.remainder).toBeLessThan(1e-6);
  });

  it('edit saves directions that another run applies to another image with the same effect, without a search', async () => {
    const out = path('run');
    const { code, err } = await run([model, '--mask', 'box:2,2,4,4', '--directions', '1', '--out', out]);
    expect([code, err]).toEqual([0, '']);
    expect((await readdir(out)).sort()).toEqual(
      ['arrays.npz', 'directions-1.json', 'directions-1.npz', 'edits.png', 'report.html', 'result.json', 'run.json', 'spec.json', 'transfers.png'], // prettier-ignore
    );
    const arrays = parseNpz('arrays.npz', new Uint8Array(await readFile(join(out, 'arrays.npz'))));
    expect(arrays.get('edits')?.shape).toEqual([1, 7, 1, 8, 8]);
    const saved = join(out, 'directions-1.json');
    const moved = path('moved');
    await run([model, '5', '--transfer', saved, '--out', moved]);
    const again = parseNpz('arrays.npz', new Uint8Array(await readFile(join(moved, 'arrays.npz'))));
    expect([...(again.get('directions')?.data ?? [])]).toEqual([...(arrays.get('directions')?.data ?? [])]);
    const { err: other } = await run([`gaussian:${path('others.npy')}`, '--transfer', saved]);
    expect(other).toMatch(/^error: .*images\.npy.*\(E_MODEL\)\n$/);
  });

  it('edit takes a conditional network towards a class, and refuses the class that it has', async () => {
    await writeFile(path('latents.npy'), writeNpy(normal(randomKey(6, 'latents'), [20, 256])));
    const dit = ['test/models/dit.onnx', '0', '--parameterization', 'epsilon', '--schedule', 'linear', '--trust', '--data', path('latents.npy'), '--mask', 'box:0,0,4,8', '--class', '1']; // prettier-ignore
    const result = await editJson(...dit, '--towards-class', '3');
    expect(result.directions.map(({ method, value }) => [method, value])).toEqual([['supervised', null]]);
    // Along v = J^T d / |J^T d| the posterior mean moves towards the other class: d . J v = |J^T d| > 0.
    expect(result.directions[0]?.gain).toBeGreaterThan(0.1);
    expect(result.orthogonality).toBeLessThan(1e-10);
    const { code, err } = await run([...dit, '--towards-class', '1']);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: edit: the two conditions give the same image inside the mask.*\n$/);
  });

  it('edit keeps to random directions inside the mask for the baseline, and takes safetensors', async () => {
    const out = path('baseline');
    await run([model, '--mask', 'stroke:1.5 2,2 6,6', '--method', 'random', '--directions', '2', '--format', 'safetensors', '--out', out]); // prettier-ignore
    const result = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as EditResult;
    expect(result.directions.map(({ value, method }) => [value, method])).toEqual([
      [null, 'random'],
      [null, 'random'],
    ]);
    expect(await readdir(out)).toContain('directions-1.safetensors');
    const principal = await editJson(model, '--mask', 'box:0,0,4,8', '--method', 'pca', '--directions', '1');
    const random = await editJson(model, '--mask', 'box:0,0,4,8', '--method', 'random', '--directions', '1');
    expect(principal.directions[0]?.gain).toBeGreaterThan(2 * (random.directions[0]?.gain ?? NaN));
  });

  it.each<[string, () => string[], RegExp]>([
    ['an image that is not there', () => ['300'], /expected image 0 to 29 of .*, got 300/],
    ['a missing file', () => ['photo.png'], /photo\.png/],
    ['an image smaller than the model takes', () => [path('tiny.png')], /expected an image of \[1, 8, 8\] or larger/],
    ['an array of another range', () => [path('wide.npy')], /wide: expected float images within/],
    ['an array that is not finite', () => [path('nan.npy')], /nan: expected finite/],
    ['a mask of another size', () => ['--mask', path('mask16.png')], /expected .*8 x 8.*, got .*16 x 16/],
    ['an empty mask', () => ['--mask', path('black.png')], /mask/],
    ['a full mask', () => ['--mask', path('white.png')], /mask/],
    ['a box outside of the image', () => ['--mask', 'box:20,20,4,4'], /mask/],
    ['a mask that is none', () => ['--mask', 'bax:1,2,3,4'], /box/],
    ['a part beyond those found', () => ['--mask', 'part:40'], /expected a part from 1 to/],
    ['noise outside of the way', () => ['--sigma', '0.0001'], /expected a noise level above 0.002/],
    ['a composition of a direction that is not there', () => ['--mask', 'none', '--directions', '1', '--compose', '4=1'], /expected directions 1 to 1 for --compose, got 4/], // prettier-ignore
    ['saved directions that are not there', () => ['--transfer', 'nothing.json'], /nothing\.json/],
    ['a condition for a model that knows none', () => ['--towards-class', '1'], /takes none/],
    ['an unknown flag', () => ['--strengh', '1:2'], /--strength/],
  ])('edit refuses %s in one line with exit code 2', async (_, words, message) => {
    const given = words();
    const { code, out, err } = await run([model, ...(given[0]?.startsWith('--') ? ['0'] : []), ...given]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});
