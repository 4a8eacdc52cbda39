import { describe, expect, test } from 'vitest';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Mask } from '../mask.ts';
import { changeInside } from './change.ts';

/** Inside: rows [top, bottom) of all columns. */
function band(height: number, width: number, top: number, bottom: number): Mask {
  const inside = Uint8Array.from({ length: height * width }, (_, i) =>
    i >= top * width && i < bottom * width ? 1 : 0,
  );
  return { height, width, inside };
}

function image(seed: number, shape: readonly number[]): Tensor<'float64'> {
  const { data } = normal(randomKey(seed, 'change'), shape);
  return tensor('float64', shape, data.map((v) => v / 4)); // prettier-ignore
}

/** `x` with `by(c)` added to every pixel of channel c whose flag is `flag`. */
function shifted(x: Tensor<'float64'>, { inside }: Mask, flag: number, by: (c: number) => number): Tensor<'float64'> {
  const pixels = inside.length;
  const data = x.data.map((v, i) => v + (inside[i % pixels] === flag ? by(Math.floor(i / pixels)) : 0));
  return tensor('float64', x.shape, data);
}

describe('changeInside()', () => {
  test('changeInside() of a shift inside and another outside gives their squares and decibels', () => {
    const before = image(1, [3, 32, 32]);
    const mask = band(32, 32, 10, 14);
    const once = shifted(before, mask, 1, (c) => [0.1, 0.2, 0.2][c] as number);
    const { inside, outside, ratio } = changeInside(before, shifted(once, mask, 0, () => 0.02), mask); // prettier-ignore
    expect(inside.pixels).toBe(128);
    expect(outside.pixels).toBe(896);
    expect(inside.mse).toBeCloseTo(0.03, 14);
    expect(outside.mse).toBeCloseTo(0.0004, 14);
    expect(ratio).toBeCloseTo(75, 9);
    // The range [-1, 1] is 2 wide.
    expect(inside.psnr).toBeCloseTo(10 * Math.log10(4 / 0.03), 10);
    expect(outside.psnr).toBeCloseTo(40, 10);
  });

  test('changeInside() without a change is exactly 0 and 1', () => {
    const before = image(2, [1, 28, 28]);
    const { inside, outside, ratio } = changeInside(before, before, band(28, 28, 3, 9));
    expect(inside).toEqual({ pixels: 168, mse: 0, psnr: Infinity, ssim: 1 });
    expect(outside).toEqual({ pixels: 616, mse: 0, psnr: Infinity, ssim: 1 });
    expect(ratio).toBeNaN();
  });

  test('changeInside() of a change inside alone leaves the similarity 1 beyond the reach of the window', () => {
    const before = image(3, [1, 32, 32]);
    const mask = band(32, 32, 0, 16);
    const top = band(32, 32, 0, 11);
    const after = shifted(before, top, 1, () => 0.5);
    const far = changeInside(before, after, mask);
    expect(far.outside).toEqual({ pixels: 512, mse: 0, psnr: Infinity, ssim: 1 });
    expect(far.ratio).toBe(Infinity);
    expect(far.inside.ssim).toBeLessThan(0.9);
    // Changed up to the edge of the mask, the first rows outside see it.
    const near = changeInside(before, after, top);
    expect(near.outside.mse).toBe(0);
    expect(near.outside.ssim).toBeLessThan(1);
    expect(near.outside.ssim).toBeGreaterThan(near.inside.ssim);
  });

  test('changeInside() of constant images has the luminance term as similarity on both sides', () => {
    const [p, q, c1] = [0.25, 0.75, 1e-4];
    const filled = (value: number): Tensor<'float64'> => tensor('float64', [2, 9, 9], new Float64Array(162).fill(value)); // prettier-ignore
    const range = { low: 0, high: 1 };
    const { inside, outside } = changeInside(filled(p), filled(q), band(9, 9, 2, 4), { range });
    const expected = (2 * p * q + c1) / (p * p + q * q + c1);
    expect(inside.ssim).toBeCloseTo(expected, 12);
    expect(outside.ssim).toBeCloseTo(expected, 12);
    expect(inside.psnr).toBeCloseTo(10 * Math.log10(4), 12);
  });

  test('changeInside() refuses a mask of another size, and one without an inside or an outside', () => {
    const before = image(6, [1, 8, 6]);
    expect(() => changeInside(before, before, band(6, 8, 1, 2))).toThrow(ShapeError);
    expect(() => changeInside(before, before, { height: 8, width: 6, inside: new Uint8Array(8) })).toThrow(ShapeError);
    expect(() => changeInside(before, before, band(8, 6, 0, 8))).toThrow(DomainError);
    expect(() => changeInside(before, before, band(8, 6, 0, 0))).toThrow(DomainError);
    expect(() => changeInside(before, image(7, [1, 8, 7]), band(8, 6, 1, 2))).toThrow(ShapeError);
  });
});
