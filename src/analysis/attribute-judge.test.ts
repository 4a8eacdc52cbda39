import { describe, expect, it } from 'vitest';

import { datasetFrom } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { CancelledError, DatasetError, DomainError, ShapeError } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import { credible, fitAttributeJudge } from './attribute-judge.ts';

const N = 12;

/** Random images [3, 2, 2] with attributes that are functions of their pixels. */
function images(
  seed: number,
  count: number,
  attributes: Readonly<Record<string, (x: Float64Array) => number>>,
): Dataset {
  const { data } = normal(randomKey(seed, 'judge'), [count, N]);
  const names = Object.keys(attributes);
  const rows = Array.from({ length: count }, (_, i) => data.subarray(i * N, (i + 1) * N));
  const values = Float64Array.from(rows.flatMap((x) => Object.values(attributes).map((of) => of(x))));
  return datasetFrom({
    name: 'random',
    count,
    sampleShape: [3, 2, 2],
    range: { low: -10, high: 10 },
    attributes: { names, values },
    load: (indices) => Promise.resolve(Float32Array.from([...indices].flatMap((i) => [...(rows[i] as Float64Array)]))),
  });
}

const known = {
  linear: (x: Float64Array): number => 3 * (x[0] as number) - (x[5] as number) + 7,
  product: (x: Float64Array): number => (x[1] as number) * (x[2] as number),
  cubic: (x: Float64Array): number => (x[3] as number) ** 3 - 3 * (x[3] as number),
};

describe('fitAttributeJudge()', () => {
  it('fitAttributeJudge() tells what is linear or quadratic in the pixels exactly, and no cubic, which its kernel cannot hold', async () => {
    const judge = await fitAttributeJudge(images(1, 400, known), images(2, 200, known), { ridge: 1e-9 });
    expect(judge.names).toEqual(['linear', 'product', 'cubic']);
    expect(judge.r2[0]).toBeGreaterThan(1 - 1e-6);
    expect(judge.r2[1]).toBeGreaterThan(1 - 1e-6);
    // The Hermite polynomial of degree 3 is orthogonal to all of degree 2.
    expect(judge.r2[2]).toBeLessThan(0.1);
    expect(Math.abs((judge.deviations[0] as number) / Math.sqrt(10) - 1)).toBeLessThan(0.1);
    const one = tensor('float64', [1, 3, 2, 2], new Float64Array(N).fill(0.5));
    const [linear, product] = judge.judge(one);
    expect(Math.abs((linear as number) - 8)).toBeLessThan(1e-3);
    expect(Math.abs((product as number) - 0.25)).toBeLessThan(1e-3);
  });

  it('fitAttributeJudge() learns from as many images as it is told, and shrinks towards the mean by its ridge', async () => {
    const [train, heldout] = [images(1, 400, known), images(2, 200, known)];
    const few = await fitAttributeJudge(train, heldout, { images: 40, ridge: 1e-9 });
    const all = await fitAttributeJudge(train, heldout, { ridge: 1e-9 });
    const ridged = await fitAttributeJudge(train, heldout, { ridge: 1e6 });
    expect(few.r2[1]).toBeLessThan(all.r2[1] as number);
    expect(Math.abs(ridged.r2[0] as number)).toBeLessThan(0.1);
  });

  it('credible() keeps the attributes that are told well, in order', async () => {
    const judge = await fitAttributeJudge(images(1, 400, known), images(2, 200, known), { ridge: 1e-9 });
    const some = credible(judge);
    expect(some.names).toEqual(['linear', 'product']);
    const two = tensor('float64', [2, 3, 2, 2], new Float64Array(2 * N).fill(0.5));
    const [all, kept] = [judge.judge(two), some.judge(two)];
    expect([...kept]).toEqual([all[0], all[1], all[3], all[4]]);
  });

  it('fitAttributeJudge() refuses data without attributes, attributes that never differ, and images of another shape', async () => {
    const good = images(1, 50, known);
    const { attributes, ...plain } = images(1, 50, known);
    expect(attributes).toBeDefined();
    await expect(fitAttributeJudge(plain, good)).rejects.toThrow(DatasetError);
    await expect(fitAttributeJudge(images(1, 50, { same: () => 4, ...known }), good)).rejects.toThrow(DomainError);
    await expect(fitAttributeJudge(good, { ...good, sampleShape: [12] })).rejects.toThrow(ShapeError);
    const judge = await fitAttributeJudge(good, good);
    expect(() => judge.judge(tensor('float64', [1, 3, 4, 4], new Float64Array(48)))).toThrow(ShapeError);
    await expect(fitAttributeJudge(good, good, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});
