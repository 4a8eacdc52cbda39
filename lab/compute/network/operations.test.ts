import { describe, expect, it } from 'vitest';

import { inMemory } from '../../../src/data/dataset.ts';
import { fitGaussian } from '../../../src/denoisers/gaussian.ts';
import { leadingTriplets } from '../../../src/linalg/triplets.ts';
import { normal, randomKey } from '../../../src/tensor/random.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import { networkOperations } from './operations.ts';
import type { TripletEstimate } from './sweep-operator.ts';

const D = 60;
const [rank, seed] = [8, 3];

describe('networkOperations()', () => {
  it('finds the triplets of the library, and tells them before they have settled', async () => {
    const scales = Float64Array.from({ length: D }, (_, j) => 1.1 ** -j);
    const draws = normal(randomKey(1, 'draws'), [200, D]);
    const data = { ...draws, data: draws.data.map((v, i) => v * (scales[i % D] as number)) };
    const denoiser = await fitGaussian(inMemory('drawn', data, { low: -4, high: 4 }));
    const { leadingTriplets: find } = networkOperations<string>(async () => denoiser);
    const parts: TripletEstimate[] = [];
    const context = {
      signal: new AbortController().signal,
      progress: () => undefined,
      emit: (part: TripletEstimate) => parts.push(part),
    };
    for (const sigma of [0.5, 0.6]) {
      const x = Float32Array.from({ length: D }, (_, j) => Math.sin(j));
      const got = await find({ model: 'drawn', x, sigma, rank, seed }, context);
      const wanted = await leadingTriplets(denoiser.linearize(tensor('float32', [D], x), sigma), { rank, seed });
      expect(got.status).toBe('converged');
      got.values.forEach((value, i) => expect(value).toBeCloseTo(wanted.values[i] as number, 8));
      // Vectors to the tolerance of the iteration over the gaps between values.
      got.right.forEach((value, i) => expect(value).toBeCloseTo(wanted.right.data[i] as number, 2));
      expect(parts.length).toBeGreaterThan(1);
      for (const { values, bound } of parts.splice(0, parts.length - 1)) {
        values.forEach((value, i) => expect(Math.abs(value - (got.values[i] as number))).toBeLessThan(bound[i] as number)); // prettier-ignore
      }
      const [last] = parts.splice(0);
      last?.left.forEach((value, i) => expect(value).toBeCloseTo(got.left[i] as number, 3));
      last?.right.forEach((value, i) => expect(value).toBeCloseTo(got.right[i] as number, 3));
    }
  });
});
