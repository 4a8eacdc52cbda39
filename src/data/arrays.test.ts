import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { arrayDataset, integerLabels } from './arrays.ts';

const f32 = (shape: number[], values: number[]): Tensor => tensor('float32', shape, Float32Array.from(values));
const f64 = (shape: number[], values: number[]): Tensor => tensor('float64', shape, Float64Array.from(values));
const u8 = (shape: number[], values: number[]): Tensor => tensor('uint8', shape, Uint8Array.from(values));
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const level = (v: number): number => Math.fround(v / 127.5 - 1);

describe('arrayDataset()', () => {
  it('arrayDataset() rearranges bytes NHWC and says so', async () => {
    const dataset = arrayDataset('a', u8([2, 1, 2, 3], count(12)));
    expect(dataset).toMatchObject({ sampleShape: [3, 1, 2], range: { low: -1, high: 1 } });
    expect(dataset.note).toBe('Axes [2, 1, 2, 3] were read as NHWC.');
    expect([...(await dataset.read([1])).data]).toEqual([6, 9, 7, 10, 8, 11].map(level));
  });

  it('arrayDataset() finds the channels by their number, and follows a stated layout', async () => {
    expect(arrayDataset('a', u8([1, 3, 4, 5], count(60))).sampleShape).toEqual([3, 4, 5]);
    expect(arrayDataset('a', f32([1, 4, 5, 1], new Array<number>(20).fill(0.5))).sampleShape).toEqual([1, 4, 5]);
    expect(arrayDataset('a', u8([1, 3, 2, 1], count(6))).sampleShape).toEqual([1, 3, 2]);
    expect(arrayDataset('a', f32([1, 3, 2, 1], new Array<number>(6).fill(0.5))).sampleShape).toEqual([3, 2, 1]);
    const stated = arrayDataset(
      'a',
      f32(
        [1, 3, 2, 3],
        count(18).map((v) => v / 18),
      ),
      { layout: 'NHWC' },
    );
    expect(stated.sampleShape).toEqual([3, 3, 2]);
    expect((await stated.read([0])).data[1]).toBeCloseTo((3 / 18) * 2 - 1, 6);
  });

  it('arrayDataset() takes [N, H, W] as grey images and byte rows as points in [-1, 1]', async () => {
    expect(arrayDataset('a', u8([2, 3, 4], count(24))).sampleShape).toEqual([1, 3, 4]);
    expect([...(await arrayDataset('a', u8([1, 2], [0, 255])).read([0])).data]).toEqual([-1, 1]);
  });

  it('arrayDataset() infers [0, 1] or [-1, 1] of float images, maps to [-1, 1] and says so', async () => {
    const unit = arrayDataset('a', f64([1, 1, 3], [0, 0.25, 1]));
    expect([...(await unit.read([0])).data]).toEqual([-1, -0.5, 1]);
    expect(unit.note).toBe('Values lie in [0, 1] and were taken as images of range [0, 1].');
    const signed = arrayDataset('a', f64([1, 1, 3], [-0.5, 0.25, 1]));
    expect([...(await signed.read([0])).data]).toEqual([-0.5, 0.25, 1]);
    expect(signed.note).toContain('range [-1, 1]');
    const stated = arrayDataset('a', f64([1, 1, 3], [0, 51, 255]), { range: { low: 0, high: 255 } });
    expect([...(await stated.read([0])).data]).toEqual([-1, -0.6, 1].map(Math.fround));
    expect(stated.note).toBeUndefined();
  });

  it('arrayDataset() hands out float points as they are, with their bounds as range', async () => {
    const points = arrayDataset('a', f64([2, 2], [-3, 7.5, 0.1, 2]));
    expect([...(await points.read([0, 1])).data]).toEqual([-3, 7.5, 0.1, 2].map(Math.fround));
    expect(points).toMatchObject({ sampleShape: [2], range: { low: -3, high: 7.5 } });
    expect(points.note).toContain('[-3, 7.5]');
  });

  it('arrayDataset() accepts a bound that float32 has rounded', () => {
    const range = { low: 0, high: 0.1 }; // float32(0.1) > 0.1
    expect(arrayDataset('a', f32([1, 2], [0, 0.1]), { range }).range).toEqual(range);
  });

  it('arrayDataset() carries labels of any integer-valued dtype', () => {
    expect([...(arrayDataset('a', u8([3, 1], [0, 1, 2]), { labels: f64([3], [4, 0, -1]) }).labels ?? [])]).toEqual([
      4, 0, -1,
    ]);
  });

  it.each<[string, Tensor, Parameters<typeof arrayDataset>[2], string]>([
    [
      'NaN',
      f32([2, 3], [0, 1, 2, 3, NaN, 5]),
      {},
      'got NaN at element 4 of [2, 3] (sample 1). Remove or repair that sample.',
    ],
    ['infinity', f64([1, 1, 2], [0, -Infinity]), {}, 'got -Infinity at element 1'],
    ['what overflows float32', f64([1, 2], [0, 1e300]), {}, 'got 1e+300 at element 1'],
    ['float images of unknown range', f32([1, 1, 2], [0, 255]), {}, 'got values from 0 to 255. State their range.'],
    [
      'values outside a stated range',
      f32([1, 3], [0, 1, 2]),
      { range: { low: 0, high: 1 } },
      'got 2 at element 2 of [1, 3]',
    ],
    ['an empty range', f32([1, 1, 1], [0]), { range: { low: 0, high: 0 } }, 'expected a range with low < high'],
    ['one axis', u8([3], [1, 2, 3]), {}, 'got [3]. Transpose or reshape the array.'],
    ['five axes', u8([1, 1, 1, 1, 1], [1]), {}, 'got [1, 1, 1, 1, 1]'],
    ['no axis of channels', u8([1, 2, 2, 2], count(8)), {}, 'with 1 or 3 channels, got [1, 2, 2, 2]'],
    ['a layout that does not fit', u8([1, 2, 2, 3], count(12)), { layout: 'NCHW' }, 'or NCHW with 1 or 3 channels'],
    ['integers', tensor('int32', [1, 2], Int32Array.of(1, 2)), {}, "got int32. Convert with .astype('uint8')."],
    ['no sample', f32([0, 2], []), {}, 'expected at least one sample'],
    ['too few labels', u8([2, 1], [1, 2]), { labels: f64([1], [0]) }, 'expected 2 labels, got 1.'],
    ['labels between integers', u8([1, 1], [1]), { labels: f64([1], [0.5]) }, 'got 0.5 at element 0'],
  ])('arrayDataset() refuses %s in one line', (_, x, options, message) => {
    expect(() => arrayDataset('a', x, options)).toThrow(DatasetError);
    expect(() => arrayDataset('a', x, options)).toThrow(message);
  });
});

describe('integerLabels()', () => {
  it('integerLabels() refuses NaN, numbers beyond int32 and another rank', () => {
    for (const bad of [NaN, 2 ** 31, -(2 ** 31) - 1])
      expect(() => integerLabels('l', f64([2], [0, bad]))).toThrow('element 1');
    expect(() => integerLabels('l', f64([1, 1], [0]))).toThrow('got shape [1, 1]');
  });
});
