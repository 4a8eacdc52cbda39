import { denoiserDimension } from '../analysis/dimension/denoiser-dimension.ts';
import type { DenoiserDimension } from '../analysis/dimension/denoiser-dimension.ts';
import type { DimensionEstimate } from '../analysis/dimension/estimate.ts';
import { localPcaDimension } from '../analysis/dimension/local-pca.ts';
import { maximumLikelihoodDimension } from '../analysis/dimension/maximum-likelihood.ts';
import { distinctSamples, nearestNeighbours } from '../analysis/dimension/neighbours.ts';
import type { Neighbours } from '../analysis/dimension/neighbours.ts';
import { predictSamples } from '../analysis/dimension/sample-prediction.ts';
import type { SamplePrediction } from '../analysis/dimension/sample-prediction.ts';
import { twoNnDimension } from '../analysis/dimension/two-nn.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { DatasetError } from '../errors/errors.ts';
import { permutation, randomKey } from '../tensor/random.ts';
import { sizeOf, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { dimensionFigures } from './dimension-figures.ts';
import type { DimensionSpec } from './dimension-spec.ts';
import type { PlainFigure } from './plain-figure.ts';

/** One estimate from data, with its settings in words. */
export interface DataEstimate extends DimensionEstimate {
  readonly estimator: 'maximum likelihood' | 'TwoNN' | 'local PCA';
  readonly setting: string;
  /** What makes the number doubtful, where something does. */
  readonly caution?: string;
}

/** What `dimension` found: plain data. */
export interface DimensionResult {
  readonly job: 'dimension';
  readonly data: {
    readonly name: string;
    /** Samples in the data set, taken, distinct among those, and those whose neighbours were sought. */
    readonly count: number;
    readonly samples: number;
    readonly distinct: number;
    readonly queries: number;
    readonly ambient: number;
  };
  readonly estimates: readonly DataEstimate[];
  /** Undefined without a model. */
  readonly denoiser?: Omit<DenoiserDimension, 'levels'> & {
    readonly name: string;
    readonly images: number;
    readonly levels: readonly (Omit<DenoiserDimension['levels'][number], 'values'> & {
      readonly values: readonly number[];
    })[];
  };
  /** The estimate that the prediction rests on. */
  readonly predictedFrom: string;
  readonly predictions: readonly SamplePrediction[];
  readonly seed: number;
}

/** What a run needs beside its spec. */
export interface DimensionInputs {
  readonly dataset: Dataset;
  /** A denoiser and clean samples that it was not made from. */
  readonly model?: { readonly denoiser: Denoiser; readonly heldout: Dataset } | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((label: string, done: number, total: number) => void) | undefined;
}

/** Fewer samples say too little of a dimension at a coarser scale. */
const LEAST_PART = 100;
const PCA_QUERIES = 200;
/** What the literature on images uses: Pope et al. 2021, arXiv 2104.08894. */
const PREDICTING_K = 20;

/**
 * Intrinsic dimension of a data set over scales, and of a denoiser over noise, with the number of samples that it is said to ask for.
 * A data set larger than `samples` is represented by a random part.
 * @throws DatasetError for data that are not finite, equal, or fewer than k + 1; CancelledError; whatever the denoiser throws
 */
export async function runDimension(
  spec: DimensionSpec,
  inputs: DimensionInputs,
): Promise<{ result: DimensionResult; figures: Record<string, PlainFigure> }> {
  const { dataset, model } = inputs;
  const { x, taken } = await distinctPart(dataset, spec);
  const estimates = await estimateAll(x, dataset.name, spec, inputs);
  const denoiser = model && (await measureDenoiser(model, spec, inputs));
  const likelihood = estimates.filter((e) => e.estimator === 'maximum likelihood');
  const distance = (k: number | undefined): number => Math.abs((k ?? Infinity) - PREDICTING_K);
  const nearest = spec.k.reduce((best, k, i) => (distance(k) < distance(spec.k[best]) ? i : best), 0);
  const basis = likelihood[nearest] as DataEstimate;
  const distinct = x.shape[0] as number;
  const result: DimensionResult = {
    job: 'dimension',
    data: {
      name: dataset.name,
      count: dataset.count,
      samples: taken,
      distinct,
      queries: Math.min(spec.queries, distinct),
      ambient: sizeOf(dataset.sampleShape),
    },
    estimates,
    ...(denoiser && { denoiser }),
    predictedFrom: `maximum likelihood, ${basis.setting}`,
    predictions: predictSamples(basis),
    seed: spec.seed,
  };
  return { result, figures: dimensionFigures(result) };
}

/** A random part of the data set in random order, without copies. */
async function distinctPart(dataset: Dataset, spec: DimensionSpec): Promise<{ x: Tensor<'float32'>; taken: number }> {
  const D = sizeOf(dataset.sampleShape);
  const order = permutation(randomKey(spec.seed, 'dimension-samples'), dataset.count).slice(0, spec.samples);
  const { data } = await dataset.read(order);
  if (!data.every(Number.isFinite)) {
    const bad = order[Math.floor(data.findIndex((v) => !Number.isFinite(v)) / D)];
    throw new DatasetError(dataset.name, `expected finite samples, got NaN or infinity in sample ${bad}. Remove it.`);
  }
  const places = distinctSamples(tensor('float32', [order.length, D], data));
  if (places.length === 1) {
    throw new DatasetError(dataset.name, 'expected samples that differ, got all equal. A point has no dimension.');
  }
  const kept = new Float32Array(places.length * D);
  places.forEach((place, i) => kept.set(data.subarray(place * D, (place + 1) * D), i * D));
  return { x: tensor('float32', [places.length, D], kept), taken: order.length };
}

async function estimateAll(
  x: Tensor<'float32'>,
  name: string,
  spec: DimensionSpec,
  { signal, onProgress }: DimensionInputs,
): Promise<DataEstimate[]> {
  const n = x.shape[0] as number;
  const largest = Math.max(2, ...spec.k);
  const pcaK = Math.min(spec.pcaK, n - 1);
  if (n <= largest || n < 10) {
    const needed = Math.max(10, largest + 1);
    throw new DatasetError(
      name,
      `expected at least ${needed} distinct samples for ${largest} neighbours, got ${n}. Give more samples or a smaller --k.`,
    );
  }
  const report = (label: string) => (done: number, total: number) => onProgress?.(label, done, total);
  const first = (count: number): Int32Array => Int32Array.from({ length: Math.min(count, n) }, (_, i) => i);
  const watch = { signal, onProgress: report('neighbours') };
  const neighbours = await nearestNeighbours(x, Math.max(largest, pcaK), { queries: first(spec.queries), ...watch });
  const likelihood = spec.k.map((k): DataEstimate => {
    const estimate = maximumLikelihoodDimension(neighbours, k);
    return { estimator: 'maximum likelihood', setting: `k = ${k}`, ...estimate };
  });
  const two: DataEstimate[] = [twoNn(neighbours, n, spec.seed)];
  for (let part = n >> 1; part >= Math.max(LEAST_PART, n >> 4); part >>= 1) {
    const some = tensor('float32', [part, x.shape[1] as number], x.data.slice(0, part * (x.shape[1] as number)));
    const queries = first(Math.min(spec.queries, part));
    two.push(twoNn(await nearestNeighbours(some, 2, { queries, signal }), part, spec.seed));
  }
  const fewer = atMost(neighbours, PCA_QUERIES, pcaK);
  const pca = await localPcaDimension(x, fewer, { signal, onProgress: report('local PCA') });
  return [
    ...likelihood,
    ...two,
    {
      estimator: 'local PCA',
      setting: `k = ${pcaK}, above ${100 * pca.threshold} %`,
      ...estimateOf(pca),
      ...(pca.saturated && { caution: 'k is too small to show the dimension' }),
    },
  ];
}

function twoNn(neighbours: Neighbours, samples: number, seed: number): DataEstimate {
  const found = twoNnDimension(neighbours, { seed });
  const setting = `n = ${samples}, less ${100 * found.discarded} %, R2 ${found.rSquared.toFixed(3)}`;
  return { estimator: 'TwoNN', setting, ...estimateOf(found) };
}

/** The estimate without the arrays behind it. */
function estimateOf({ dimension, low, high, interval, samples, scale }: DimensionEstimate): DimensionEstimate {
  return { dimension, low, high, interval, samples, scale };
}

/** The first queries and neighbours alone. */
function atMost({ k, queries, distances, indices }: Neighbours, count: number, neighbours: number): Neighbours {
  const M = Math.min(count, queries.length);
  const narrow = { distances: new Float64Array(M * neighbours), indices: new Int32Array(M * neighbours) };
  for (let i = 0; i < M; i++) {
    narrow.distances.set(distances.subarray(i * k, i * k + neighbours), i * neighbours);
    narrow.indices.set(indices.subarray(i * k, i * k + neighbours), i * neighbours);
  }
  return { k: neighbours, queries: queries.slice(0, M), ...narrow };
}

async function measureDenoiser(
  { denoiser, heldout }: { readonly denoiser: Denoiser; readonly heldout: Dataset },
  { images, sigmas, probes, triplets, seed }: DimensionSpec,
  { signal, onProgress }: DimensionInputs,
): Promise<NonNullable<DimensionResult['denoiser']>> {
  const order = permutation(randomKey(seed, 'dimension-images'), heldout.count).slice(0, images);
  const found = await denoiserDimension(denoiser, await heldout.read(order), {
    sigmas,
    seed,
    probes,
    triplets,
    signal,
    onProgress: (done, total) => onProgress?.('Jacobians', done, total),
  });
  const levels = found.levels.map((level) => ({ ...level, values: Array.from(level.values) }));
  return { name: denoiser.name, images: order.length, plateau: found.plateau, levels };
}
