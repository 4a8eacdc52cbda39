import { describe, expect, it } from 'vitest';

import { describeDenoiserContract } from '../../../test/contracts/denoiser.ts';
import { DomainError, ShapeError } from '../../errors/errors.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { zeros } from '../../tensor/tensor.ts';
import { gaussianDenoiser } from '../gaussian.ts';
import { lowRankNetwork } from './low-rank.ts';

const basis = (seed: number, d: number): ReturnType<typeof normal> =>
  orthonormalRows(normal(randomKey(seed), [d, 6])).q;
const bases = [basis(1, 2), basis(2, 3)];

describeDenoiserContract('low-rank network', {
  create: () => lowRankNetwork({ name: 'network', bases }),
  sigmas: [0.1, 1, 10],
  symmetric: true,
});

describe('lowRankNetwork()', () => {
  it('lowRankNetwork() of one subspace is the Wiener filter of its variance about its mean', async () => {
    const mean = normal(randomKey(3), [6]).data;
    const only = basis(1, 2);
    await using network = lowRankNetwork({ name: 'network', bases: [only], variance: 4, mean });
    await using wiener = gaussianDenoiser({
      name: 'wiener',
      sampleShape: [6],
      mean,
      eigen: { values: Float64Array.of(4, 4), vectors: only },
    });
    const x = normal(randomKey(4), [5, 6]);
    const [a, b] = [await network.denoise(x, 0.7), await wiener.denoise(x, 0.7)];
    a.data.forEach((value, i) => expect(Math.abs(value - (b.data[i] as number))).toBeLessThan(1e-13));
  });

  it('lowRankNetwork() refuses subspaces that are none', () => {
    expect(() => lowRankNetwork({ name: 'network', bases: [] })).toThrow(ShapeError);
    expect(() => lowRankNetwork({ name: 'network', bases: [zeros('float64', [2, 6])] })).toThrow(DomainError);
    expect(() => lowRankNetwork({ name: 'network', bases: [basis(1, 2)], variance: 0 })).toThrow(DomainError);
  });
});
