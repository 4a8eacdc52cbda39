import { describe, expect, test } from 'vitest';
import { inMemory } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { cosine, describeDataset } from '../descriptors/descriptor.ts';
import type { Descriptor } from '../descriptors/descriptor.ts';
import { pixelDescriptor } from '../descriptors/pixels.ts';
import { nearestNeighbors } from '../neighbors.ts';
import { complement } from './interval.ts';
import { calibrateThreshold, copyRate, copyRules, measureCopies, splitHeldout } from './rules.ts';
import type { RuleSetting } from './rules.ts';
import { scoreCopies } from './scores.ts';
import type { CopyScores, NeighborSearch } from './scores.ts';
import { sweepThresholds } from './sweep.ts';

const d = 24;
const shape = [1, 4, 6];
const unitRange = { low: -8, high: 8 };

/** Every distance, sorted: nothing shared with the search of the house. */
const bruteForce: NeighborSearch = async (queries, bank, { k, metric }) => {
  const all = await bank.read(Array.from({ length: bank.count }, (_, i) => i));
  const M = queries.shape[0] as number;
  const indices = new Int32Array(M * k);
  const distances = new Float64Array(M * k);
  for (let m = 0; m < M; m++) {
    const query = slice(queries, m, m + 1).data;
    const found = Array.from({ length: bank.count }, (_, i) => {
      const other = slice(all, i, i + 1).data;
      const squares = query.reduce((sum, v, j) => sum + (v - (other[j] as number)) ** 2, 0);
      return { i, distance: metric === 'cosine' ? 1 - cosine(query, other) : Math.sqrt(squares) };
    }).sort((a, b) => a.distance - b.distance);
    for (let r = 0; r < k; r++) {
      indices[m * k + r] = found[r]?.i as number;
      distances[m * k + r] = found[r]?.distance as number;
    }
  }
  return { indices, distances: tensor('float64', [M, k], distances) };
};

function gaussian(name: string, count: number): Tensor<'float32'> {
  return tensor('float32', [count, ...shape], Float32Array.from(normal(randomKey(5, name), [count * d]).data));
}

function joined(...parts: Tensor<'float32'>[]): Tensor<'float32'> {
  const data = parts.flatMap((part) => [...part.data]);
  return tensor('float32', [data.length / d, ...shape], Float32Array.from(data));
}

const centred = pixelDescriptor({ sampleShape: shape, mean: new Float64Array(d) });
const raw = pixelDescriptor({ sampleShape: shape });

async function score(images: Tensor<'float32'>, train: Tensor<'float32'>, descriptor: Descriptor): Promise<CopyScores> {
  const bank: Dataset = describeDataset(inMemory('train', train, unitRange), descriptor);
  return scoreCopies(images, bank, descriptor, { search: bruteForce });
}

describe('scoreCopies()', () => {
  const train = gaussian('train', 40);
  test('of the training images themselves finds each, at similarity 1, distance 0 and ratio 0: GL is 0 by every rule', async () => {
    const scores = await score(train, train, centred);
    expect([...scores.nearest]).toEqual(Array.from({ length: 40 }, (_, i) => i));
    for (const [rule, threshold] of [
      ['similarity', 0.999999],
      ['ratio', 1 / 3],
      ['distance', 1e-6],
    ] as const) {
      // prettier-ignore
      const rate = copyRate(rule, scores[rule] as Float64Array, threshold);
      expect(rate.value, rule).toBe(1);
      expect(complement(rate).value, rule).toBe(0);
    }
  });
  test('gives distances of unit vectors where a descriptor is compared by cosine', async () => {
    const images = gaussian('samples', 10);
    const { similarity, distance } = await score(images, train, centred);
    similarity?.forEach((s, m) => expect((distance[m] as number) ** 2).toBeCloseTo(2 - 2 * s, 12));
    // Twice as bright is as similar.
    const brighter = await score({ ...images, data: images.data.map((v) => 2 * v) }, train, centred);
    expect([...brighter.distance]).toEqual([...distance]);
  });
  test('gives root mean square differences of raw pixels without a mean, and no similarity', async () => {
    const moved = train.data.map((v, i) => (i % d === 0 ? v + 0.5 : v));
    const scores = await score({ ...train, data: moved }, train, raw);
    expect(scores.similarity).toBeUndefined();
    scores.distance.forEach((distance) => expect(distance).toBeCloseTo(0.5 / Math.sqrt(d), 6));
  });
  test('takes the ratio to the second nearest, or to the mean of more', async () => {
    const line = tensor('float32', [4, 1], Float32Array.of(0, 3, 9, 100));
    const at = tensor('float32', [1, 1], Float32Array.of(1));
    const points = pixelDescriptor({ sampleShape: [1] });
    const bank = describeDataset(inMemory('line', line, unitRange), points);
    const ratio = async (others: number): Promise<number | undefined> =>
      (await scoreCopies(at, bank, points, { search: bruteForce, others })).ratio?.[0];
    expect(await ratio(1)).toBe(1 / 2);
    expect(await ratio(2)).toBe(1 / 5);
    expect(await ratio(4), 'four others of four').toBeUndefined();
  });
  test('finds the same with the search of the house as with every distance sorted', async () => {
    const images = gaussian('samples', 12);
    for (const descriptor of [centred, raw]) {
      const bank = describeDataset(inMemory('train', train, unitRange), descriptor);
      const [own, all] = [await scoreCopies(images, bank, descriptor), await score(images, train, descriptor)];
      expect(own.nearest).toEqual(all.nearest);
      // Roots of 2 - 2 cos of float32 descriptions: a few roundings of float64 before the root.
      own.distance.forEach((v, m) => expect(v).toBeCloseTo(all.distance[m] as number, 12));
    }
  });
  test('takes an image without next neighbours for no copy', async () => {
    const two = slice(train, 0, 2);
    const bank = describeDataset(inMemory('two', two, unitRange), raw);
    const scores = await scoreCopies(two, bank, raw, {
      search: (queries, data, options) => nearestNeighbors(queries, data, { ...options, exclude: 'self' }),
    });
    expect([...scores.nearest]).toEqual([1, 0]);
    expect(scores.ratio).toEqual(Float64Array.of(1, 1));
  });
  test('refuses a bank of something else', async () => {
    const bank = inMemory('train', train, unitRange);
    await expect(scoreCopies(train, bank, centred, { search: bruteForce })).rejects.toThrow(ShapeError);
  });
});

describe('measureCopies()', () => {
  test('finds the fraction of copies in a mixture with fresh points, by every rule, and next to none held out', async () => {
    const train = gaussian('train', 60);
    const [copies, fresh] = [24, 56];
    const noise = normal(randomKey(5, 'copying'), [copies * d]).data;
    const copied = slice(train, 0, copies).data.map((v, i) => v + 0.02 * (noise[i] as number));
    const samples = joined(tensor('float32', [copies, ...shape], copied), gaussian('fresh', fresh));
    const heldout = await score(gaussian('heldout', 400), train, centred);
    const measures = measureCopies(await score(samples, train, centred), heldout, { seed: 1 });
    expect(measures.map((m) => m.rule)).toEqual(['ratio', 'similarity', 'ratio', 'distance']);
    const calibrated = { kind: 'held-out', falsePositives: 0.01, images: 200 };
    expect(measures.map((m) => m.source)).toEqual([{ kind: 'stated' }, calibrated, calibrated, calibrated]);
    for (const { rule, value, low, high, hits, count, null: null_ } of measures) {
      expect(count).toBe(copies + fresh);
      expect(hits, `${rule} misses no copy`).toBeGreaterThanOrEqual(copies);
      expect(low).toBeLessThanOrEqual(copies / (copies + fresh));
      expect(high).toBeGreaterThanOrEqual(copies / (copies + fresh));
      expect(value).toBe(hits / count);
      expect(null_.count).toBe(200);
      expect(null_.low, `${rule} null`).toBeLessThanOrEqual(0.01);
    }
  });
  test('leaves out rules without scores and rates that so few held-out images cannot promise', async () => {
    const train = gaussian('train', 20);
    const samples = await score(gaussian('samples', 5), train, raw);
    const heldout = await score(gaussian('heldout', 30), train, raw);
    const settings: RuleSetting[] = copyRules.flatMap((rule) => [
      { rule, falsePositives: 0.01 },
      { rule, falsePositives: 0.1 },
    ]);
    const measured = measureCopies(samples, heldout, { seed: 0, settings });
    expect(measured.map((m) => m.rule)).toEqual(['ratio', 'distance']);
    expect(() => measureCopies(samples, { ...heldout, descriptor: 'other' }, { seed: 0 })).toThrow(DomainError);
  });
});

describe('calibrateThreshold()', () => {
  test.each([
    ['distance', 99, 0.01],
    ['similarity', 99, 0.05],
    ['ratio', 50, 0.1],
  ] as const)('of %s, %i scores: fresh ones pass for copies at the rate promised', (rule, n, falsePositives) => {
    const [repetitions, fresh] = [400, 50];
    let hits = 0;
    for (let r = 0; r < repetitions; r++) {
      const known = normal(randomKey(r, 'known', rule), [n]).data;
      const unseen = normal(randomKey(r, 'unseen', rule), [fresh]).data;
      hits += copyRate(rule, unseen, calibrateThreshold(rule, known, falsePositives) as number).hits;
    }
    const promised = Math.floor(falsePositives * (n + 1) + 1e-9) / (n + 1);
    // Given the threshold the chance of a hit is Beta(k, n + 1 - k) distributed: variance of the mean rate over repetitions and trials.
    const spread = (promised * (1 - promised)) / (n + 2);
    const deviation = Math.sqrt((spread + (promised * (1 - promised)) / fresh) / repetitions);
    expect(promised).toBeLessThanOrEqual(falsePositives);
    expect(Math.abs(hits / (repetitions * fresh) - promised)).toBeLessThan(4 * deviation);
  });
  test('promises nothing from too few scores', () => {
    expect(calibrateThreshold('distance', new Float64Array(98), 0.01)).toBeUndefined();
    expect(calibrateThreshold('distance', new Float64Array(99), 0.01)).toBe(0);
    expect(() => calibrateThreshold('distance', new Float64Array(9), 1)).toThrow(DomainError);
  });
  test('counts nothing on the threshold itself, so that ties cost power and not the rate', () => {
    expect(copyRate('distance', Float64Array.of(0, 0, 0), 0).hits).toBe(0);
    expect(copyRate('similarity', Float64Array.of(1, 1, 0.5), 1).hits).toBe(0);
  });
});

test('splitHeldout() takes every image once', () => {
  const { calibrate, show } = splitHeldout(7, 2);
  expect([calibrate.length, show.length]).toEqual([4, 3]);
  expect([...calibrate, ...show].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

describe('sweepThresholds()', () => {
  const scores = (distance: number[]): CopyScores => ({
    descriptor: 'x',
    nearest: new Int32Array(distance.length),
    distance: Float64Array.from(distance),
  });
  test('counts at each threshold what lies beyond it', () => {
    const sweep = sweepThresholds('distance', scores([0, 1, 2]), scores([3, 4]), 5);
    expect([...(sweep?.thresholds ?? [])]).toEqual([0, 1, 2, 3, 4]);
    expect(sweep?.samples.map((r) => r.hits)).toEqual([0, 1, 2, 3, 3]);
    expect(sweep?.heldout.map((r) => r.hits)).toEqual([0, 0, 0, 0, 1]);
  });
  test('has nothing to say of a rule without scores', () => {
    expect(sweepThresholds('similarity', scores([0]), scores([1]))).toBeUndefined();
    expect(() => sweepThresholds('distance', scores([0]), scores([1]), 1)).toThrow(DomainError);
  });
});
