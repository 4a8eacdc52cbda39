import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { decode, encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { copyRate } from '../../../src/analysis/copying/rules.ts';
import { writeNpy } from '../../../src/data/npy.ts';
import { writeNpz } from '../../../src/data/npz.ts';
import { pixelDescriptor } from '../../../src/analysis/descriptors/pixels.ts';
import { readHeldout } from '../../../src/experiments/audit-heldout.ts';
import { resolveAuditSpec } from '../../../src/experiments/audit-spec.ts';
import { openAuditSubject } from '../../../src/experiments/audit-subject.ts';
import { runAudit, scoreSamples } from '../../../src/experiments/audit.ts';
import { drawSamples } from '../../../src/experiments/draw-samples.ts';
import { findNetwork, readModelFiles } from '../../../src/experiments/network-model.ts';
import { integers, randomKey } from '../../../src/tensor/random.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import type { OperationContext } from '../../compute/protocol.ts';
import { auditImages } from './audit.ts';
import { acrossWidths, pointAt, sizes } from './curve.ts';
import { drawOver, trainedOn } from './pair.ts';
import { cosineRows } from './plots.ts';
import { auditCommand, codec } from './room.ts';
import { rowsOf } from './sheet.ts';

const context: OperationContext = {
  signal: new AbortController().signal,
  progress: () => undefined,
  emit: () => undefined,
};

describe('the curve', () => {
  it('has nine sizes of two networks, with all samples in its histograms', () => {
    expect(sizes).toEqual([16, 32, 64, 128, 256, 512, 1024, 2048, 4096]);
    for (const width of ['narrow', 'wide'] as const) {
      for (const size of sizes) {
        const { generalization, counts } = pointAt(size, width);
        expect(counts.reduce((a, b) => a + b)).toBe(generalization.count);
        expect(cosineRows({ size, width }).reduce((sum, { count }) => sum + count, 0)).toBe(generalization.count);
      }
    }
    expect(acrossWidths.map(({ size }) => size)).toEqual(sizes);
  });

  it('has the numbers of the table in repro/memorization/README.md', () => {
    expect(pointAt(64, 'wide').generalization.value.toFixed(3)).toBe('0.447');
    expect(pointAt(32, 'narrow').generalization.value.toFixed(3)).toBe('0.650');
    expect(pointAt(128, 'wide').gap['0.3'].toFixed(1)).toBe('7.9');
    expect(pointAt(256, 'wide').halves.value.toFixed(3)).toBe('0.740');
  });
});

describe('the samples of the curve', () => {
  it('are the same ten noises for every size, and leave the training images as there are more of them', async () => {
    const svg = await readFile(new URL('../../../repro/memorization/samples.svg', import.meta.url), 'utf8');
    const rows = rowsOf(svg);
    expect(rows.map(({ size, samples, nearest }) => [size, samples.length, nearest.length])).toEqual(
      sizes.map((size) => [size, 10, 10]),
    );
    const pixels = (address: string): Uint8Array => decode(Buffer.from(address.split(',')[1] as string, 'base64')).data as Uint8Array; // prettier-ignore
    const away = rows.map(({ samples, nearest }) => {
      const differences = samples.flatMap((image, m) => {
        const other = pixels(nearest[m] as string);
        return [...pixels(image)].map((v, p) => Math.abs(v - (other[p] as number)));
      });
      return differences.reduce((sum, v) => sum + v, 0) / differences.length;
    });
    // Of 255: what is recited differs by a few levels, what is new by several times as many.
    expect(away[0]).toBeLessThan(6);
    expect(away.at(-1)).toBeGreaterThan(12);
  });
});

describe('links', () => {
  it('hold a measured size only', () => {
    expect(codec.decode(new URLSearchParams('n=512&network=narrow')).state).toMatchObject({
      size: 512,
      width: 'narrow',
    });
    const { state, complaints } = codec.decode(new URLSearchParams('n=100'));
    expect([state.size, complaints[0]]).toEqual([128, 'The link says n = 100, expected one of 16, 32, 64, 128, 256, 512, 1024, 2048, 4096.']); // prettier-ignore
  });
});

describe('drawOver()', () => {
  it('draws the samples that eigenlens audit draws, and finds the same neighbours', async () => {
    const spec = resolveAuditSpec({ subject: 'fashion-memorized', samples: 2, seed: 4, descriptors: ['pixels'] });
    const subject = await openAuditSubject(spec, { device: 'cpu' });
    await using denoiser = subject.denoiser;
    if (denoiser === undefined) throw new Error('expected a model');
    const { pairs, trained } = await drawOver(denoiser, subject.train, { samples: 2, seed: 4 }, context);
    expect(trained).toBe(100);
    const samples = await drawSamples(denoiser, spec);
    const heldout = await readHeldout(subject, spec.seed);
    const descriptor = pixelDescriptor({ sampleShape: subject.train.sampleShape });
    const wanted = await scoreSamples(spec, subject, samples, heldout, [descriptor], {});
    for (const { sample, distance, ratio, nearest } of wanted.pairs) {
      expect(pairs[sample]?.distance).toBeCloseTo(distance, 6);
      expect(pairs[sample]?.ratio).toBeCloseTo(ratio as number, 6);
      expect(pairs[sample]?.nearest).toEqual((await subject.train.read([nearest])).data);
    }
    expect(pairs[1]?.image).toEqual(samples.data.slice(784, 2 * 784));
  });

  it.each(Object.entries(trainedOn))('knows what %s was trained on', async (model, data) => {
    const { sideCar } = await readModelFiles((await findNetwork(model)) as string);
    expect(sideCar.training).toMatchObject({ data: { name: data } });
  });
});

describe('auditImages()', () => {
  type SetName = 'generated' | 'training';
  const [side, counts] = [8, { generated: 9, training: 30 }];
  let folder: string;
  /** Names of what lies in the folder, by what it is. */
  const dropped = new Map<string, DroppedFile[]>();

  /** Bytes of an image: four of the samples are training images, a little darker. */
  function picture(name: SetName, i: number, size = side): Uint8Array {
    const drawn = (key: number): Uint8Array => Uint8Array.from(integers(randomKey(key, 'picture'), [size * size], 256).data); // prettier-ignore
    if (name === 'training') return drawn(i);
    return i < 4 ? drawn(3 * i).map((v) => v * 0.97) : drawn(100 + i);
  }

  async function saveFolder(name: string, images: readonly Uint8Array[], size = side): Promise<void> {
    await mkdir(join(folder, name));
    const paths = images.map((_, i) => join(folder, name, `${i}.png`));
    await Promise.all(images.map((data, i) => writeFile(paths[i] as string, encode({ width: size, height: size, data, channels: 1, depth: 8 })))); // prettier-ignore
    const files = paths.map(async (path) => ({ path: `${name}/${basename(path)}`, file: new File([await readFile(path)], basename(path)) })); // prettier-ignore
    dropped.set(`${name}/`, await Promise.all(files));
  }

  async function saveFile(name: string, bytes: Uint8Array): Promise<void> {
    await writeFile(join(folder, name), bytes);
    dropped.set(name, [{ path: name, file: new File([new Uint8Array(bytes)], name) }]);
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eigenlens-memorizing-'));
    const imagesOf = (name: SetName): Uint8Array[] => Array.from({ length: counts[name] }, (_, i) => picture(name, i));
    for (const name of ['generated', 'training'] as const) {
      const images = imagesOf(name);
      await saveFolder(name, images);
      const shape = [counts[name], side, side, 1];
      const bytes = Uint8Array.from(images.flatMap((image) => [...image]));
      const floats = tensor(
        'float32',
        shape,
        Float32Array.from(bytes, (v) => v / 255),
      );
      await saveFile(`${name}.npy`, writeNpy(tensor('uint8', shape, bytes)));
      await saveFile(`${name}.npz`, writeNpz(new Map<string, Tensor>([['arr_0', floats], ['arr_1', tensor('int32', [1], Int32Array.of(1))]]))); // prettier-ignore
    }
    await saveFolder(
      'larger',
      Array.from({ length: 12 }, (_, i) => picture('training', i, 2 * side)),
      2 * side,
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const audited = (generated: string, training: string): ReturnType<typeof auditImages> =>
    auditImages({ generated: dropped.get(generated) ?? [], training: dropped.get(training) ?? [] }, context);

  it.each([
    ['generated/', 'training/', 4],
    ['generated.npy', 'training/', 4],
    ['generated/', 'training.npy', 4],
    ['generated.npz', 'training.npz', 4],
    ['generated/', 'larger/', 0],
  ])(
    'has of %s and %s the numbers, the null rates and the pairs of eigenlens audit',
    async (generated, training, hits) => {
      const found = await audited(generated, training);
      const [subject, train] = [generated, training].map((name) => join(folder, name));
      const spec = resolveAuditSpec({ subject, train, descriptors: ['pixels'], samples: 9, ratio: 0.333 });
      const { result, arrays } = await runAudit(spec, await openAuditSubject(spec), { command: '', version: '0' });
      const wanted = arrays.scores['pixels_ratio_samples']?.data as Float64Array;
      expect([found.samples, found.trained]).toEqual([wanted.length, result.train.count]);
      found.ratios.forEach((ratio, m) => expect(ratio).toBeCloseTo(wanted[m] as number, 6));
      const rule = result.memorized.findIndex((rate) => rate.rule === 'ratio');
      expect(copyRate('ratio', found.ratios, 0.333)).toMatchObject({ hits, low: result.memorized[rule]?.low });
      expect(result.memorized[rule]?.hits).toBe(hits);
      const { hits: nulls, count } = result.null[rule] as { hits: number; count: number };
      expect(copyRate('ratio', found.unseen, 0.333)).toMatchObject({ hits: nulls, count });
      found.closest.forEach(({ ratio, distance }, i) => {
        expect(ratio).toBeCloseTo(result.pairs[i]?.ratio as number, 6);
        expect(distance).toBeCloseTo(result.pairs[i]?.distance as number, 6);
      });
      expect(auditCommand(found, 0.333)).toBe(
        `eigenlens audit ${generated} --train ${training} --samples 9 --descriptors pixels --ratio 0.333`,
      );
    },
  );

  it('leaves out what is no image, fits images of another size, and says both', async () => {
    const broken = { path: 'larger/broken.png', file: new File(['no picture'], 'broken.png') };
    const training = [...(dropped.get('larger/') ?? []), broken];
    const { shape, trained, notes } = await auditImages(
      { generated: dropped.get('generated/') ?? [], training },
      context,
    );
    expect([shape, trained]).toEqual([[1, 8, 8], 12]);
    expect(notes[0]).toMatch(
      /1 of 13 images are left out, such as larger\/broken.png.*Images of 1 x 16 x 16 are made 1 x 8 x 8/,
    );
  });

  it('says in a sentence what is wrong with what was dropped, and stops when told to', async () => {
    const training = dropped.get('training/') ?? [];
    const refusal = async (...files: DroppedFile[]): Promise<string> =>
      auditImages({ generated: files, training }, context).then(() => '', String);
    const text = { path: 'notes.txt', file: new File(['words'], 'notes.txt') };
    expect(await refusal(text)).toMatch(/samples: expected PNG or JPEG images, or one NPY or NPZ file of images, got notes.txt\./); // prettier-ignore
    const [npy, npz] = ['generated.npy', 'generated.npz'].map((name) => dropped.get(name)?.[0] as DroppedFile);
    expect(await refusal(npy as DroppedFile, npz as DroppedFile)).toContain('expected one NPY or NPZ file, got 2 files such as generated.npy.'); // prettier-ignore
    expect(await refusal({ path: 'a.npy', file: text.file })).toContain('expected an NPY file');
    const rows = writeNpy(tensor('float32', [4, 64], new Float32Array(256)));
    expect(await refusal({ path: 'rows.npy', file: new File([new Uint8Array(rows)], 'rows.npy') })).toContain('in rows.npy, got rows of 64 numbers.'); // prettier-ignore
    await expect(audited('larger/', 'training.npy')).rejects.toThrow('expected images of 1 x 16 x 16, as the samples are, in training.npy, got 1 x 8 x 8.'); // prettier-ignore
    const two = { generated: training, training: training.slice(0, 2) };
    await expect(auditImages(two, context)).rejects.toThrow(/expected at least 3 images that can be read, got 2/);
    const stopped = auditImages({ generated: training, training }, { ...context, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
