import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { fitEmpirical } from '../denoisers/empirical.ts';
import { gaussianDenoiser } from '../denoisers/gaussian.ts';
import { DatasetError, ModelError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { slice, takeRows } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { resolveAuditSpec } from './audit-spec.ts';
import { runAudit } from './audit.ts';
import { checkCopying } from './inspect-copying.ts';
import { runInspectBeside } from './inspect-beside.ts';
import { drawSamples } from './inspect-points.ts';
import { resolveInspectSpec, trajectoryGrid } from './inspect-spec.ts';
import type { InspectSpec } from './inspect-spec.ts';
import type { InspectSubject } from './inspect.ts';

const SHAPE = [1, 4, 4];
const D = 16;
const range = { low: -4, high: 4 };
const said = { command: 'eigenlens inspect test', version: '0.0.0' };

function points(name: string, count: number): Dataset {
  return inMemory(name, normal(randomKey(5, name), [count, ...SHAPE]), range);
}

const train = points('train', 60);
const heldout = points('heldout', 400);
const gaussian = gaussianDenoiser({
  name: 'gaussian:train',
  sampleShape: SHAPE,
  mean: new Float64Array(D),
  eigen: { values: new Float64Array(D).fill(1), vectors: identity() },
});
let copier: InspectSubject;
const honest: InspectSubject = { denoiser: gaussian, train, heldout, ...said };
beforeAll(async () => {
  copier = { denoiser: await fitEmpirical(train, { name: 'empirical:train' }), train, heldout, ...said };
});
afterAll(() => copier.denoiser[Symbol.asyncDispose]());

function identity(): Tensor<'float64'> {
  const data = Float64Array.from({ length: D * D }, (_, i) => Number(i % (D + 1) === 0));
  return { dtype: 'float64', shape: [D, D], data };
}

async function check(subject: InspectSubject, spec: InspectSpec): Promise<Awaited<ReturnType<typeof checkCopying>>> {
  const { denoiser } = subject;
  const { samples } = await drawSamples(denoiser, { count: spec.copies, seed: 0, grid: trajectoryGrid(spec) });
  return checkCopying(spec, { denoiser, train, heldout: subject.heldout }, samples);
}

describe('checkCopying()', () => {
  const spec = resolveInspectSpec({ copies: 300, steps: 12 });

  test('checkCopying() finds that the empirical denoiser copies: every sample is a training image', async () => {
    const { copying, closest, training } = (await check(copier, spec)) as NonNullable<
      Awaited<ReturnType<typeof check>>
    >;
    expect(copying).toMatchObject({ verdict: 'copies', samples: 300, train: { name: 'train', count: 60 } });
    expect(Math.max(...copying.memorized.map(({ value }) => value))).toBe(1);
    expect(Math.max(...copying.null.map(({ value }) => value))).toBeLessThan(0.05);
    expect(copying.generalization?.value).toBe(0);
    expect(copying.denoising).toBeUndefined(); // no network
    closest.data.forEach((value, i) => expect(value).toBeCloseTo(training.data[i] as number, 5));
  });

  test('checkCopying() clears the Gaussian denoiser', async () => {
    const found = await check(honest, spec);
    expect(found?.copying.verdict).toBe('does not copy');
    expect(found?.copying.holdout?.name).toBe('heldout');
    expect(found?.copying.pairs).toHaveLength(300);
  });

  test('checkCopying() says exactly what audit says of the same samples', async () => {
    const { denoiser } = copier;
    const audit = resolveAuditSpec({ subject: 'x', samples: 64, steps: 12, descriptors: ['pixels'] });
    const grid = resolveInspectSpec({ copies: 64, steps: 12, sigmas: [80, 0.002] });
    const { result } = await runAudit(audit, { denoiser, train, holdout: heldout }, said);
    const copying = (await check(copier, grid))?.copying;
    const { verdict, reason, memorized, null: nulls, pairs } = result;
    expect(copying).toMatchObject({ verdict, reason, memorized, null: nulls, pairs });
  });

  test('checkCopying() leaves training images out of their own comparison where nothing is held out', async () => {
    const found = await check({ ...honest, heldout: train }, spec);
    expect(found?.copying.holdout).toBeUndefined();
    expect(found?.copying.notes[0]).toMatch(/^No held-out images are known/);
    expect(found?.copying.null.every(({ value }) => value < 0.1)).toBe(true);
  });

  test('checkCopying() compares nothing where the spec says 0, and with a training set of one sample', async () => {
    const samples = normal(randomKey(1), [4, ...SHAPE]);
    const own = { denoiser: gaussian, train, heldout };
    expect(await checkCopying({ ...spec, copies: 0 }, own, samples)).toBeUndefined();
    const one = points('one', 1);
    expect(await checkCopying({ ...spec, copies: 4 }, { ...own, train: one }, samples)).toBeUndefined();
  });

  test('checkCopying() names --copies 0 where all held-out samples are training samples', async () => {
    const all = await train.read(Int32Array.from({ length: train.count }, (_, i) => i));
    const same = inMemory('same', takeRows(all, [3, 4, 5]), range);
    const work = checkCopying({ ...spec, copies: 2 }, { denoiser: gaussian, train, heldout: same }, slice(all, 0, 2));
    await expect(work).rejects.toThrow(DatasetError);
    await expect(work).rejects.toThrow(/^same: .*--copies 0/);
  });
});

describe('runInspectBeside()', () => {
  const spec = resolveInspectSpec({ sigmas: [0.05, 0.5, 1, 20], samples: 6, copies: 300, steps: 8, beside: 'b', besideLevels: 2 }); // prettier-ignore
  const pair = { ...spec, beside: spec.beside as NonNullable<InspectSpec['beside']> };

  test('runInspectBeside() gives two verdicts, and the samples of both from the same latents', async () => {
    const labels = new Set<string>();
    const watched = { ...copier, onProgress: ({ label }: { label: string }) => labels.add(label) };
    const { result, arrays, beside } = await runInspectBeside(pair, honest, watched);
    expect([result.copying?.verdict, result.beside?.copying?.verdict]).toEqual(['does not copy', 'copies']);
    expect(result.beside).toMatchObject({ model: 'empirical:train', sigmas: [1, 0.05] });
    expect(result.beside?.rankCurve).toHaveLength(2 * 2 * 2);
    // One latent at one noise level: the first states of both trajectories are equal.
    const start = slice(beside?.arrays.trajectory_x as Tensor<'float64'>, 0, 1).data;
    expect(start).toEqual(slice(arrays.trajectory_x as Tensor<'float64'>, 0, 1).data);
    expect(beside?.arrays.trajectory_sigmas).toEqual(arrays.trajectory_sigmas);
    expect([...labels]).toContain('sampling of empirical:train');
  });

  test('runInspectBeside() refuses a model of another shape before it computes anything', async () => {
    const untouched = { ...gaussian, denoise: () => expect.unreachable('nothing is computed') };
    const other = { ...honest, denoiser: { ...untouched, name: 'flat', sampleShape: [16] } };
    const work = runInspectBeside(pair, { ...honest, denoiser: untouched }, other);
    await expect(work).rejects.toThrow(ShapeError);
    await expect(work).rejects.toThrow('--beside flat: expected samples of shape [1, 4, 4]');
  });

  test('runInspectBeside() refuses a model whose training set is not known', async () => {
    const work = runInspectBeside(pair, honest, { ...copier, train: undefined });
    await expect(work).rejects.toThrow(ModelError);
    await expect(work).rejects.toThrow(/^model 'empirical:train': has no training set to be compared with/);
  });
});
