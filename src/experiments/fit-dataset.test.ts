import { describe, expect, it } from 'vitest';
import { inMemory } from '../data/dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { tensor } from '../tensor/tensor.ts';
import { fitDataset } from './fit-dataset.ts';

function dataset(shape: readonly number[], values: (i: number) => number): Dataset {
  const size = shape.reduce((a, b) => a * b);
  const data = Float32Array.from({ length: 2 * size }, (_, i) => values(i));
  return inMemory('given', tensor('float32', [2, ...shape], data), { low: -1, high: 1 });
}

describe('fitDataset()', () => {
  it('fitDataset() leaves data of the right shape as they are', () => {
    const given = dataset([1, 4, 4], () => 0);
    expect(fitDataset(given, [1, 4, 4])).toBe(given);
  });

  it('fitDataset() averages pixels, cuts the sides of a wide image, repeats grey, and says so in name and note', async () => {
    // Columns 0 to 5 of value column / 8: the middle four stay, in pairs 1.5 / 8 and 3.5 / 8.
    const fitted = fitDataset(
      dataset([1, 4, 6], (i) => (i % 6) / 8),
      [3, 2, 2],
    );
    expect(fitted).toMatchObject({ name: 'given-3x2x2', sampleShape: [3, 2, 2], count: 2 });
    expect(fitted.note).toContain('1x4x6 as stored, are made 3x2x2');
    const { data } = await fitted.read([1]);
    expect([...data]).toEqual(Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 1.5 : 3.5) / 8));
  });

  it('fitDataset() weighs colours as Rec. 601 does', async () => {
    const { data } = await fitDataset(
      dataset([3, 1, 1], (i) => [1, 0, -1][i % 3] as number),
      [1, 1, 1],
    ).read([0]);
    expect(data[0]).toBeCloseTo(0.299 - 0.114, 6);
  });

  it('fitDataset() takes rows with as many numbers as a latent as latents', async () => {
    const fitted = fitDataset(dataset([16], Number), [4, 2, 2]);
    expect(fitted.sampleShape).toEqual([4, 2, 2]);
    expect([...(await fitted.read([1])).data]).toEqual(Array.from({ length: 16 }, (_, i) => 16 + i));
  });

  it('fitDataset() refuses other shapes and says what latents need', () => {
    expect(() => fitDataset(dataset([3, 8, 8], Number), [4, 2, 2])).toThrow(
      /given: expected samples of 4x2x2, as the model takes, got 3x8x8\. .*encoder.*rows \[N, 16\]/,
    );
    expect(() => fitDataset(dataset([5], Number), [4, 2, 2])).toThrow(/got 5\. Give samples of that shape/);
  });
});
