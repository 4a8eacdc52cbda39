import { expect, test } from 'vitest';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { leadingDirections, learnLinear, pcaProjection } from './learned-linear.ts';
import { sequentialGains, telescopedVariance } from './linear-gains.ts';
import { outputCovariance, reverseProducts, runReverse } from './linear-reverse.ts';
import { gainRatios, powerIterationRatios, projectionGains, runningGains } from './power-iteration.ts';
import { drawTrainingSet } from './training-set.ts';

const matrix = (seed: number, n: number): Tensor<'float64'> => normal(randomKey(seed, 'matrix'), [n, n]);

const diagonal = (values: ArrayLike<number>): Tensor<'float64'> => {
  const n = values.length;
  const data = new Float64Array(n * n);
  Array.from(values).forEach((value, i) => (data[i * (n + 1)] = value));
  return tensor('float64', [n, n], data);
};

test('reverseProducts() keep the order P_1 P_2 ... and may start from rows', () => {
  const steps = [matrix(1, 4), matrix(2, 4), matrix(3, 4)];
  const [a, b, c] = steps as [Tensor<'float64'>, Tensor<'float64'>, Tensor<'float64'>];
  expect(reverseProducts(steps)[2]).toEqual(matmul(matmul(a, b), c));
  const rows = normal(randomKey(4), [2, 4]);
  expect(reverseProducts(steps, rows)[1]).toEqual(matmul(matmul(rows, a), b));
});

test('outputCovariance() of the exact linear steps is the telescoped variance', () => {
  const spectrum = [10, 5, 0.2];
  const sigmas = [20, 8, 3, 1, 0.1];
  const gains = spectrum.map((variance) => sequentialGains(variance, sigmas));
  // P_1 is the step to no noise, the last of the grid.
  const steps = sigmas.map((_, k) => diagonal(gains.map((gain) => gain[sigmas.length - 1 - k] as number)));
  const { covariance } = outputCovariance(steps, [0, 0, 0, 0, 400]);
  spectrum.forEach((variance, i) => {
    const expected = telescopedVariance(variance, 20);
    expect(Math.abs((covariance.data[i * 4] as number) - expected)).toBeLessThan(1e-10 * expected);
  });
});

test('outputCovariance() is the covariance of what runReverse() returns, with noise put back', () => {
  const set = drawTrainingSet({ seed: 1, path: ['set'] }, { spectrum: [9, 3], dimension: 4, count: 20 });
  const sigmas = [0.5, 1, 2];
  const steps = sigmas.map((sigma, k) =>
    pcaProjection(learnLinear(set, { sigma, draws: 1, stream: { seed: 1, path: ['noise', k] } }), 2),
  );
  const variances = [0.25, 0.75, 4];
  const count = 40_000;
  const start = normal(randomKey(2, 'start'), [count, 4]);
  const states = runReverse(
    steps,
    tensor(
      'float64',
      start.shape,
      start.data.map((z) => 2 * z),
    ),
    { variances, stream: { seed: 3, path: ['again'] } },
  );
  expect(states).toHaveLength(4);
  const end = states[3] as Tensor<'float64'>;
  const measured = matmul(end, end, { transposeA: true }).data.map((x) => x / count);
  const { covariance, stages } = outputCovariance(steps, variances);
  // Entries of a covariance of N samples are off by at most sqrt(2 / N) of the largest variance, times 4.
  const scale = Math.max(...covariance.data);
  covariance.data.forEach((x, i) =>
    expect(Math.abs(x - (measured[i] as number))).toBeLessThan(4 * Math.sqrt(2 / count) * scale),
  );
  const sum = stages.reduce((total, stage) => total + (stage[0] as number), 0);
  expect(Math.abs(sum - (covariance.data[0] as number))).toBeLessThan(8 * Number.EPSILON * scale);
});

test('runReverse() without re-injection applies the steps from the last to the first', () => {
  const steps = [matrix(1, 3), matrix(2, 3)];
  const x = normal(randomKey(9), [5, 3]);
  const [, , end] = runReverse(steps, x);
  const wanted = matmul(x, reverseProducts(steps)[1] as Tensor<'float64'>, { transposeB: true });
  wanted.data.forEach((value, i) => expect(Math.abs(value - (end?.data[i] as number))).toBeLessThan(1e-13));
});

test('a constant step is power iteration on it', () => {
  const spectrum = [3, 2, 1];
  const [, , third] = runningGains([spectrum, spectrum, spectrum]) as [Float64Array, Float64Array, Float64Array];
  expect([...third]).toEqual([27, 8, 1]);
  gainRatios(third).forEach((ratio, i) =>
    expect(Math.abs(ratio - (powerIterationRatios(spectrum, 3)[i] as number))).toBeLessThan(2e-16),
  );
});

test('projectionGains() predict the mean of learned projections on the true directions', () => {
  const [spectrum, trials, n, p] = [[10, 5, 2], 40, 100, 50];
  const mean = new Float64Array(3);
  for (let t = 0; t < trials; t++) {
    const set = drawTrainingSet({ seed: t, path: ['set'] }, { spectrum, dimension: p, count: n });
    const noise = { sigma: 1, draws: 1, stream: { seed: t, path: ['noise'] } };
    const { vectors } = leadingDirections(set, noise, 3);
    for (const i of [0, 1, 2]) {
      for (const j of [0, 1, 2]) mean[i]! += (vectors.data[j * p + i] as number) ** 2 / trials;
    }
  }
  const gains = projectionGains(spectrum, 1, p / n);
  // theory.md A.2: 2 / sqrt(n) a trial at most, and a bias of order 1 / n.
  mean.forEach((value, i) =>
    expect(Math.abs(value - (gains[i] as number))).toBeLessThan((4 * 2) / Math.sqrt(n * trials) + 2 / n),
  );
});

test('linear reverse formulas refuse what does not fit', () => {
  expect(() => outputCovariance([], [])).toThrow(DomainError);
  expect(() => outputCovariance([matrix(1, 2)], [1, 1])).toThrow(DomainError);
  expect(() => outputCovariance([matrix(1, 2)], [-1])).toThrow(DomainError);
  expect(() => reverseProducts([matrix(1, 2), matrix(1, 3)])).toThrow(ShapeError);
  expect(() => runReverse([matrix(1, 2)], normal(randomKey(1), [4, 3]))).toThrow(ShapeError);
  expect(() => projectionGains([1], 0, 1)).toThrow(DomainError);
  expect(() => powerIterationRatios([0], 2)).toThrow(DomainError);
});
