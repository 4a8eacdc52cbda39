import { EventEmitter } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../data/npy.ts';
import { parseSideCar, parseWeights } from '../denoisers/network/model-file.ts';
import { openDenoiser } from '../experiments/models.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import { runCli } from './program.ts';
import { train } from './train.ts';

let folder: string;
let points: string;
let many: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-train-'));
  points = join(folder, 'points.npy');
  await writeFile(points, writeNpy(normal(randomKey(1), [20, 4])));
  many = join(folder, 'many.npy');
  const scales = [1, 0.5, 0.2, 0.1];
  const draws = normal(randomKey(3), [400, 4]);
  draws.data.forEach((z, i) => (draws.data[i] = z * (scales[i % 4] as number)));
  await writeFile(many, writeNpy(draws));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `eigenlens train`; `onError` sees all that was written to standard error so far, and may interrupt. */
async function run(
  words: readonly string[],
  onError: (err: string, interrupt: () => void) => void = () => undefined,
): Promise<Ended> {
  const written = { out: '', err: '' };
  const interrupts = new EventEmitter();
  const code = await runCli(['train', ...words], [train], {
    terminal: {
      stdout: { write: (text) => (written.out += text) },
      // A terminal's bar is drawn at the first step; lines would come seconds later.
      stderr: {
        isTTY: true,
        write: (text) => {
          written.err += text;
          onError(written.err, () => interrupts.emit('SIGINT', 'SIGINT'));
        },
      },
      env: {},
    },
    interrupts,
    exit: () => expect.unreachable('nothing was interrupted twice'),
  });
  return { code, ...written };
}

const small = ['--arch', 'mlp', '--channels', '8', '--depth', '1', '--batch-size', '4'];
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe('eigenlens train', () => {
  it('train --out writes a model that can be read back, its losses, and no checkpoint', async () => {
    const out = join(folder, 'model');
    const { code, out: text } = await run([...small, '--steps', '3', '--data', points, '--out', out, '--quiet']);
    expect(code).toBe(0);
    expect(text).toContain(`eigenlens inspect ${out}`);
    expect((await readdir(out)).sort()).toEqual([
      'losses.jsonl',
      'model.json',
      'model.onnx',
      'model.onnx.json',
      'model.safetensors',
      'result.json',
      'run.json',
      'spec.json',
    ]);
    const sideCar = parseSideCar('model.json', await readFile(join(out, 'model.json'), 'utf8'));
    expect(sideCar.architecture).toMatchObject({ kind: 'mlp', width: 8, depth: 1, sampleShape: [4] });
    const weights = parseWeights('w', new Uint8Array(await readFile(join(out, 'model.safetensors'))));
    expect(weights['in.w']?.shape).toEqual([8, 4]);
    const rows = (await readFile(join(out, 'losses.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(rows.map((row) => (JSON.parse(row) as { step: number }).step)).toEqual([3]);
  });

  it('train --out writes an ONNX graph that is read without flags as the same denoiser, and a folder that stays ours', async () => {
    const out = join(folder, 'exported');
    const words = ['--arch', 'mlp', '--channels', '16', '--depth', '1', '--steps', '400', '--shards', '1'];
    expect((await run([...words, '--data', many, '--out', out, '--quiet'])).code).toBe(0);
    const [graph, ours] = [await openDenoiser(join(out, 'model.onnx')), await openDenoiser(out)];
    await using exported = graph.denoiser;
    await using home = ours.denoiser;
    expect(graph.reading).toMatchObject({ by: join(out, 'model.onnx.json'), check: { verdict: 'right' } });
    expect(ours.reading).toBeUndefined();
    const x = castFloat(normal(randomKey(2), [3, 4]), 'float32');
    const [a, b] = [await exported.denoise(x, 0.5), await home.denoise(x, 0.5)];
    a.data.forEach((v, i) => expect(v).toBeCloseTo(b.data[i] as number, 4));
  });

  it('train interrupted ends with 130 and keeps a checkpoint; the same command goes on and ends as if it never stopped', async () => {
    const command = (out: string): string[] => [...small, '--steps', '6', '--data', points, '--out', out];
    const out = join(folder, 'interrupted');
    let sent = false;
    const stopped = await run(command(out), (err, interrupt) => {
      if (sent || !err.includes('training')) return;
      sent = true;
      interrupt();
    });
    expect({ code: stopped.code, out: stopped.out }).toEqual({ code: 130, out: '' });
    expect(stopped.err).toMatch(/interrupted after step \d+\. Run the same command again/);
    expect((await readdir(out)).sort()).toEqual(['checkpoint.safetensors']);

    const resumed = await run([...command(out), '--json', '--quiet']);
    expect(resumed.code).toBe(0);
    expect((JSON.parse(resumed.out) as { resumedAt: number }).resumedAt).toBeGreaterThan(0);
    expect(await exists(join(out, 'checkpoint.safetensors'))).toBe(false);

    const straight = join(folder, 'straight');
    expect((await run([...command(straight), '--quiet'])).code).toBe(0);
    for (const name of ['model.safetensors', 'model.onnx', 'losses.jsonl']) {
      expect(await readFile(join(out, name))).toEqual(await readFile(join(straight, name)));
    }
  });

  it('train refuses to go on with other settings, and keeps the checkpoint', async () => {
    const out = join(folder, 'changed');
    let sent = false;
    const stopped = await run([...small, '--steps', '6', '--data', points, '--out', out], (err, interrupt) => {
      if (sent || !err.includes('training')) return;
      sent = true;
      interrupt();
    });
    expect(stopped.code).toBe(130);
    const other = await run([...small, '--steps', '7', '--data', points, '--out', out, '--quiet']);
    expect(other.code).toBe(2);
    expect(other.err).toMatch(/^error: .*other settings.*\(E_MODEL\)\n$/);
    expect(await exists(join(out, 'checkpoint.safetensors'))).toBe(true);
  });

  it.each<[string[], RegExp]>([
    [[], /^error: train: needs a folder for the model\. Add --out DIR\. \(E_SPEC\)\n$/],
    [['--steps', '0'], /^error: .*steps.*\(E_SPEC\)\n$/],
    [['--arch', 'transformer'], /^error: .*--arch.*\n$/],
    [['--channels', '8,x'], /^error: .*--channels.*\n$/],
  ])('train %j is refused in one line with exit code 2', async (words, message) => {
    const { code, out, err } = await run([...words, '--data', points, '--quiet']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('train says in one line what is wrong with data that cannot be trained on, and leaves no folder behind', async () => {
    const [gap, empty, flat, mixed] = ['gap.npy', 'empty.npy', 'flat.npy', 'mixed'].map((name) => join(folder, name)) as [string, string, string, string]; // prettier-ignore
    const values = normal(randomKey(1), [20, 4]);
    values.data[7] = NaN;
    await writeFile(gap, writeNpy(values));
    await writeFile(empty, writeNpy(tensor('float32', [0, 4], new Float32Array(0))));
    await writeFile(flat, writeNpy(tensor('float32', [20, 4], new Float32Array(80).fill(0.5))));
    await mkdir(mixed);
    const picture = (width: number, shift: number): Uint8Array =>
      encode({ width, height: 8, channels: 1, data: Uint8Array.from({ length: 8 * width }, (_, i) => (i + shift) % 256) }); // prettier-ignore
    for (const i of [0, 1, 2, 3]) await writeFile(join(mixed, `${i}.png`), picture(i === 2 ? 12 : 8, 40 * i));
    const cases: [string[], RegExp][] = [
      [
        ['--data', points, '--size', '100'],
        /expected a part of points's 20 samples, got 0 to 100\. .*\(E_DATASET\)\n$/,
      ],
      [['--data', empty], /expected at least one sample, got 0.*\(E_DATASET\)\n$/],
      [['--data', gap], /expected finite float32 values, got NaN at element 7.*\(E_DATASET\)\n$/],
      [['--data', flat], /expected finite values that differ, got 0\.5 everywhere\. .*\(E_DATASET\)\n$/],
      [['--data', mixed], /2\.png: expected 8 x 8 pixels as in 0\.png, got 12 x 8\. .*\(E_DATASET\)\n$/],
    ];
    const out = join(folder, 'refused');
    for (const [words, message] of cases) {
      const { code, err } = await run([...small, '--steps', '2', ...words, '--out', out, '--quiet']);
      expect({ code, lines: err.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
      expect(err).toMatch(message);
      expect(await exists(out)).toBe(false);
    }
    const resized = await run([...small, '--steps', '2', '--data', mixed, '--image-size', '6', '--out', out, '--quiet']); // prettier-ignore
    expect(resized.code).toBe(0);
    const model = await openDenoiser(out);
    await using denoiser = model.denoiser;
    // The odd image lies in one of the two parts.
    expect((await model.train?.read([0, 1, 2]))?.shape).toEqual([3, ...denoiser.sampleShape]);
    expect((await model.heldout.read([0])).shape).toEqual([1, ...denoiser.sampleShape]);
  });

  it('train refuses a U-Net for vectors, and leaves no folder behind', async () => {
    const out = join(folder, 'nothing');
    const { code, err } = await run(['--data', points, '--out', out, '--quiet']);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: train: a U-Net takes images.*--arch mlp\. \(E_SPEC\)\n$/);
    expect(await exists(out)).toBe(false);
  });
});
