import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { cosine } from './descriptor.ts';
import { gradientDescriptor } from './gradients.ts';
import { resample } from './resample.ts';

/** One image of one channel by a function of the place, both coordinates from 0 to 1. */
function image(side: number, of: (y: number, x: number) => number): Tensor<'float32'> {
  const data = Float32Array.from({ length: side * side }, (_, i) =>
    of((Math.floor(i / side) + 0.5) / side, ((i % side) + 0.5) / side),
  );
  return tensor('float32', [1, 1, side, side], data);
}

async function described(x: Tensor<'float32'>): Promise<Float32Array> {
  return (await gradientDescriptor(x.shape.slice(1)).describe(x)).data;
}

const blob = (y: number, x: number): number => Math.exp(-8 * ((y - 0.4) ** 2 + 2 * (x - 0.6) ** 2)) - 0.3 * Math.sin(5 * x * y); // prettier-ignore

describe('gradientDescriptor()', () => {
  test('sees no brightness and no contrast', async () => {
    const x = image(28, blob);
    const own = await described(x);
    // Powers of two and sums without rounding: the same bits.
    const quantized = { ...x, data: x.data.map((v) => Math.round(v * 256) / 256) };
    const exact = { ...x, data: quantized.data.map((v) => 4 * v + 0.5) };
    expect(await described(exact)).toEqual(await described(quantized));
    const rounded = await described({ ...x, data: x.data.map((v) => 0.3 * v - 0.7) });
    // Differences of neighbours lose about five bits of float32 against the values.
    expect(1 - cosine(rounded, own)).toBeLessThan(1e-9);
  });
  test('of noise has cosines near 0 between images, and of one image with faint noise near 1', async () => {
    const noise = (name: string): Float64Array => normal(randomKey(8, name), [28 * 28]).data;
    const [a, b] = ['a', 'b'].map((name) => tensor('float32', [1, 1, 28, 28], Float32Array.from(noise(name))));
    const unrelated = cosine(await described(a as Tensor<'float32'>), await described(b as Tensor<'float32'>));
    expect(Math.abs(unrelated)).toBeLessThan(0.25);
    const x = image(28, blob);
    const steps = noise('c');
    const noisy = { ...x, data: x.data.map((v, i) => v + 0.004 * (steps[i] as number)) };
    expect(cosine(await described(noisy), await described(x))).toBeGreaterThan(0.97);
  });
  test('of a ramp votes for the two orientations about its own, alike in every block', async () => {
    const across = await described(image(16, (_, x) => x));
    const [blocks, bins] = [25, 9];
    for (let block = 0; block < blocks; block++) {
      for (let cell = 0; cell < 4; cell++) {
        const histogram = across.subarray((block * 4 + cell) * bins, (block * 4 + cell + 1) * bins);
        histogram.forEach((v, bin) => {
          // An angle of 0 lies between the first bin and the last; the rest is below the mean.
          if (bin === 0 || bin === 8) expect(v).toBeGreaterThan(0);
          else expect(v).toBeLessThan(0);
        });
        expect(histogram[0]).toBeCloseTo(histogram[8] as number, 6);
      }
    }
  });
  test('tells stripes across from stripes down, and not their colours', async () => {
    const [across, down] = [image(32, (y) => Math.sin(40 * y)), image(32, (_, x) => Math.sin(40 * x))];
    expect(cosine(await described(across), await described(down))).toBeLessThan(-0.1);
    const negative = { ...across, data: across.data.map((v) => -v) };
    expect(cosine(await described(across), await described(negative))).toBeCloseTo(1, 12);
  });
  test('of a blank image is 0', async () => {
    expect((await described(image(9, () => 0.7))).every((v) => v === 0)).toBe(true);
  });
  test('has one length for every size, and nearly the same values for an image at twice the size', async () => {
    const lengths = [8, 9, 28, 100].map((side) => gradientDescriptor([1, side, side]).length);
    expect(new Set(lengths)).toEqual(new Set([900]));
    expect(gradientDescriptor([3, 8, 64]).length).toBe(900);
    expect(cosine(await described(image(64, blob)), await described(image(32, blob)))).toBeGreaterThan(0.97);
  });
  test('gives both scales the same weight', async () => {
    const v = await described(image(32, (y, x) => Math.sin(30 * x + 20 * y)));
    const norm = (part: Float32Array): number => part.reduce((sum, e) => sum + e * e, 0);
    const [coarse, fine] = [norm(v.subarray(0, 9 * 36)), norm(v.subarray(9 * 36))];
    expect(Math.abs(Math.log(coarse / fine))).toBeLessThan(Math.log(1.25));
  });
  test('takes the channel of the steepest edge', async () => {
    const grey = image(12, blob);
    const other = grey.data.map((v) => 0.5 * v + 3);
    const colour = tensor('float32', [1, 3, 12, 12], Float32Array.from([...other, ...grey.data, ...other]));
    const plain = await described(grey);
    expect(await described(colour)).toEqual(plain);
  });
  test('describes each image of a batch by itself', async () => {
    const x = tensor('float32', [3, 2, 8, 10], Float32Array.from(normal(randomKey(2), [480]).data));
    const descriptor = gradientDescriptor([2, 8, 10]);
    const all = await descriptor.describe(x);
    for (let b = 0; b < 3; b++) {
      expect((await descriptor.describe(slice(x, b, b + 1))).data).toEqual(slice(all, b, b + 1).data);
    }
  });
  test('refuses small images and points', () => {
    expect(() => gradientDescriptor([1, 7, 28])).toThrow(ShapeError);
    expect(() => gradientDescriptor([784])).toThrow(ShapeError);
  });
});

describe('resample()', () => {
  test('keeps constants and, inside, straight lines', () => {
    for (const [from, to] of [
      [8, 20],
      [20, 5],
      [5, 5],
    ] as const) {
      // prettier-ignore
      const flat = resample(new Float32Array(from * 6).fill(0.3), [from, 6], [to, 9]);
      flat.forEach((v) => expect(v).toBeCloseTo(0.3, 6));
      // Where images shrink by a whole number, places lie evenly about each centre.
      const line = Float32Array.from({ length: from }, (_, i) => (i + 0.5) / from);
      const drawn = resample(line, [from, 1], [to, 1]);
      const margin = Math.ceil(to / from);
      drawn.slice(margin, to - margin).forEach((v, i) => expect(v).toBeCloseTo((i + margin + 0.5) / to, 6));
    }
  });
  test('handles each plane by itself and stretches each side by itself', () => {
    const planes = Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40);
    const wide = resample(planes, [2, 2], [2, 4]);
    expect([...wide.slice(0, 4)]).toEqual([1, 1.25, 1.75, 2]);
    expect([...wide.slice(8, 12)]).toEqual([10, 12.5, 17.5, 20]);
  });
});
