import { describe, expect, test } from 'vitest';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { pixelDescriptor } from '../descriptors/pixels.ts';
import { histograms } from './histogram.ts';
import { measureReproducibility } from './reproducibility.ts';

const d = 40;
const centred = pixelDescriptor({ sampleShape: [d], mean: new Float64Array(d) });

function points(name: string, count: number): Tensor<'float32'> {
  return tensor('float32', [count, d], Float32Array.from(normal(randomKey(3, name), [count * d]).data));
}

describe('measureReproducibility()', () => {
  test('of identical sets is 1, and of shuffled ones next to nothing', async () => {
    const a = points('a', 300);
    const found = await measureReproducibility(a, a, centred, { seed: 0, alike: { threshold: 0.6 } });
    expect(found).toMatchObject({ value: 1, high: 1, hits: 300, threshold: 0.6, source: { kind: 'stated' } });
    expect(found.pairs.every((s) => s === 1)).toBe(true);
    // Cosines of unrelated points have deviation 1 / sqrt(40): 0.6 is nearly four of them.
    expect(found.null.value).toBeLessThan(0.01);
    expect(Math.max(...found.shuffled), 'no sample meets itself').toBeLessThan(0.9);
  });
  test('of unrelated sets is what its threshold lets pass', async () => {
    const found = await measureReproducibility(points('a', 2000), points('b', 2000), centred, {
      seed: 1,
      alike: { falsePositives: 0.05 },
    });
    expect(found.source).toEqual({ kind: 'held-out', falsePositives: 0.05, images: 2000 });
    // Threshold and rate come from 2000 pairs each: four deviations of their difference.
    const allowed = 4 * Math.sqrt((2 * 0.05 * 0.95) / 2000);
    expect(Math.abs(found.value - 0.05)).toBeLessThan(allowed);
    expect(Math.abs(found.null.value - 0.05)).toBeLessThan(allowed);
  });
  test('counts the pairs that agree', async () => {
    const [a, b] = [points('a', 90), points('b', 90)];
    b.data.set(slice(a, 0, 30).data);
    const found = await measureReproducibility(a, b, centred, { seed: 2, alike: { threshold: 0.9 } });
    expect(found.hits).toBe(30);
    expect(found.low).toBeLessThan(1 / 3);
    expect(found.high).toBeGreaterThan(1 / 3);
  });
  test('pairs no sample with itself when it shuffles, whatever the seed', async () => {
    const axes = tensor(
      'float32',
      [5, 5],
      Float32Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1 : 0)),
    );
    const descriptor = pixelDescriptor({ sampleShape: [5], mean: new Float64Array(5) });
    for (let seed = 0; seed < 20; seed++) {
      const found = await measureReproducibility(axes, axes, descriptor, { seed, alike: { threshold: 0.5 } });
      expect([...found.shuffled]).toEqual([0, 0, 0, 0, 0]);
    }
  });
  test('refuses sets that are no pairs, too few pairs and distances', async () => {
    const a = points('a', 10);
    const refused = (b: Tensor<'float32'>, of = centred): Promise<unknown> =>
      measureReproducibility(a, b, of, { seed: 0 });
    await expect(refused(points('b', 9))).rejects.toThrow(ShapeError);
    await expect(refused(a), 'one per cent of ten pairs').rejects.toThrow(DomainError);
    await expect(refused(a, pixelDescriptor({ sampleShape: [d] }))).rejects.toThrow(DomainError);
  });
});

describe('histograms()', () => {
  test('counts every number once, on one axis', () => {
    const { edges, counts } = histograms({ pairs: [-1, -0.51, 0, 0.99, 1], none: [], outside: [-7, 1.0000001] }, 4);
    expect([...edges]).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect([...counts.pairs]).toEqual([2, 0, 1, 2]);
    expect([...counts.none]).toEqual([0, 0, 0, 0]);
    expect([...counts.outside]).toEqual([1, 0, 0, 1]);
  });
  test('refuses NaN and an empty range', () => {
    expect(() => histograms({ a: [NaN] })).toThrow(DomainError);
    expect(() => histograms({ a: [0] }, 4, { low: 1, high: 1 })).toThrow(DomainError);
  });
});
