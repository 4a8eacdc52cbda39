import { describe, expect, test } from 'vitest';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat, tensor, zeros } from '../../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../../tensor/tensor.ts';
import { ssim, ssimMap } from './ssim.ts';

const unit = { range: { low: 0, high: 1 } };

function filled(shape: readonly number[], value: (c: number, y: number, x: number) => number): Tensor<'float64'> {
  const [, H, W] = shape as [number, number, number];
  const out = zeros('float64', shape);
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = value(Math.floor(i / (H * W)), Math.floor(i / W) % H, i % W);
  }
  return out;
}

function random(seed: number, shape: readonly number[]): Tensor<'float64'> {
  const { data } = normal(randomKey(seed, 'ssim'), shape);
  return tensor(
    'float64',
    shape,
    data.map((v) => Math.tanh(v)),
  );
}

/** Equation 13 at one place of values in [-1, 1], by a double loop over the window; places outside are looked up in the mirror. */
function directly(a: FloatTensor, b: FloatTensor, y: number, x: number): number {
  const [C, H, W] = a.shape as [number, number, number];
  const mirror = (i: number, size: number): number =>
    i < 0 ? mirror(-1 - i, size) : i >= size ? mirror(2 * size - 1 - i, size) : i;
  let sum = 0;
  for (let c = 0; c < C; c++) {
    const taps: [weight: number, p: number, q: number][] = [];
    for (let dy = -5; dy <= 5; dy++) {
      for (let dx = -5; dx <= 5; dx++) {
        const at = (c * H + mirror(y + dy, H)) * W + mirror(x + dx, W);
        taps.push([Math.exp(-(dy * dy + dx * dx) / 4.5), (a.data[at] as number) + 1, (b.data[at] as number) + 1]);
      }
    }
    const total = taps.reduce((s, [w]) => s + w, 0);
    const mean = (f: (p: number, q: number) => number): number => taps.reduce((s, [w, p, q]) => s + (w * f(p, q)) / total, 0); // prettier-ignore
    const [ma, mb] = [mean((p) => p), mean((_, q) => q)];
    const [c1, c2] = [0.02 ** 2, 0.06 ** 2];
    const variances = mean((p, q) => (p - ma) ** 2 + (q - mb) ** 2);
    const covariance = mean((p, q) => (p - ma) * (q - mb));
    sum += ((2 * ma * mb + c1) * (2 * covariance + c2)) / ((ma * ma + mb * mb + c1) * (variances + c2));
  }
  return sum / C;
}

describe('ssimMap()', () => {
  test('ssimMap() equals a double loop over the window at every pixel, whatever the size', () => {
    for (const shape of [
      [3, 13, 12],
      [1, 19, 14],
      [2, 3, 7],
      [1, 1, 1],
      [1, 2, 30],
    ]) {
      // prettier-ignore
      const [a, b] = [random(1, shape), random(2, shape)];
      const map = ssimMap(a, b);
      const [, H, W] = shape as [number, number, number];
      expect(map.shape).toEqual([H, W]);
      map.data.forEach((v, i) => expect(Math.abs(v - directly(a, b, Math.floor(i / W), i % W))).toBeLessThan(1e-12));
    }
  });

  test('ssimMap() is exactly 1 for equal images, symmetric, and at least -1', () => {
    const [a, b] = [random(3, [3, 32, 32]), random(4, [3, 32, 32])];
    expect(ssimMap(a, a).data.every((v) => v === 1)).toBe(true);
    const map = ssimMap(a, b);
    expect(ssimMap(b, a).data).toEqual(map.data);
    const negative = tensor('float64', a.shape, a.data.map((v) => -v)); // prettier-ignore
    const opposed = ssimMap(a, negative).data;
    expect(Math.min(...opposed)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...opposed)).toBeLessThan(0);
  });
});

describe('ssim()', () => {
  test('ssim() of two constant images is their luminance term, at any range', () => {
    const constant = (value: number): Tensor<'float64'> => filled([3, 28, 28], () => value);
    const [p, q, c1] = [0.2, 0.7, 1e-4];
    const expected = (2 * p * q + c1) / (p * p + q * q + c1);
    expect(ssim(constant(p), constant(q), unit)).toBeCloseTo(expected, 12);
    expect(ssim(constant(2 * p - 1), constant(2 * q - 1))).toBeCloseTo(expected, 12);
    const range = { low: 0, high: 255 };
    expect(ssim(constant(255 * p), constant(255 * q), { range })).toBeCloseTo(expected, 12);
  });

  test('ssim() of one place is the formula, and outer pixels beyond the window do not count there', () => {
    const [a, b] = [random(5, [2, 11, 11]), random(6, [2, 11, 11])];
    expect(ssim(a, b)).toBeCloseTo(directly(a, b, 5, 5), 12);
    const [wide, other] = [random(5, [1, 40, 33]), random(6, [1, 40, 33])];
    let sum = 0;
    for (let y = 5; y < 35; y++) for (let x = 5; x < 28; x++) sum += directly(wide, other, y, x);
    expect(ssim(wide, other)).toBeCloseTo(sum / (30 * 23), 12);
  });

  test('ssim() gives the numbers of scikit-image 0.19.3', () => {
    // structural_similarity(a, b, data_range=1, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True)
    // Mean, then the full map averaged over channels at its first pixel, at row H - 1, column 3, and as a whole.
    const golden: [number[], number, number, number, number][] = [
      [[3, 32, 32], 0.9017657822652098, 0.8128104179803581, 0.9012585448675546, 0.8905257994583615],
      [[1, 28, 28], 0.903070628645141, 0.9279737257744873, 0.9420527445480567, 0.8840303901033303],
      [[3, 11, 17], 0.8940189972183369, 0.8128104179803581, 0.8533000709957425, 0.8819739347392082],
      [[2, 20, 12], 0.8966870833568461, 0.7457235857168576, 0.7701640998617578, 0.8746330178008641],
    ];
    for (const [shape, mean, first, low, whole] of golden) {
      const a = filled(shape, (c, y, x) => 0.5 + 0.5 * Math.sin(0.3 * x + 0.2 * y + c));
      const b = filled(shape, (c, y, x) => 0.5 + 0.5 * Math.sin(0.3 * x + 0.2 * y + c) + 0.1 * Math.cos(0.9 * x - 0.5 * y)); // prettier-ignore
      const { data } = ssimMap(a, b, unit);
      const [, H, W] = shape as [number, number, number];
      expect(ssim(a, b, unit)).toBeCloseTo(mean, 12);
      expect(data[0]).toBeCloseTo(first, 12);
      expect(data[(H - 1) * W + 3]).toBeCloseTo(low, 12);
      expect(data.reduce((s, v) => s + v, 0) / data.length).toBeCloseTo(whole, 12);
    }
  });

  test('ssim() takes float32 images and falls as noise grows', () => {
    const a = filled([1, 32, 32], (_, y, x) => Math.sin(0.4 * x) * Math.cos(0.3 * y));
    const noise = random(7, a.shape).data;
    const values = [0.01, 0.1, 0.5, 2].map(
      (s) =>
      ssim(castFloat(a, 'float32'), tensor('float64', a.shape, a.data.map((v, i) => v + s * (noise[i] as number)))), // prettier-ignore
    );
    expect(values).toEqual([...values].sort((u, v) => v - u));
    expect(values[0]).toBeGreaterThan(0.99);
    expect(values[3]).toBeLessThan(0.5);
  });

  test('ssim() refuses images of two shapes, no image, and a range that is none', () => {
    const a = zeros('float64', [1, 8, 8]);
    expect(() => ssim(a, zeros('float64', [1, 8, 9]))).toThrow(ShapeError);
    expect(() => ssim(zeros('float64', [64]), zeros('float64', [64]))).toThrow(ShapeError);
    expect(() => ssim(zeros('float64', [0, 8, 8]), zeros('float64', [0, 8, 8]))).toThrow(ShapeError);
    expect(() => ssim(a, a, { range: { low: 1, high: 1 } })).toThrow(DomainError);
    expect(() => ssim(a, a, { range: { low: -Infinity, high: Infinity } })).toThrow(DomainError);
  });
});
