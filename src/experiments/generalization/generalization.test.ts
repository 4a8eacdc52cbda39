import { describe, expect, it } from 'vitest';
import { CancelledError, LabError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { CurveCell } from './curve.ts';
import { halfwaySize, readCurve } from './curve.ts';
import { generalizationJob } from './job.ts';
import { curveSweep, fullCurve } from './settings.ts';

const M = 64;
const heldout = castFloat(normal(randomKey(0, 'heldout'), [200, 1, 3, 3]), 'float32');

/** Samples of each cell: of one source of noise, so that equal names mean equal samples. */
function cell(size: number, width: string, part: number, noise: string, memorized: number): CurveCell {
  const samples = castFloat(normal(randomKey(1, noise), [M, 1, 3, 3]), 'float32');
  const row = { memorized, seconds: 2, psnrTrain_1: 12, psnrHeldout_1: 10, gaussian_1: 1 / size, empirical_1: 1 };
  return { size, width, part, row, samples, nearest: samples, cosines: new Float64Array(M).fill(memorized) };
}

describe('readCurve()', () => {
  const cells = [
    cell(4, '8', 0, 'a', 1),
    cell(4, '16', 0, 'a', 1),
    cell(4, '8', 1, 'b', 1),
    cell(4, '16', 1, 'b', 1),
    cell(64, '8', 0, 'c', 0),
    cell(64, '16', 0, 'd', 0.5),
    cell(64, '8', 1, 'c', 0),
    cell(64, '16', 1, 'd', 0.5),
  ];
  const read = (): ReturnType<typeof readCurve> => readCurve(cells, heldout, { seed: 0 });

  it('readCurve() pools GL over parts and says 1 for equal samples and nearly 0 for strangers', async () => {
    const { points, acrossWidths } = await read();
    const at = (size: number, width: string) => points.find((p) => p.size === size && p.width === width);
    expect(at(4, '8')?.generalization).toMatchObject({ value: 0, hits: 0, count: 2 * M });
    expect(at(64, '16')?.generalization).toMatchObject({ value: 0.5, hits: M, count: 2 * M });
    // Widths of size 4 draw the same; their parts do not. At size 64 it is the other way round.
    expect(acrossWidths.map(({ rate }) => [rate.value, rate.count])[0]).toEqual([1, 2 * M]);
    expect(acrossWidths[1]?.rate.value).toBeLessThan(0.1);
    expect(at(4, '8')?.acrossParts?.value).toBeLessThan(0.1);
    expect(at(64, '8')?.acrossParts?.value).toBe(1);
  });

  it('readCurve() takes means over parts by noise level, and counts every cosine once', async () => {
    const { points, edges, threshold } = await read();
    const [first] = points;
    expect(first).toMatchObject({ gap: { 1: 2 }, gaussian: { 1: 0.25 }, empirical: { 1: 1 }, seconds: 4 });
    expect(first?.memorizationPeak.value).toBe(1);
    expect(first?.counts.reduce((sum, n) => sum + n, 0)).toBe(2 * M);
    expect(edges).toHaveLength((first?.counts.length ?? 0) + 1);
    // 1 % of cosines of independent normal vectors in nine dimensions lie above 0.72: P(|r| > 0.72) of a t with 8 degrees is 0.02.
    expect(threshold).toBeGreaterThan(0.6);
    expect(threshold).toBeLessThan(0.85);
  });
});

describe('halfwaySize()', () => {
  const points = (values: number[]) =>
    values.map((value, i) => ({ size: 2 ** i, rate: { value, low: value, high: value } }));
  it('halfwaySize() meets one half between two sizes by their logarithms', () => {
    expect(halfwaySize(points([0, 0.25, 0.75, 1]))).toBeCloseTo(2 ** 1.5, 12);
  });
  it('halfwaySize() is the first size where that is enough already, and undefined where none is', () => {
    expect(halfwaySize(points([0.9, 1]))).toBe(1);
    expect(halfwaySize(points([0, 0.1]))).toBeUndefined();
  });
});

describe('curveSweep()', () => {
  it('curveSweep() names every size, width and part once, with parts that share nothing at any size', () => {
    const { input, places } = curveSweep(fullCurve);
    expect(input.cases).toHaveLength(36);
    expect(new Set(places.map((place) => JSON.stringify(place))).size).toBe(36);
    const ranges = input.cases.map(({ data }) => /:(\d+)-(\d+)$/.exec(String(data)) as RegExpExecArray);
    const ends = (part: number) =>
      ranges.filter((_, i) => places[i]?.part === part).map(([, a, b]) => [Number(a), Number(b)]);
    expect(Math.max(...ends(0).map(([, b]) => b as number))).toBeLessThanOrEqual(
      Math.min(...ends(1).map(([a]) => a as number)),
    );
    for (const fields of input.cases)
      expect(() => generalizationJob.resolve({ ...input.base, ...fields })).not.toThrow();
  });
});

describe('generalizationJob', () => {
  const tiny = {
    data: 'molrg:n=6,K=1,d=2:8',
    architecture: 'mlp',
    channels: [16],
    depth: 1,
    steps: 20,
    batchSize: 8,
    samples: 8,
    samplerSteps: 4,
    images: 4,
    sigmas: [0.5],
  };

  it('generalizationJob.run() gives one row, the samples with their nearest training images, and the model', async () => {
    const { rows, arrays, files } = await generalizationJob.run(generalizationJob.resolve(tiny), {});
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ size: 8, channels: '16', steps: 20 });
    expect(rows[0]?.['gl']).toBe(1 - (rows[0]?.['memorized'] as number));
    expect(Object.keys(files ?? {}).sort()).toEqual(['model.json', 'model.safetensors']);
    const { samples, nearest } = arrays as Record<'samples' | 'nearest', Tensor<'float32'>>;
    expect([samples.shape, nearest.shape]).toEqual([[8, 6], [8, 6]]); // prettier-ignore
  });

  it('generalizationJob.run() stops when told', async () => {
    const signal = AbortSignal.abort();
    await expect(generalizationJob.run(generalizationJob.resolve(tiny), { signal })).rejects.toThrow(CancelledError);
  });

  it.each([
    ['samples', { samples: 1 }],
    ['sigmas', { sigmas: [] }],
    ['sigmas', { sigmas: [-1] }],
    ['falsePositives', { falsePositives: 1 }],
    ['steps', { steps: 0 }],
    ['sampels', { sampels: 3 }],
  ])('generalizationJob.resolve() refuses a wrong or unknown %s by name', (field, change: object) => {
    expect(() => generalizationJob.resolve(change)).toThrow(LabError);
    expect(() => generalizationJob.resolve(change)).toThrow(new RegExp(`\\b${field}\\b`));
  });
});
