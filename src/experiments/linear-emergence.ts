import type { Dataset } from '../data/dataset.ts';
import { subset } from '../data/dataset.ts';
import { computeMoments } from '../data/moments.ts';
import { DomainError, throwIfAborted } from '../errors/errors.ts';
import { eigh } from '../linalg/eigh.ts';
import { matmul } from '../linalg/matmul.ts';
import { normal, permutation, randomKey } from '../tensor/random.ts';
import { sizeOf, slice, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { alignments, learnLinear, wienerFilter } from '../theory/learned-linear.ts';
import { meanRadialFrequency } from '../theory/radial-frequency.ts';
import { rankCorrelation } from '../theory/rank-correlation.ts';
import { aspectRatio, criticalNoise } from '../theory/spiked-covariance.ts';
import { trainingSetOf } from '../theory/training-set.ts';
import type { TrainingSet } from '../theory/training-set.ts';
import { emergenceFigures } from './linear-emergence-figures.ts';
import type { PlainFigure } from './plain-figure.ts';

/** Covariances beyond this size take gigabytes and minutes. */
const MOST_DIMENSIONS = 4096;
const LEVELS = 12;
/** Samples in the figure of reconstructions. */
const SHOWN = 3;

/** Which data, how many directions, and how the linear denoisers learn. */
export interface LinearEmergenceOptions {
  readonly dataset: Dataset;
  /** Leading principal components to follow. */
  readonly components: number;
  /** Noise levels in data units, > 0; default 12 around the critical ones. */
  readonly sigmas?: readonly number[] | undefined;
  /** Training samples drawn from the data set, default all. */
  readonly samples?: number | undefined;
  /** Noise draws per sample, default 1; Infinity averages the noise away. */
  readonly draws?: number | undefined;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** One principal component of the data and how linear denoisers find it. */
export interface EmergenceRow {
  /** From 1. */
  readonly component: number;
  /** Variance of the data along it. */
  readonly eigenvalue: number;
  /** Noise level above which the spiked covariance model says it is lost; Infinity with infinitely many draws. */
  readonly criticalSigma: number;
  /** Noise level at which half of it lies in the learned span, interpolated; 0 if it never does, Infinity if always. */
  readonly emergenceSigma: number;
  /** Cycles per pixel; NaN where samples are not images. */
  readonly meanRadialFrequency: number;
  /** Squared cosine with the learned direction of the same index, one a noise level. */
  readonly alignment: readonly number[];
  /** Learned gain along it: its diagonal element of the regression of clean on noisy samples, one a noise level. */
  readonly gain: readonly number[];
  /** Part of it in the span of the 2 x components leading learned directions, which trading places cannot lower. */
  readonly captured: readonly number[];
}

/** How the directions of a data set emerge from noise in learned linear denoisers. */
export interface LinearEmergence {
  readonly rows: readonly EmergenceRow[];
  /** Descending. */
  readonly sigmas: readonly number[];
  readonly samples: number;
  readonly draws: number;
  readonly dimension: number;
  /** Spearman correlation of critical noise with mean radial frequency: near -1 where low frequencies come first; NaN if not images. */
  readonly frequencyCorrelation: number;
  readonly figures: Readonly<Record<string, PlainFigure>>;
}

/** What is kept of one noise level, in the coordinates of the data's principal components. */
export interface LearnedLevel {
  readonly sigma: number;
  /** [min(p, 2 x components), p], the leading learned directions. */
  readonly leading: Tensor<'float64'>;
  /** Learned gains along the followed components. */
  readonly gains: readonly number[];
  /** [B, p], noisy samples and what the learned regression makes of them. */
  readonly noisy: Tensor<'float64'>;
  readonly filtered: Tensor<'float64'>;
}

/** Principal components of the whole data set, and the samples learned from. */
export interface EmergenceBasis {
  readonly dataset: Dataset;
  readonly mean: Float64Array;
  readonly values: Float64Array;
  /** [p, p], rows are components. */
  readonly vectors: Tensor<'float64'>;
  readonly training: TrainingSet;
  /** [B, p], the first samples, in the coordinates of the components. */
  readonly shown: Tensor<'float64'>;
  readonly draws: number;
  readonly seed: number;
}

/**
 * Learns linear denoisers at every noise level from noisy samples of a data set and follows its principal components through them.
 * The reference of every alignment is the principal components of the whole data set.
 * @throws DomainError for more components than the data vary in, bad noise levels, samples or draws; CancelledError
 * @source theory.md A.2 on an empirical spectrum
 */
export async function linearEmergence(options: LinearEmergenceOptions): Promise<LinearEmergence> {
  const { dataset, components, draws = 1, signal, onProgress } = options;
  const dimension = sizeOf(dataset.sampleShape);
  checkOptions(options, dimension);
  const basis = await emergenceBasis(options);
  const gamma = aspectRatio(dimension, basis.training.count, draws);
  const leading = basis.values.subarray(0, components);
  const varying = leading.filter((value) => value > (leading[0] as number) * dimension * Number.EPSILON).length;
  if (varying < components) {
    throw new DomainError('emergence', `expected data that vary in ${components} directions, got ${varying}. Ask for fewer components.`); // prettier-ignore
  }
  const critical = Array.from(leading, (variance) => criticalNoise(variance, gamma));
  const sigmas = options.sigmas ? [...options.sigmas].sort((a, b) => b - a) : defaultSigmas(leading, gamma);
  const levels: LearnedLevel[] = [];
  for (const [s, sigma] of sigmas.entries()) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // an interrupt must be heard
    throwIfAborted('emergence', signal);
    levels.push(learnLevel(basis, sigma, s, components));
    onProgress?.(s + 1, sigmas.length + 1);
  }
  const rows = emergenceRows(basis, components, critical, levels);
  const frequencies = rows.map((row) => row.meanRadialFrequency);
  const known = components > 1 && !frequencies.some(Number.isNaN);
  const result = {
    rows,
    sigmas,
    ...{ samples: basis.training.count, draws, dimension },
    frequencyCorrelation: known ? rankCorrelation([...leading], frequencies) : NaN,
  };
  const figures = emergenceFigures(result, basis, levels, gamma);
  onProgress?.(sigmas.length + 1, sigmas.length + 1);
  return { ...result, figures };
}

async function emergenceBasis(options: LinearEmergenceOptions): Promise<EmergenceBasis> {
  const { dataset, samples = dataset.count, draws = 1, seed, signal } = options;
  const watch = signal ? { signal } : {};
  const { mean, covariance } = await computeMoments(dataset, watch);
  const { values, vectors } = eigh(covariance);
  const clean = await dataset.read(Array.from({ length: Math.min(SHOWN, dataset.count) }, (_, i) => i));
  const centred = Float64Array.from(clean.data, (x, i) => x - (mean[i % mean.length] as number));
  const shown = matmul(tensor('float64', [centred.length / mean.length, mean.length], centred), vectors, {
    transposeB: true,
  });
  const own = { dataset, mean, values, vectors, shown, draws, seed };
  if (samples === dataset.count) {
    const variances = values.map((value) => Math.max(value, 0));
    return { ...own, training: trainingSetOf(diagonal(variances), samples) };
  }
  const indices = permutation(randomKey(seed, 'emergence', 'samples'), dataset.count).subarray(0, samples);
  const part = await computeMoments(subset(dataset, { indices }, `${samples} of ${dataset.name}`), watch);
  const turned = matmul(matmul(vectors, part.covariance), vectors, { transposeB: true });
  return { ...own, training: trainingSetOf(symmetric(turned), samples) };
}

/** Whole matrices of one level are let go before the next: they are as large as the covariance. */
function learnLevel(
  { training, draws, seed, shown }: EmergenceBasis,
  sigma: number,
  index: number,
  components: number,
): LearnedLevel {
  const stream = { seed, path: ['emergence', 'noise', index] };
  const learned = learnLinear(training, { sigma, draws, stream });
  const { matrix } = wienerFilter(learned);
  const p = training.dimension;
  const noise = normal(randomKey(seed, 'emergence', 'shown'), shown.shape).data;
  const noisy = tensor(
    'float64',
    shown.shape,
    shown.data.map((x, i) => x + sigma * (noise[i] as number)),
  );
  const span = Math.min(p, 2 * components);
  return {
    sigma,
    leading: tensor('float64', [span, p], learned.eigen.vectors.data.slice(0, span * p)),
    gains: Array.from({ length: components }, (_, i) => matrix.data[i * (p + 1)] as number),
    noisy,
    filtered: matmul(noisy, matrix, { transposeB: true }),
  };
}

function emergenceRows(
  { dataset, values, vectors }: EmergenceBasis,
  components: number,
  critical: readonly number[],
  levels: readonly LearnedLevel[],
): EmergenceRow[] {
  const p = values.length;
  const matched = levels.map(({ leading }) => alignments(slice(leading, 0, components)));
  const image = dataset.sampleShape.length === 3;
  return critical.map((criticalSigma, i) => {
    const captured = levels.map(({ leading }) => {
      let sum = 0;
      for (let at = i; at < leading.data.length; at += p) sum += (leading.data[at] as number) ** 2;
      return sum;
    });
    const component = slice(vectors, i, i + 1).data;
    return {
      component: i + 1,
      eigenvalue: values[i] as number,
      criticalSigma,
      emergenceSigma: crossing(
        levels.map(({ sigma }) => sigma),
        captured,
      ),
      meanRadialFrequency: image ? meanRadialFrequency(component, dataset.sampleShape) : NaN,
      alignment: matched.map((at) => at[i] as number),
      gain: levels.map(({ gains }) => gains[i] as number),
      captured,
    };
  });
}

/** Where values over descending sigmas first rise to 1/2, linearly in ln sigma. */
function crossing(sigmas: readonly number[], values: readonly number[]): number {
  const at = values.findIndex((value) => value >= 0.5);
  if (at < 0) return 0;
  if (at === 0) return Infinity;
  const [before, after] = [values[at - 1] as number, values[at] as number];
  const part = (0.5 - before) / (after - before);
  return (sigmas[at - 1] as number) * ((sigmas[at] as number) / (sigmas[at - 1] as number)) ** part;
}

function defaultSigmas(leading: Float64Array, gamma: number): number[] {
  // Without a threshold the signal's own scale sets the axis.
  const scale = (variance: number): number => (gamma > 0 ? criticalNoise(variance, gamma) : Math.sqrt(variance));
  const [high, low] = [2 * scale(leading[0] as number), scale(leading[leading.length - 1] as number) / 4];
  return Array.from({ length: LEVELS }, (_, s) => high * (low / high) ** (s / (LEVELS - 1)));
}

function checkOptions({ dataset, components, sigmas, samples }: LinearEmergenceOptions, dimension: number): void {
  const check = (fits: boolean, expected: string): void => {
    if (!fits) throw new DomainError('emergence', `expected ${expected}`);
  };
  const whole = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  check(dimension <= MOST_DIMENSIONS, `at most ${MOST_DIMENSIONS} dimensions, got ${dimension}. Open smaller images.`);
  check(whole(components, dimension), `a whole number of components from 1 to ${dimension}, got ${components}.`);
  check(
    samples === undefined || whole(samples, dataset.count),
    `a whole number of samples from 1 to ${dataset.count}, got ${samples}.`,
  );
  check(
    sigmas === undefined || (sigmas.length > 0 && sigmas.every((sigma) => sigma > 0 && sigma < Infinity)),
    `noise levels > 0 and finite, got ${sigmas?.join(', ')}.`,
  );
}

function diagonal(values: Float64Array): Tensor<'float64'> {
  const n = values.length;
  const data = new Float64Array(n * n);
  values.forEach((value, i) => (data[i * (n + 1)] = value));
  return tensor('float64', [n, n], data);
}

/** Products round the two triangles differently. */
function symmetric(a: Tensor<'float64'>): Tensor<'float64'> {
  const n = a.shape[0] as number;
  const data = a.data.map((x, i) => (x + (a.data[(i % n) * n + Math.floor(i / n)] as number)) / 2);
  return tensor('float64', [n, n], data);
}
