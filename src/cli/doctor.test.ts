import { EventEmitter } from 'node:events';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorResult, ModelReport } from '../experiments/doctor-result.ts';
import { writeIdealModel } from '../experiments/ideal-network.fixture.ts';
import { bytesOf, graph, model, node } from '../engine/onnx/model.fixture.ts';
import { commands } from './commands.ts';
import { runCli } from './program.ts';

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...words: string[]): Promise<Ended> {
  const written = { out: '', err: '' };
  const code = await runCli([...words, '--quiet'], commands, {
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

async function examined(
  ...words: string[]
): Promise<{ code: number; model: ModelReport; written?: string | undefined }> {
  const { code, out, err } = await run('doctor', ...words, '--json');
  expect(err).toBe('');
  const result = JSON.parse(out) as DoctorResult;
  if (result.model === undefined) return expect.unreachable('a model was examined');
  return { code, model: result.model, written: result.written };
}

/** Lines of a report, none longer than a terminal is wide. */
function linesOf({ out }: Ended): string[] {
  const lines = out.trimEnd().split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  return lines;
}

/** The folder that diffusers and optimum write, around a graph. */
async function diffusersFolder(graphPath: string, prediction: string): Promise<string> {
  const root = await mkdtemp(join(folder, 'pipeline-'));
  await mkdir(join(root, 'unet'));
  await mkdir(join(root, 'scheduler'));
  await copyFile(graphPath, join(root, 'unet/model.onnx'));
  const scheduler = { _class_name: 'DDPMScheduler', num_train_timesteps: 1000, prediction_type: prediction };
  const betas = { beta_start: 1e-4, beta_end: 0.02, beta_schedule: 'linear' };
  await writeFile(join(root, 'scheduler/scheduler_config.json'), JSON.stringify({ ...scheduler, ...betas }));
  return root;
}

/** The input of a network that is not told the noise level. */
const blind = { name: 'x', elementType: 'float32', shape: ['n', 1, 4, 4] };

let folder: string;
let epsilon: Awaited<ReturnType<typeof writeIdealModel>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-doctor-'));
  epsilon = await writeIdealModel('epsilon');
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await rm(epsilon.folder, { recursive: true, force: true });
});

describe('eigenlens doctor', () => {
  it('doctor alone lists the devices of this machine, of which the CPU works', async () => {
    const ended = await run('doctor');
    expect(ended).toMatchObject({ code: 0, err: '' });
    const lines = linesOf(ended);
    expect(lines.flatMap((line) => /^(\w+) +(?:works|does not work): /.exec(line)?.[1] ?? [])).toEqual([
      'cpu',
      'cuda',
      'webgpu',
      'wasm',
    ]);
    expect(lines.join('\n')).toMatch(/^cpu +works: onnxruntime-node/m);
  });

  it('doctor MODEL --data finds by trying how an ideal network is read, and that it denoises better than any filter', async () => {
    const { code, model: report } = await examined(epsilon.model, '--data', epsilon.data);
    expect(code).toBe(0);
    expect(report.reading).toMatchObject({ images: 16, data: 'images-heldout' });
    expect(report.reading?.stated).toBeUndefined();
    expect(report.reading?.best.parameterization.kind).toBe('epsilon');
    expect(report.reading?.flags).toMatch(/^--parameterization /);
    expect(report.reading?.check.best.score).toBeLessThan(1);
    expect(report.ports.map(({ role, name }) => [role, name])).toEqual([
      ['sample', expect.any(String)],
      ['time', expect.any(String)],
      ['output', expect.any(String)],
    ]);
    expect(report.sampleShape).toEqual([1, 4, 4]);
    expect(report.device).toMatch(/^(cpu|cuda)$/);
  });

  it('doctor MODEL checks both products against each other, and what they cost', async () => {
    const { model: report } = await examined(epsilon.model, '--data', epsilon.data);
    const { adjointDefect, differenceDefect, batchDefect } = report.derivatives;
    // Rounding of float32 products of 16 numbers; differences over a step of sigma / 1000 hold three digits.
    expect(adjointDefect).toBeLessThan(16 * 2 ** -23);
    expect(differenceDefect).toBeLessThan(1e-3);
    expect(batchDefect).toBeLessThan(16 * 2 ** -23);
    expect(report.costs.map(({ operation, count }) => [operation, count])).toEqual([
      ['D(x)', 1],
      ['J v', 1],
      ['J^T u', 1],
      ['J V', 32],
      ['J^T U', 32],
    ]);
    for (const { runMs, peakBytes } of report.costs) {
      expect(runMs).toBeGreaterThan(0);
      expect(peakBytes).toBeLessThanOrEqual(report.peakBytes);
    }
    expect(report.inspect).toMatchObject({ jacobians: 24, rows: 16 });
    const block = report.costs.at(-1);
    expect(report.inspect.estimatedMs).toBeGreaterThanOrEqual((24 * 16 * (block?.runMs as number)) / 32);
  });

  it('doctor MODEL with a right statement says so, and with a wrong one names the better in flags with exit code 1', async () => {
    const right = await run('doctor', epsilon.model, '--data', epsilon.data, '--parameterization', 'epsilon');
    expect(right.code).toBe(0);
    expect(linesOf(right).join(' ')).toMatch(
      /verdict +RIGHT: none of \d+ readings beats 'epsilon, linear, pixels -1..1'/,
    );
    const wrong = await run('doctor', epsilon.model, '--data', epsilon.data, '--parameterization', 'x0');
    expect(wrong.code).toBe(1);
    const text = linesOf(wrong).join(' ').replace(/ +/g, ' ');
    expect(text).toMatch(
      /verdict WRONG: 'epsilon, linear, pixels -1..1' beats 'x0, linear, pixels -1..1' \(--parameterization\)/,
    );
    expect(text).toContain('Read it with --parameterization epsilon --schedule linear.');
    expect(text).toContain('x0, linear *');
  });

  it('doctor reads the scheduler of a diffusers folder and judges it', async () => {
    const good = await examined(await diffusersFolder(epsilon.model, 'epsilon'), '--data', epsilon.data);
    expect([good.code, good.model.reading?.check.verdict]).toEqual([0, 'right']);
    expect(good.model.reading?.by).toMatch(/scheduler_config\.json$/);
    const bad = await examined(await diffusersFolder(epsilon.model, 'sample'), '--data', epsilon.data);
    expect([bad.code, bad.model.reading?.check.verdict]).toEqual([1, 'wrong']);
  });

  it('doctor of random weights is unclear and says why that may be, but proves export and derivatives', async () => {
    await copyFile('test/models/dit.onnx', join(folder, 'dit.onnx'));
    const alone = await run('doctor', join(folder, 'dit.onnx'));
    expect(alone.code).toBe(0);
    expect(linesOf(alone).join(' ')).toMatch(/verdict +NOT CHECKED: .*--data/);
    const ended = await run('doctor', 'test/models/flow-mixer.onnx', '--data', 'fashion');
    expect(ended.code).toBe(0);
    const text = linesOf(ended).join(' ').replace(/ +/g, ' ');
    expect(text).toContain('16 images of fashion-heldout-3x16x16');
    expect(text).toContain('1x28x28 as stored, are made 3x16x16');
    expect(text).toMatch(/<u, J v> against <J\^T u, v> \S+e-\d+ fine/);
    expect(text).toMatch(
      /verdict UNCLEAR: .*\(1\) the data are unlike .*\(2\) its weights are random .*\(--parameterization JSON/,
    );
  });

  it('doctor --write puts what was proved and said into a side-car that every command then reads, and overwrites none', async () => {
    const graphPath = join(folder, 'found.onnx');
    await cp(epsilon.model, graphPath);
    const { code, written } = await examined(graphPath, '--data', epsilon.data, '--shape', '1x4x4', '--write');
    expect({ code, written }).toEqual({ code: 0, written: join(folder, 'found.json') });
    const text = await readFile(join(folder, 'found.json'), 'utf8');
    const sideCar = JSON.parse(text) as object;
    expect(sideCar).toMatchObject({
      parameterization: { kind: 'epsilon' },
      sampleShape: [1, 4, 4],
      data: epsilon.data,
    });

    const again = await examined(graphPath);
    expect([again.model.reading?.by, again.model.reading?.check.verdict]).toEqual([
      join(folder, 'found.json'),
      'right',
    ]);
    const inspected = await run('inspect', graphPath, '--sigmas', '0.5', '--samples', '1');
    expect([inspected.code, inspected.err]).toEqual([0, '']);

    const refused = await run('doctor', graphPath, '--data', epsilon.data, '--write');
    expect(refused).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/found\.json: exists already.*E_STORE/) as string,
    });
    expect(await readFile(join(folder, 'found.json'), 'utf8')).toBe(text);
  });

  it('doctor --write writes nothing that is not proved, and ends with 1', async () => {
    const graphPath = join(folder, 'random.onnx');
    // D = x^2 or x - x^2: neither is near to any image.
    const nodes = [node('Mul', ['x', 'x'], ['y'])];
    await writeFile(graphPath, bytesOf(model(graph({ inputs: [blind], outputs: ['y'], nodes }))));
    const { code, out } = await run('doctor', graphPath, '--data', epsilon.data, '--write');
    expect(code).toBe(1);
    expect(out).toMatch(/not written: no reading is proved\.\n$/);
    await expect(readFile(join(folder, 'random.json'))).rejects.toThrow(/ENOENT/);
  });
});

describe('eigenlens doctor, given what is wrong', () => {
  const dit = 'test/models/dit.onnx';
  it.each([
    [
      ['nowhere.onnx'],
      /^error: model 'nowhere\.onnx': expected an ONNX file .*got nothing.*Check the path\. \(E_MODEL\)/,
    ],
    [['README.md'], /expected an \.onnx file, got another\. Export .*docs\/export\.md/],
    [['src'], /expected a folder with unet\/model\.onnx or .*docs\/export\.md/],
    [['test/models'], /Name the file: test\/models\/adm-opset21\.onnx or/],
    [[dit, '--class', '-1'], /^error: --class: expected a class from 0\. \(E_SPEC\)/],
    [[dit, '--class', '1.5'], /^error: --class: expected a whole number\. \(E_SPEC\)/],
    [[dit, '--class', '999'], /expected indices of an axis of size \d+, got 999\. \(E_MODEL\)/],
    [[dit, '--max-weights', '0'], /^error: --max-weights: expected GiB above 0/],
    [[dit, '--input', 'time=nope'], /'nope', named as the time, is not free/],
    [[dit, '--input', 'noise=t'], /^error: --input: expected sample=, time=, class= or text=/],
    [[dit, '--output-name', 'nope'], /'nope', named as the output/],
    [[dit, '--parameterization', 'eps'], /^error: --parameterization: expected .*epsilon.*got 'eps'/],
    [[dit, '--device', 'gpu'], /^error: --device: expected .*webgpu.*got 'gpu'/],
    [[dit, '--shape', '3x64x64'], /does not take samples of 3x64x64/],
    [[dit, '--data', 'fashion'], /expected samples of 4x8x8.*got 1x28x28.*encoder.*rows \[N, 256\].*E_DATASET/],
    [[dit, '--data', 'nothere.npy'], /^error: nothere\.npy: expected a file/],
    [['test/models/blind-cnn.onnx'], /leaves its size open.*--shape 3x32x32/],
    [['test/models/latent-encoder.onnx'], /its output has shape \[1, 8, 8, 8\].*A denoiser gives back what it takes/],
    [['test/models/latent-denoiser.onnx'], /expected embedded text.*--text embedding\.npy/],
    [['--write'], /^error: --write: expected a model and --data/],
    [[dit, '--write'], /^error: --write: expected a model and --data/],
    [['--class', '3'], /^error: doctor: expected a model for these options/],
    [['--nope'], /^error: unknown option '--nope'/],
  ])('doctor %j is refused in one line with exit code 2', async (words, line) => {
    const { code, out, err } = await run('doctor', ...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(line);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it.each([
    ['empty', new Uint8Array(0), /got an empty file/],
    ['web page', new TextEncoder().encode('<!DOCTYPE html><html>404</html>'), /got a web page/],
    ['text', new TextEncoder().encode('not a model\n'.repeat(9)), /truncated, damaged or no ONNX/],
    ['pickle', Uint8Array.of(0x80, 4, 0x95, 10, 0, 0, 0, 0, 0, 0, 0, 0x7d, 0x2e), /expected an ONNX model/],
  ])('doctor of a file that is %s says what it is, in one line', async (name, bytes, line) => {
    const path = join(folder, `${name}.onnx`);
    await writeFile(path, bytes);
    const { code, err } = await run('doctor', path);
    expect({ code, lines: err.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
    expect(err).toMatch(line);
  });

  it('doctor of a truncated model and of one without its external data says so', async () => {
    const whole = await readFile(dit);
    await writeFile(join(folder, 'cut.onnx'), whole.subarray(0, whole.length / 2));
    expect((await run('doctor', join(folder, 'cut.onnx'))).err).toMatch(/truncated/);
    await copyFile('test/models/latent-encoder-external.onnx', join(folder, 'alone.onnx'));
    const { code, err } = await run('doctor', join(folder, 'alone.onnx'));
    expect(code).toBe(2);
    expect(err).toMatch(/expected weights in .*latent-encoder-external\.onnx_data, got no such file/);
  });

  it('doctor of a network that computes NaN says that no reading gives numbers', async () => {
    const nodes = [node('Abs', ['x'], ['a']), node('Neg', ['a'], ['b']), node('Log', ['b'], ['y'])];
    const path = join(folder, 'nan.onnx');
    await writeFile(path, bytesOf(model(graph({ inputs: [blind], outputs: ['y'], nodes }))));
    const { code, err } = await run('doctor', path, '--data', epsilon.data);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: model 'nan': gives no finite values under any reading.*\(E_NUMERICAL\)\n$/);
  });
});
