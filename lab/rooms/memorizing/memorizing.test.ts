import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { copyRate } from '../../../src/analysis/copying/rules.ts';
import { pixelDescriptor } from '../../../src/analysis/descriptors/pixels.ts';
import { readHeldout } from '../../../src/experiments/audit-heldout.ts';
import { resolveAuditSpec } from '../../../src/experiments/audit-spec.ts';
import { openAuditSubject } from '../../../src/experiments/audit-subject.ts';
import { runAudit, scoreSamples } from '../../../src/experiments/audit.ts';
import { drawSamples } from '../../../src/experiments/draw-samples.ts';
import { findNetwork, readModelFiles } from '../../../src/experiments/network-model.ts';
import { integers, randomKey } from '../../../src/tensor/random.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import type { OperationContext } from '../../compute/protocol.ts';
import { auditImages } from './audit.ts';
import { acrossWidths, pointAt, sizes } from './curve.ts';
import { drawOver, trainedOn } from './pair.ts';
import { cosineRows } from './plots.ts';
import { codec, commandsOf } from './room.ts';

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
    const spec = resolveAuditSpec({ subject: 'fashion-memorized', samples: 3, seed: 4, descriptors: ['pixels'] });
    const subject = await openAuditSubject(spec, { device: 'cpu' });
    await using denoiser = subject.denoiser;
    if (denoiser === undefined) throw new Error('expected a model');
    const { pairs, trained } = await drawOver(denoiser, subject.train, { samples: 3, seed: 4 }, context);
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
  let folder: string;
  const files: Record<'generated' | 'training', DroppedFile[]> = { generated: [], training: [] };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eigenlens-memorizing-'));
    const picture = (i: number): Uint8Array => Uint8Array.from(integers(randomKey(i, 'picture'), [64], 256).data);
    // Four of the samples are training images, a little darker.
    const own = (i: number): Uint8Array => (i < 4 ? picture(3 * i).map((v) => v * 0.97) : picture(100 + i));
    await save('training', 30, picture);
    await save('generated', 9, own);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function save(
    name: 'generated' | 'training',
    count: number,
    pictureOf: (i: number) => Uint8Array,
  ): Promise<void> {
    await mkdir(join(folder, name));
    for (let i = 0; i < count; i++) {
      const bytes = encode({ width: 8, height: 8, data: pictureOf(i), channels: 1, depth: 8 });
      await writeFile(join(folder, name, `${i}.png`), bytes);
      files[name].push({ path: `${name}/${i}.png`, file: new File([new Uint8Array(bytes)], `${i}.png`) });
    }
  }

  it('has the rates, the null rates and the pairs of eigenlens audit', async () => {
    const [subject, train] = ['generated', 'training'].map((name) => join(folder, name));
    const spec = resolveAuditSpec({ subject, train, descriptors: ['pixels'], samples: 9, ratio: 0.333 });
    const { result } = await runAudit(spec, await openAuditSubject(spec), { command: '', version: '0' });
    const audited = await auditImages(files, context);
    const rule = result.memorized.findIndex((rate) => rate.rule === 'ratio');
    expect(copyRate('ratio', audited.ratios, 0.333)).toMatchObject({ hits: 4, low: result.memorized[rule]?.low });
    expect(result.memorized[rule]?.hits).toBe(4);
    const { hits, count } = result.null[rule] as { hits: number; count: number };
    expect(copyRate('ratio', audited.unseen, 0.333)).toMatchObject({ hits, count });
    audited.closest.forEach(({ ratio, distance }, i) => {
      expect(ratio).toBeCloseTo(result.pairs[i]?.ratio as number, 9);
      expect(distance).toBeCloseTo(result.pairs[i]?.distance as number, 9);
    });
    expect(commandsOf({ ...codec.start, ...files }).at(-1)).toBe(
      'eigenlens audit generated/ --train training/ --samples 9 --descriptors pixels --ratio 0.333',
    );
  });

  it('fits training images of another size, leaves out what is none, and says both', async () => {
    const large = encode({ width: 16, height: 16, data: new Uint8Array(256).fill(9), channels: 1, depth: 8 });
    const others = ['a', 'b', 'c', 'd'].map((name) => ({ path: `t/${name}.png`, file: new File([new Uint8Array(large)], name) })); // prettier-ignore
    const broken = { path: 't/broken.png', file: new File(['no picture'], 'broken.png') };
    const { shape, trained, notes } = await auditImages({ ...files, training: [...others, broken] }, context);
    expect([shape, trained]).toEqual([[1, 8, 8], 4]);
    expect(notes[0]).toMatch(
      /1 of 5 images are left out, such as t\/broken.png.*Images of 1 x 16 x 16 are made 1 x 8 x 8/,
    );
  });

  it('says what is wrong with a folder without images, and stops when told to', async () => {
    const text = [{ path: 'notes.txt', file: new File(['words'], 'notes.txt') }];
    await expect(auditImages({ ...files, generated: text }, context)).rejects.toThrow(
      /^samples: expected PNG or JPEG images/,
    );
    const two = files.training.slice(0, 2);
    await expect(auditImages({ ...files, training: two }, context)).rejects.toThrow(/expected at least 3 images that can be read, got 2/); // prettier-ignore
    const stopped = auditImages(files, { ...context, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'E_CANCELLED' });
  });
});
