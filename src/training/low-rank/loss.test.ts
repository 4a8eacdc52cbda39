import { describe, expect, it } from 'vitest';

import { lowRankNetwork } from '../../denoisers/network/low-rank.ts';
import { matmul } from '../../linalg/matmul.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor, zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { lowRankLoss } from './loss.ts';
import type { LowRankWeights, NoisyBatch, StackedBases } from './loss.ts';

const n = 7;
const ranks = [2, 3];
const bases: StackedBases = { rows: randomBases(), ranks };
const x0 = normal(randomKey(1, 'points'), [4, n]);
const noise = normal(randomKey(1, 'noise'), [4, n]);
const sigmas = Float64Array.of(0.3, 0.6, 1, 2);

function randomBases(): Tensor<'float64'> {
  const rows = zeros('float64', [5, n]);
  rows.data.set(orthonormalRows(normal(randomKey(2), [2, n])).q.data);
  rows.data.set(orthonormalRows(normal(randomKey(3), [3, n])).q.data, 2 * n);
  return rows;
}

/** Central differences of the loss by every element of the bases. */
function differences(batch: NoisyBatch, { rows }: StackedBases, weights: LowRankWeights): Float64Array {
  const h = 1e-5;
  return rows.data.map((_, i) => {
    const moved = (by: number): number => {
      const data = rows.data.slice();
      (data[i] as number) += by;
      return lowRankLoss(batch, { rows: tensor('float64', rows.shape, data), ranks }, weights).loss;
    };
    return (moved(h) - moved(-h)) / (2 * h);
  });
}

/** The part of a gradient that turns the subspaces. */
function turning(gradient: Float64Array): Float64Array {
  const out = gradient.slice();
  let start = 0;
  for (const d of ranks) {
    const u = slice(bases.rows, start, start + d);
    const g = tensor('float64', [d, n], gradient.slice(start * n, (start + d) * n));
    matmul(matmul(g, u, { transposeB: true }), u).data.forEach((v, i) => ((out[start * n + i] as number) -= v));
    start += d;
  }
  return out;
}

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (v, i) => Math.abs(v - (b[i] as number))).reduce((x, y) => Math.max(x, y), 0);
}

describe('lowRankLoss()', () => {
  it('lowRankLoss() with soft-max weights is the squared error of the low-rank denoiser', async () => {
    await using denoiser = lowRankNetwork({
      name: 'network',
      bases: [slice(bases.rows, 0, 2), slice(bases.rows, 2, 5)],
    });
    const x = tensor(
      'float64',
      [4, n],
      x0.data.map((v, i) => v + (sigmas[Math.floor(i / n)] as number) * (noise.data[i] as number)),
    );
    const out = (await denoiser.denoise(x, sigmas)).data;
    const expected = x0.data.reduce((sum, v, i) => sum + (v - (out[i] as number)) ** 2, 0) / 4;
    // Both round a few dozen terms of order 10.
    expect(Math.abs(lowRankLoss({ x0, sigmas, noise }, bases, 'soft-max').loss - expected)).toBeLessThan(1e-12);
  });

  it.each(['soft-max', 'hard-max'] as const)(
    'lowRankLoss() with %s weights has the gradient of central differences',
    (weights) => {
      const batch = { x0, sigmas, noise };
      const { gradient } = lowRankLoss(batch, bases, weights);
      // Central differences with h = 1e-5 are good to about h^2 + eps / h, times a slope of order 10.
      expect(largestGap(gradient.data, differences(batch, bases, weights))).toBeLessThan(1e-7);
    },
  );

  it('lowRankLoss() without noise turns subspaces as its own central differences say', () => {
    const batch = { x0, sigmas };
    const { gradient } = lowRankLoss(batch, bases, 'hard-max');
    expect(largestGap(turning(gradient.data), turning(differences(batch, bases, 'hard-max')))).toBeLessThan(1e-7);
  });

  it('lowRankLoss() without noise is the mean over drawn noise, loss and gradient, within four standard errors', () => {
    const draws = 4000;
    const losses: number[] = [];
    const mean = new Float64Array(bases.rows.data.length);
    const squares = new Float64Array(bases.rows.data.length);
    for (let i = 0; i < draws; i++) {
      const drawn = lowRankLoss({ x0, sigmas, noise: normal(randomKey(5, i), [4, n]) }, bases, 'hard-max');
      losses.push(drawn.loss);
      turning(drawn.gradient.data).forEach((g, j) => {
        (mean[j] as number) += g / draws;
        (squares[j] as number) += (g * g) / draws;
      });
    }
    const exact = lowRankLoss({ x0, sigmas }, bases, 'hard-max');
    const average = losses.reduce((a, b) => a + b) / draws;
    const deviation = Math.sqrt(losses.reduce((sum, l) => sum + (l - average) ** 2, 0) / draws);
    expect(Math.abs(average - exact.loss)).toBeLessThan((4 * deviation) / Math.sqrt(draws));
    turning(exact.gradient.data).forEach((g, j) => {
      const error = Math.sqrt(((squares[j] as number) - (mean[j] as number) ** 2) / draws);
      expect(Math.abs(g - (mean[j] as number))).toBeLessThan(4.5 * error); // of 35 numbers one may pass 4
    });
  });
});
