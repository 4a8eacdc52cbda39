import { describe, expect, test } from 'vitest';
import { inMemory } from '../../data/dataset.ts';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { leadingComponents } from '../principal-components.ts';
import { cosine, describeAll, describeDataset } from './descriptor.ts';
import { pixelDescriptor } from './pixels.ts';
import { principalDescriptor } from './principal.ts';

const shape = [1, 3, 4];
const d = 12;
const range = { low: -30, high: 30 };

/** Correlated samples about a mean that is not 0, with variances 36, 25, ..., and none along the last two pixels. */
function drawn(count: number, seed: number): Tensor<'float32'> {
  const z = normal(randomKey(seed), [count, d]).data;
  const x = z.map((v, i) => (i % d < 10 ? Math.max(1, 6 - (i % d)) * v + 0.3 * (z[i - (i % d)] as number) : 0) + 5);
  return tensor('float32', [count, ...shape], Float32Array.from(x));
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.sqrt(Array.from(a).reduce((sum, v, i) => sum + (v - (b[i] as number)) ** 2, 0));
}

describe('cosine()', () => {
  test('is 1 for equal and -1 for opposite vectors, of any size, and 0 for unrelated ones', () => {
    for (const scale of [1e-20, 1, 1e20]) {
      const v = Float32Array.of(0.1, 0.7, -0.3).map((x) => x * scale);
      expect(cosine(v, v)).toBe(1);
      expect(cosine(v, v.map((x) => -x))).toBe(-1); // prettier-ignore
    }
    expect(cosine([1, 0], [0, 2])).toBe(0);
    expect(cosine([3, 4], [4, 3])).toBeCloseTo(24 / 25, 15);
  });
  test('of blank descriptions is 1 with one another and 0 with others', () => {
    expect(cosine([0, 0], [0, 0])).toBe(1);
    expect(cosine([0, 0], [1, 0])).toBe(0);
    expect(() => cosine([1], [1, 2])).toThrow(DomainError);
  });
});

describe('describeDataset()', () => {
  test('holds the descriptions in the order of its samples, with their labels', async () => {
    const x = drawn(300, 1);
    const labels = Int32Array.from({ length: 300 }, (_, i) => i % 7);
    const descriptor = pixelDescriptor({ sampleShape: shape, mean: new Float64Array(d).fill(5) });
    const described = describeDataset(inMemory('drawn', x, range, { labels }), descriptor);
    expect(described).toMatchObject({ name: 'pixels-centred of drawn', count: 300, sampleShape: [d], labels });
    const all = await describeAll(x, descriptor);
    for await (const { x: some, indices } of described.batches({ size: 70, indices: [299, 0, 256, 3] })) {
      indices.forEach((i, b) => expect(slice(some, b, b + 1).data).toEqual(slice(all, i, i + 1).data));
    }
  });
  test('describes nothing as nothing', async () => {
    const none = tensor('float32', [0, ...shape], new Float32Array(0));
    expect((await describeAll(none, pixelDescriptor({ sampleShape: shape }))).shape).toEqual([0, d]);
  });
});

describe('pixelDescriptor()', () => {
  test('takes the mean away where it is given, and is then compared by cosine', async () => {
    const x = drawn(5, 2);
    const mean = Float64Array.from({ length: d }, (_, i) => i);
    const centred = pixelDescriptor({ sampleShape: shape, mean });
    const raw = pixelDescriptor({ sampleShape: shape });
    expect([centred.similarity, raw.similarity]).toEqual(['cosine', 'euclidean']);
    const root = Math.sqrt(d);
    (await raw.describe(x)).data.forEach((v, i) => expect(v).toBeCloseTo((x.data[i] as number) / root, 6));
    const expected = x.data.map((v, i) => (v - (i % d)) / root);
    (await centred.describe(x)).data.forEach((v, i) => expect(v).toBeCloseTo(expected[i] as number, 5));
  });
  test('refuses other samples and other means', () => {
    const raw = pixelDescriptor({ sampleShape: shape });
    expect(() => raw.describe(tensor('float32', [1, 4, 3], new Float32Array(12)))).toThrow(ShapeError);
    expect(() => pixelDescriptor({ sampleShape: shape, mean: [1, 2] })).toThrow(DomainError);
  });
});

describe('principalDescriptor()', () => {
  const train = drawn(500, 3);
  const fitted = leadingComponents(inMemory('drawn', train, range), { count: d });

  test('whitened has uncorrelated coefficients of mean 0 and variance 1 over the training set', async () => {
    const descriptor = principalDescriptor({ sampleShape: shape, components: await fitted });
    expect(descriptor, 'two directions have no variance').toMatchObject({ name: 'pca-10-whitened', length: 10 });
    const { data } = await descriptor.describe(train);
    for (let i = 0; i < 10; i++) {
      for (let j = 0; j <= i; j++) {
        let [product, sum] = [0, 0];
        for (let n = 0; n < 500; n++) {
          product += ((data[n * 10 + i] as number) * (data[n * 10 + j] as number)) / 500;
          sum += (data[n * 10 + i] as number) / 500;
        }
        // float32 coefficients about 1, averaged: a few units of 2^-24.
        expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(16 * 2 ** -24);
        expect(Math.abs(sum)).toBeLessThan(16 * 2 ** -24);
      }
    }
  });
  test('not whitened keeps all distances with all components, and shortens them with fewer', async () => {
    const whole = principalDescriptor({ sampleShape: shape, components: await fitted, whiten: false });
    const part = principalDescriptor({ sampleShape: shape, components: await fitted, whiten: false, count: 3 });
    expect(part).toMatchObject({ name: 'pca-3', length: 3 });
    const [a, b] = [await whole.describe(train), await part.describe(train)];
    for (let n = 1; n < 40; n++) {
      const pixels = distance(slice(train, 0, 1).data, slice(train, n, n + 1).data);
      const all = distance(slice(a, 0, 1).data, slice(a, n, n + 1).data);
      expect(Math.abs(all - pixels)).toBeLessThan(16 * 2 ** -24 * 30);
      expect(distance(slice(b, 0, 1).data, slice(b, n, n + 1).data)).toBeLessThan(all);
    }
  });
  test('whitened has cosines of deviation 1 / sqrt(count) between unrelated Gaussian samples, whatever the spectrum', async () => {
    const descriptor = principalDescriptor({ sampleShape: shape, components: await fitted });
    const { data } = await descriptor.describe(drawn(4000, 4));
    const cosines = Array.from({ length: 2000 }, (_, n) =>
      cosine(data.subarray(n * 20, n * 20 + 10), data.subarray(n * 20 + 10, n * 20 + 20)),
    );
    const squares = cosines.reduce((sum, c) => sum + c * c, 0) / 2000;
    // Four deviations of a mean of 2000; 5 % more for the covariance of 500 samples.
    expect(Math.abs(squares - 0.1)).toBeLessThan(4 * 0.1 * Math.sqrt(2 / 2000) + 0.005);
  });
  test('refuses a count beyond the components and components of other samples', async () => {
    const components = await fitted;
    expect(() => principalDescriptor({ sampleShape: shape, components, count: 13 })).toThrow(DomainError);
    expect(() => principalDescriptor({ sampleShape: [1, 2, 2], components })).toThrow(DomainError);
  });
});
