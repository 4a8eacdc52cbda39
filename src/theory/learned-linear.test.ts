import { expect, test } from 'vitest';
import { DomainError } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alignments, leadingDirections, learnLinear, pcaProjection, wienerFilter } from './learned-linear.ts';
import { overlapSquared, sampleEigenvalue } from './spiked-covariance.ts';
import { drawTrainingSet, trainingSetOf } from './training-set.ts';
import { trialMean } from './trials.ts';

const stream = (...path: (number | string)[]): { seed: number; path: (number | string)[] } => ({ seed: 11, path });

const diagonal = (values: readonly number[]): Tensor<'float64'> => {
  const n = values.length;
  const data = new Float64Array(n * n);
  values.forEach((value, i) => (data[i * (n + 1)] = value));
  return tensor('float64', [n, n], data);
};

function largestGap(a: Tensor<'float64'>, b: Tensor<'float64'>): number {
  return a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - (b.data[i] as number))), 0);
}

/** Draws n m noisy samples one by one, as the definition says. */
function sampledOverlap(trial: number, p: number, n: number, m: number, spectrum: readonly number[]): Float64Array {
  const z = normal(randomKey(3, 'z', trial), [n, spectrum.length]).data;
  const noise = normal(randomKey(3, 'e', trial), [n * m, p]).data;
  for (let i = 0; i < n * m; i++) {
    spectrum.forEach((variance, j) => {
      noise[i * p + j]! += Math.sqrt(variance) * (z[Math.floor(i / m) * spectrum.length + j] as number);
    });
  }
  const y = tensor('float64', [n * m, p], noise);
  return alignments(eigh(matmul(y, y, { transposeA: true })).vectors);
}

/** Largest difference of two empirical distribution functions. */
function ksDistance(a: readonly number[], b: readonly number[]): number {
  const below = (values: readonly number[], x: number): number => values.filter((v) => v <= x).length / values.length;
  return Math.max(...[...a, ...b].map((x) => Math.abs(below(a, x) - below(b, x))));
}

test.each([
  [20, 40, 1],
  [20, 15, 1],
  [20, 8, 3],
])('learnLinear() has the law of samples drawn one by one (p %d, n %d, m %d)', (p, n, m) => {
  const spectrum = [6, 2];
  const trials = 300;
  const drawn: number[][] = [[], []];
  const direct: number[][] = [[], []];
  for (let t = 0; t < trials; t++) {
    const set = drawTrainingSet(stream('set', t), { spectrum, dimension: p, count: n });
    const found = alignments(learnLinear(set, { sigma: 1, draws: m, stream: stream('noise', t) }).eigen.vectors);
    const wanted = sampledOverlap(t, p, n, m, spectrum);
    for (const i of [0, 1]) {
      drawn[i]?.push(found[i] as number);
      direct[i]?.push(wanted[i] as number);
    }
  }
  // Kolmogorov and Smirnov: two equal laws differ by more than 2.2 sqrt(2 / trials) once in 10^4.
  for (const i of [0, 1]) {
    const distance = ksDistance(drawn[i] as number[], direct[i] as number[]);
    expect(distance).toBeLessThan(2.2 * Math.sqrt(2 / trials));
  }
});

test('leadingDirections() agree with the whole of learnLinear()', () => {
  const set = drawTrainingSet(stream('set'), { spectrum: [9, 4], dimension: 30, count: 50 });
  for (const draws of [1, 4, Infinity]) {
    const noise = { sigma: 1, draws, stream: stream('noise') };
    const whole = learnLinear(set, noise).eigen;
    const lead = leadingDirections(set, noise, 2);
    for (const i of [0, 1]) {
      expect(Math.abs((lead.values[i] as number) / (whole.values[i] as number) - 1)).toBeLessThan(1e-12);
      const dot = lead.vectors.data
        .slice(i * 30, i * 30 + 30)
        .reduce((sum, x, j) => sum + x * (whole.vectors.data[i * 30 + j] as number), 0);
      expect(Math.abs(Math.abs(dot) - 1)).toBeLessThan(1e-10);
    }
  }
});

test('leadingDirections() meet the closed forms of the spiked covariance', () => {
  const [p, n, snr] = [100, 500, 2];
  const values: number[] = [];
  const overlaps: number[] = [];
  for (let t = 0; t < 24; t++) {
    const set = drawTrainingSet(stream('set', t), { spectrum: [snr * 9], dimension: p, count: n });
    const lead = leadingDirections(set, { sigma: 3, draws: 1, stream: stream('noise', t) }, 1);
    values.push(lead.values[0] as number);
    overlaps.push(alignments(lead.vectors)[0] as number);
  }
  const [value, overlap] = [trialMean(values), trialMean(overlaps)];
  // Four standard errors, and the 1 / n bias of a finite sample.
  const expected = sampleEigenvalue(snr, p / n, 9);
  expect(Math.abs(value.mean - expected)).toBeLessThan(4 * value.standardError + (4 * expected) / n);
  expect(Math.abs(overlap.mean - overlapSquared(snr, p / n))).toBeLessThan(4 * overlap.standardError + 4 / n);
});

test('learnLinear() with infinitely many draws has the clean eigenvectors at any noise level', () => {
  const set = drawTrainingSet(stream('set'), { spectrum: [9, 4, 1], dimension: 12, count: 30 });
  const [low, high] = [0.01, 100].map((sigma) =>
    pcaProjection(learnLinear(set, { sigma, draws: Infinity, stream: stream('unused') }), 3),
  );
  // sigma^2 = 1e4 costs four digits of the covariance: 12 eps 1e4.
  expect(largestGap(low as Tensor<'float64'>, high as Tensor<'float64'>)).toBeLessThan(12 * Number.EPSILON * 1e4);
});

test('wienerFilter() with infinitely many draws is Sigma (Sigma + S I)^-1', () => {
  const set = trainingSetOf(diagonal([9, 4, 1, 0]), 100);
  const { matrix, unseen } = wienerFilter(learnLinear(set, { sigma: 2, draws: Infinity, stream: stream('unused') }));
  expect(unseen).toBe(0);
  expect(largestGap(matrix, diagonal([9 / 13, 4 / 8, 1 / 5, 0]))).toBeLessThan(8 * Number.EPSILON);
});

test('wienerFilter() comes closer to the formula as draws grow, with the square root of their number', () => {
  const set = trainingSetOf(diagonal([9, 4, 1, 0]), 50);
  const error = (draws: number): number =>
    trialMean(
      Array.from({ length: 20 }, (_, t) => {
        const learned = learnLinear(set, { sigma: 2, draws, stream: stream('noise', t) });
        return largestGap(wienerFilter(learned).matrix, diagonal([9 / 13, 4 / 8, 1 / 5, 0])) ** 2;
      }),
    ).mean;
  const order = Math.log(error(10) / error(1000)) / Math.log(100);
  expect(Math.abs(order - 1)).toBeLessThan(0.3);
});

test('wienerFilter() says how many directions too few samples leave unseen', () => {
  const set = drawTrainingSet(stream('few'), { spectrum: [9, 4], dimension: 10, count: 4 });
  expect(wienerFilter(learnLinear(set, { sigma: 1, draws: 1, stream: stream('noise') })).unseen).toBe(6);
});

test('trainingSetOf() rebuilds the covariance it was given', () => {
  const covariance = tensor('float64', [2, 2], Float64Array.of(3, 1, 1, 2));
  const { root } = trainingSetOf(covariance, 7);
  const back = matmul(root, root, { transposeA: true });
  expect(
    largestGap(
      back,
      tensor(
        'float64',
        [2, 2],
        covariance.data.map((x) => 7 * x),
      ),
    ),
  ).toBeLessThan(64 * Number.EPSILON);
});

test.each([
  () => drawTrainingSet(stream(), { spectrum: [], dimension: 3, count: 3 }),
  () => drawTrainingSet(stream(), { spectrum: [1, 2], dimension: 1, count: 3 }),
  () => drawTrainingSet(stream(), { spectrum: [-1], dimension: 3, count: 3 }),
  () => drawTrainingSet(stream(), { spectrum: [1], dimension: 3, count: 0 }),
  () => trainingSetOf(diagonal([0, 0]), 5),
  () => learnLinear(trainingSetOf(diagonal([1]), 5), { sigma: 0, draws: 1, stream: stream() }),
  () => learnLinear(trainingSetOf(diagonal([1]), 5), { sigma: 1, draws: 0.5, stream: stream() }),
  () => pcaProjection(learnLinear(trainingSetOf(diagonal([1]), 5), { sigma: 1, draws: 1, stream: stream() }), 2),
  () => leadingDirections(trainingSetOf(diagonal([1]), 5), { sigma: 1, draws: 1, stream: stream() }, 2),
  () => trialMean([1]),
])('learned linear denoisers refuse what lies outside their domain (%#)', (call) => {
  expect(call).toThrow(DomainError);
});
