import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeNpy } from '../data/npy.ts';
import { file, graph, node, value } from '../engine/onnx/read/model.fixture.ts';
import type { AuditResult } from '../experiments/audit-result.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { slice, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { audit } from './audit.ts';
import { runCli } from './program.ts';

const SIDE = 8;
const TRAIN = 60;

/** Waves in each direction of a random image: enough that no two images are near by chance. */
const WAVES = 4;

/** Smooth random images [count, 8, 8] as bytes, sums of 16 plane waves. */
function pictures(count: number, name: string): Tensor<'uint8'> {
  const z = normal(randomKey(3, name), [count, WAVES * WAVES]).data;
  const data = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => {
    const [image, pixel] = [Math.floor(i / (SIDE * SIDE)), i % (SIDE * SIDE)];
    const [x, y] = [(pixel % SIDE) + 0.5, Math.floor(pixel / SIDE) + 0.5];
    let wave = 0;
    for (let k = 0; k < WAVES * WAVES; k++) {
      const [u, v] = [k % WAVES, Math.floor(k / WAVES)];
      wave +=
        (z[image * WAVES * WAVES + k] as number) *
        Math.cos((Math.PI * u * x) / SIDE) *
        Math.cos((Math.PI * v * y) / SIDE);
    }
    return Math.max(0, Math.min(255, Math.round(128 + 20 * wave)));
  });
  return tensor('uint8', [count, SIDE, SIDE], data);
}

let folder: string;
const path = (name: string): string => join(folder, name);

async function writePictures(name: string, images: Tensor<'uint8'>): Promise<void> {
  await mkdir(path(name), { recursive: true });
  const [count = 0, height = 0, width = 0] = images.shape;
  for (let n = 0; n < count; n++) {
    const data = slice(images, n, n + 1).data;
    await writeFile(path(`${name}/${n}.png`), encode({ width, height, data, channels: 1, depth: 8 }));
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-audit-'));
  const train = pictures(TRAIN, 'train');
  await writeFile(path('train.npy'), writeNpy(train));
  const twice = tensor('uint8', train.shape, Uint8Array.from(train.data));
  twice.data.copyWithin(58 * SIDE * SIDE, 0, 2 * SIDE * SIDE);
  await writeFile(path('twice.npy'), writeNpy(twice));
  await writeFile(path('fresh.npy'), writeNpy(pictures(200, 'fresh')));
  await writeFile(path('heldout.npy'), writeNpy(pictures(600, 'heldout')));
  await writeFile(path('many.npy'), writeNpy(pictures(2500, 'many')));
  const half = pictures(100, 'half');
  half.data.set(slice(train, 0, 50).data, 0);
  await writeFile(path('half.npy'), writeNpy(half));
  await writeFile(path('large.npy'), writeNpy(tensor('uint8', [3, 9, 9, 3], new Uint8Array(729))));
  await writeFile(path('points.npy'), writeNpy(tensor('float32', [3, 64], new Float32Array(192).fill(0.5))));
  await writeFile(path('floats.npy'), writeNpy(tensor('float32', [2, 8, 8], new Float32Array(128).fill(7))));
  await writeFile(path('none.npy'), writeNpy(tensor('uint8', [0, 8, 8], new Uint8Array(0))));
  const leaky = pictures(300, 'leaky');
  leaky.data.set(slice(train, 0, 30).data, 0);
  await writeFile(path('leaky.npy'), writeNpy(leaky));
  const colours = Uint8Array.from({ length: 40 * 12 * 10 * 3 }, (_, i) => (i * 2654435761) >>> 24);
  await writeFile(path('colour.npy'), writeNpy(tensor('uint8', [40, 12, 10, 3], colours)));
  await writePictures('mixed', slice(train, 0, 20));
  await writePictures('mixed/other', tensor('uint8', [2, 5, 7], new Uint8Array(70)));
  await writeFile(path('mixed/broken.png'), (await readFile(path('mixed/0.png'))).subarray(0, 40));
  await mkdir(path('broken'));
  await writeFile(path('broken/a.png'), 'no picture');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(words: string[]): Promise<Ended> {
  const written = { out: '', err: '' };
  const code = await runCli(['audit', ...words], [audit], {
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

async function auditJson(words: string[]): Promise<{ code: number; result: AuditResult }> {
  const { code, out, err } = await run([...words, '--json', '--quiet']);
  expect(err).toBe('');
  return { code, result: JSON.parse(out) as AuditResult };
}

describe('eigenlens audit', () => {
  it('audit of the empirical denoiser finds that every sample is a copy, GL 0, and exits 1', async () => {
    const model = `empirical:${path('train.npy')}`;
    const { code, result } = await auditJson([model, '--samples', '64', '--holdout', path('heldout.npy')]);
    expect(code).toBe(1);
    expect(result.verdict).toBe('copies');
    const ratio = result.memorized.find(({ rule }) => rule === 'ratio');
    expect(ratio).toMatchObject({ descriptor: 'pixels', threshold: 1 / 3, value: 1, high: 1, count: 64 });
    // 64 of 64: the lower end of Clopper and Pearson is (1 - 0.95) / 2 to the power 1 / 64.
    expect(ratio?.low).toBeCloseTo(0.025 ** (1 / 64), 12);
    expect(result.generalization?.value).toBe(0);
    expect(result.null.find(({ rule }) => rule === 'ratio')?.value).toBeLessThan(0.05);
    expect(result.pairs[0]?.distance).toBeLessThan(0.01);
  });

  it('audit of the Gaussian denoiser of the same images finds no copies and exits 0', async () => {
    const model = `gaussian:${path('heldout.npy')}`;
    const words = [model, '--train', path('train.npy'), '--holdout', path('fresh.npy'), '--samples', '128'];
    const { code, result } = await auditJson([...words, '--descriptors', 'pixels', '--false-positives', '0.02']);
    expect([code, result.verdict]).toEqual([0, 'does not copy']);
    expect(result.denoising?.length).toBeGreaterThan(0);
  });

  it('audit of images of which half are training images finds half, within its interval', async () => {
    const { code, result } = await auditJson([
      path('half.npy'),
      '--train',
      path('train.npy'),
      '--holdout',
      path('heldout.npy'),
    ]);
    expect(code).toBe(1);
    const ratio = result.memorized.find(({ rule }) => rule === 'ratio');
    expect(ratio?.low).toBeLessThan(0.5);
    expect(ratio?.high).toBeGreaterThan(0.5);
    expect(ratio?.hits).toBeGreaterThanOrEqual(50);
    expect(result.pairs.slice(0, 50).every(({ distance }) => distance === 0)).toBe(true);
    expect(new Set(result.pairs.slice(0, 50).map(({ nearest }) => nearest)).size).toBe(50);
  });

  it('audit of fresh images keeps to the stated false-positive rate, also without held-out images', async () => {
    for (const extra of [['--holdout', path('heldout.npy')], []]) {
      const { code, result } = await auditJson([path('fresh.npy'), '--train', path('train.npy'), ...extra, '--false-positives', '0.03']); // prettier-ignore
      expect(code).toBe(0);
      for (const { source, low } of result.memorized) if (source.kind === 'held-out') expect(low).toBeLessThan(0.03);
      expect(result.notes.some((note) => note.startsWith('No held-out images are known'))).toBe(extra.length === 0);
    }
  });

  it('audit of the training images themselves finds GL 0', async () => {
    const { code, result } = await auditJson([path('train.npy'), '--train', path('train.npy'), '--holdout', path('fresh.npy')]); // prettier-ignore
    expect([code, result.verdict]).toEqual([1, 'copies']);
    expect(result.generalization).toMatchObject({ value: 0, low: 0 });
    expect(result.memorized.map(({ value }) => value)).toEqual([1, 1, 1]);
    expect(result.notes).toEqual([]);
  });

  it('audit of held-out images finds the stated rate of false positives, neither more nor less', async () => {
    const words = [
      `${path('many.npy')}:1500`,
      '--train',
      path('train.npy'),
      '--holdout',
      `${path('many.npy')}:1500-2500`,
    ];
    const { result } = await auditJson([...words, '--samples', '1500', '--false-positives', '0.1', '--descriptors', 'pixels,gradients,centred']); // prettier-ignore
    const calibrated = result.memorized.filter(({ source }) => source.kind === 'held-out');
    expect(calibrated.map(({ rule, descriptor }) => `${rule} ${descriptor}`)).toEqual(['distance pixels', 'similarity gradients', 'similarity pixels-centred']); // prettier-ignore
    // The threshold is known to a Beta of 501 images, the rate to 1500 trials.
    const deviation = Math.sqrt(0.1 * 0.9 * (1 / 502 + 1 / 1500));
    for (const { value, descriptor } of calibrated) {
      expect(Math.abs(value - 0.1), descriptor).toBeLessThan(4 * deviation);
    }
    const total = (counts: readonly number[] | undefined): number => (counts ?? []).reduce((a, b) => a + b, 0);
    expect(result.histograms.map(({ descriptor }) => descriptor)).toEqual(['gradients', 'pixels-centred']);
    for (const { counts } of result.histograms) {
      expect([total(counts.samples), total(counts['held-out images'])]).toEqual([1500, 1000]);
    }
  });

  it('audit leaves held-out images that are training images out of the null, and refuses a holdout of nothing else', async () => {
    const words = [path('half.npy'), '--train', path('train.npy'), '--holdout'];
    const { code, result } = await auditJson([...words, path('leaky.npy')]);
    expect([code, result.verdict]).toEqual([1, 'copies']);
    expect(result.notes).toContain(
      '30 of 300 held-out images equal training images and are left out of the null rates.',
    );
    expect(result.null.every(({ count }) => count === 135)).toBe(true);
    const { err } = await run([...words, path('train.npy'), '--quiet']);
    expect(err).toMatch(
      /at least two held-out images that equal no training image, got 0\. Name others with --holdout/,
    );
  });

  it('audit says which rules too few held-out images leave out', async () => {
    const words = [path('half.npy'), '--train', path('train.npy'), '--holdout', `${path('heldout.npy')}:150`];
    const { result } = await auditJson(words);
    expect(result.memorized.map(({ rule }) => rule)).toEqual(['ratio']);
    expect(result.notes).toContain('150 held-out images are too few to calibrate thresholds at a rate of 0.01: calibrated rules are left out. Name more with --holdout, or raise --false-positives.'); // prettier-ignore
  });

  it('audit of a model finds the closed form that it is', async () => {
    const words = ['--train', path('train.npy'), '--holdout', path('fresh.npy'), '--samples', '16'];
    const low = async (kind: string): Promise<AuditResult> => (await auditJson([`${kind}:${path('train.npy')}`, ...words])).result; // prettier-ignore
    const [gaussian, empirical] = [await low('gaussian'), await low('empirical')];
    // Each is made of nine tenths of the images here, so that it is near its kind and not equal to it.
    for (const { rmse } of gaussian.closeness ?? []) expect(rmse.gaussian?.high).toBeLessThan(rmse.empirical?.low ?? 0);
    expect(empirical.closeness?.at(0)?.rmse.empirical?.high).toBeLessThan(empirical.closeness?.at(0)?.rmse.gaussian?.low ?? 0); // prettier-ignore
    expect(empirical.denoising?.[0]?.gap.low).toBeGreaterThan(gaussian.denoising?.[0]?.gap.high ?? Infinity);
  });

  it("audit takes a descriptor by path, at the papers' threshold of 0.6 and at a calibrated one", async () => {
    const nodes = [node('Flatten', ['x'], ['y'])];
    const bytes = file(graph({ nodes, inputs: [value('x', ['b', 1, SIDE, SIDE])], outputs: [value('y', ['b', SIDE * SIDE])] })); // prettier-ignore
    await writeFile(path('flat.onnx'), bytes);
    const words = [path('half.npy'), '--train', path('train.npy'), '--holdout', path('heldout.npy')];
    const { result } = await auditJson([...words, '--descriptors', path('flat.onnx')]);
    const [stated, calibrated] = result.memorized;
    expect(stated).toMatchObject({ rule: 'similarity', threshold: 0.6, source: { kind: 'stated' } });
    expect(calibrated).toMatchObject({ rule: 'similarity', source: { kind: 'held-out' } });
    expect(calibrated?.hits).toBeGreaterThanOrEqual(50);
  });

  it('audit brings images and training sets of other shapes to one, and says so', async () => {
    const { result } = await auditJson([`gaussian:${path('heldout.npy')}`, '--train', path('colour.npy'), '--samples', '4']);
    expect(result.sampleShape).toEqual([1, SIDE, SIDE]);
    expect(result.notes.join()).toContain('The samples, 3x12x10 as stored, are made 1x8x8 to fit.');
  }); // prettier-ignore

  it('audit counts images that cannot be used and duplicates, and refuses them with --strict', async () => {
    const words = [path('half.npy'), '--train', path('mixed')];
    const { result } = await auditJson(words);
    expect(result.train).toMatchObject({ count: 20 });
    expect(result.train.leftOut.map(({ path: name }) => name).sort()).toEqual([
      'broken.png',
      'other/0.png',
      'other/1.png',
    ]);
    expect(result.duplicates).toMatchObject({ exact: 0 });
    const own = await auditJson([path('mixed'), '--train', path('train.npy')]);
    expect(own.result.subject).toMatchObject({ samples: 20 });
    expect(own.result.subject.leftOut).toHaveLength(3);
    const { code, err } = await run([...words, '--strict', '--quiet']);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: .*\.png: expected .*\n$/);
    const twice = await auditJson([path('fresh.npy'), '--train', path('twice.npy')]);
    expect(twice.result.duplicates).toMatchObject({
      exact: 2,
      near: 2,
      groups: [
        [0, 58],
        [1, 59],
      ],
    });
  });

  it.each([
    ['vectors', [8], ['pixels']],
    ['images of 4 x 4', [4, 4], ['pixels']],
    ['images of 8 x 8', [8, 8], ['pixels', 'gradients']],
  ])('audit compares %s by the descriptors that their shape allows, and says which', async (_, shape, wanted) => {
    for (const [name, count] of [['a', 40], ['b', 20]] as const) {
      const draws = normal(randomKey(9, name), [count, ...shape]);
      await writeFile(path(`shape-${name}.npy`), writeNpy({ ...draws, data: draws.data.map((z) => Math.tanh(z)) }));
    }
    const { code, result } = await auditJson([path('shape-b.npy'), '--train', path('shape-a.npy'), '--false-positives', '0.2']);
    expect([code, result.descriptors]).toEqual([0, wanted]);
    expect([...new Set(result.memorized.map(({ descriptor }) => descriptor))]).toEqual(wanted);
  }); // prettier-ignore

  it('audit says where the evidence is too thin', async () => {
    const { code, result } = await auditJson([path('fresh.npy'), '--train', path('train.npy'), '--holdout', path('heldout.npy'), '--samples', '20']); // prettier-ignore
    expect([code, result.verdict]).toEqual([0, 'not enough evidence']);
    expect(result.reason).toMatch(/Draw more --samples\.$/);
  });

  it('audit --out writes the report, the sheet and the arrays', async () => {
    const out = path('out');
    const words = [path('half.npy'), '--train', path('train.npy'), '--holdout', path('heldout.npy')];
    const { code } = await run([...words, '--out', out, '--quiet']);
    expect(code).toBe(1);
    expect((await readdir(out)).sort()).toEqual(['arrays.npz', 'pairs.png', 'report.html', 'result.json', 'run.json', 'spec.json']); // prettier-ignore
    expect(await readFile(join(out, 'report.html'), 'utf8')).toContain('copies');
  });

  it.each([
    ['images without a training set', ['half.npy'], /name the training set with --train/],
    ['a model that names no training set', ['molrg:n=12,K=2,d=2'], /does not say what it was trained on/],
    ['colour and another size', ['large.npy', '--train', 'points.npy'], /expected samples of 3x9x9|Give samples of that shape/],
    ['values outside any range', ['half.npy', '--train', 'floats.npy'], /expected float images within/],
    ['points in another range than images', ['half.npy', '--train', 'points.npy'], /expected values from -1 to 1, as the samples have, got 0\.5 to 0\.5/],
    ['a folder without a usable image', ['half.npy', '--train', 'broken'], /a\.png|expected at least one/],
    ['an empty set of samples', ['none.npy', '--train', 'train.npy'], /expected at least one sample/],
    ['an empty set', ['half.npy', '--train', 'none.npy'], /expected at least one sample/],
    ['a missing file', ['half.npy', '--train', 'trian.npy'], /Did you mean/],
    ['an unknown descriptor', ['half.npy', '--train', 'train.npy', '--descriptors', 'sift'], /expected pixels, centred, pca, gradients or an ONNX file, got 'sift'/],
    ['a tolerance of 0', ['half.npy', '--train', 'train.npy', '--tolerance', '0'], /tolerance: expected a number above 0/],
  ])('audit refuses %s in one line', async (_, words, wanted) => {
    const files = words.map((word) => (word.endsWith('.npy') || word === 'broken' ? path(word) : word));
    const { code, out, err } = await run([...files, '--quiet']);
    expect([code, out]).toEqual([2, '']);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toMatch(wanted);
  }); // prettier-ignore
});
