import { compareBases, leadingBasis } from '../analysis/alignment.ts';
import type { Alignment, BasisKind, LeadingBasis } from '../analysis/alignment.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { endAtZero } from '../diffusion/noise-grid.ts';
import { DomainError, SpecError, throwIfAborted } from '../errors/errors.ts';
import type { TripletStatus } from '../linalg/triplets.ts';
import { sample } from '../samplers/sample.ts';
import { allocate, row, sizeOf, slice, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import { dataMoments } from './data-moments.ts';
import { emergenceFigures } from './emergence-figures.ts';
import { trajectoryGrid } from './inspect-spec.ts';
import type { PlainFigure } from './plain-figure.ts';

/** What is followed along a trajectory. */
export interface DeepEmergenceOptions {
  readonly denoiser: Denoiser;
  /** Data whose principal components are one of the references. */
  readonly dataset: Dataset;
  /** K leading directions. */
  readonly components: number;
  readonly basis: BasisKind;
  /** Noise levels of the Jacobians, descending. */
  readonly sigmas: readonly number[];
  /** Noise levels of the sampler's grid, to which `sigmas` are added. */
  readonly steps: number;
  readonly maxSweeps?: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The leading basis of the Jacobian at one step beside both references. */
export interface EmergenceStep {
  readonly sigma: number;
  /** [K], singular values, or magnitudes of eigenvalues of the symmetric part. */
  readonly values: readonly number[];
  readonly status: TripletStatus;
  /** Largest residual over the largest value. */
  readonly residual: number;
  /** Against the basis at the last step of `sigmas`. */
  readonly toLast: Alignment;
  /** Against the data's principal components. */
  readonly toData: Alignment;
}

/** Emergence in a deep denoiser: plain data, and arrays for NPZ. */
export interface DeepEmergence {
  readonly result: {
    readonly kind: 'deep';
    readonly model: string;
    readonly dataset: { readonly name: string; readonly hash: string };
    readonly basis: BasisKind;
    /** What the two references are, in words. */
    readonly references: { readonly last: string; readonly data: string };
    readonly seed: number;
    readonly components: number;
    readonly sigmas: readonly number[];
    /** Variances of the principal components, [K]. */
    readonly variances: readonly number[];
    readonly steps: readonly EmergenceStep[];
  };
  readonly arrays: {
    readonly sigmas: Tensor<'float64'>;
    /** [L, K] */
    readonly values: Tensor<'float64'>;
    /** [L, K, D] */
    readonly bases: Tensor<'float64'>;
    /** [K, D] */
    readonly principal: Tensor<'float64'>;
    /** [L, ...sampleShape] */
    readonly states: FloatTensor;
  };
  readonly figures: Readonly<Record<string, PlainFigure>>;
}

/**
 * The leading basis of a denoiser's Jacobian at every step of one sampling trajectory, against the basis at its last step and
 * against the principal components of data; matched by index and as subspaces.
 * Where values lie close together (a class of equal variances, J near the identity) vectors turn freely within their span: read
 * the principal sines there, not the index by index ones.
 * @throws SpecError for more components than dimensions; DomainError for levels that do not descend; CancelledError
 * @source Weitzner et al. 2024, arXiv 2410.14730, eq. 26 and figure 7, whose reference basis is not stated: both are measured here
 */
export async function deepEmergence(options: DeepEmergenceOptions): Promise<DeepEmergence> {
  const { denoiser, dataset, components: K, sigmas, seed, signal, onProgress } = options;
  const D = sizeOf(denoiser.sampleShape);
  checkOptions(options, D);
  const { eigen } = await dataMoments(dataset, signal);
  const principal = slice(eigen.vectors, 0, K);
  const states = await trajectoryStates(options, D);
  const bases: LeadingBasis[] = [];
  for (const [i, sigma] of sigmas.entries()) {
    throwIfAborted('emergence', signal);
    bases.push(await basisAt(options, row(states as Tensor<'float64'>, i), sigma, bases[i - 1]));
    onProgress?.(i + 1, sigmas.length);
  }
  const last = bases[bases.length - 1] as LeadingBasis;
  const steps = bases.map((own, i): EmergenceStep => ({
    sigma: sigmas[i] as number,
    values: [...own.values],
    status: own.status,
    residual: own.residual,
    toLast: compareBases(own.vectors, last.vectors),
    toData: compareBases(own.vectors, principal),
  }));
  const arrays = {
    sigmas: tensor('float64', [sigmas.length], Float64Array.from(sigmas)),
    values: stack(bases.map((b) => b.values), [K]), // prettier-ignore
    bases: stack(bases.map((b) => b.vectors.data), [K, D]), // prettier-ignore
    principal,
    states,
  };
  const result = {
    kind: 'deep' as const,
    model: denoiser.name,
    dataset: { name: dataset.name, hash: await dataset.hash() },
    basis: options.basis,
    references: {
      last: `the same basis at sigma ${sigmas[sigmas.length - 1]}, the last step looked at (${last.status})`,
      data: `the leading principal components of ${dataset.name}, ${dataset.count} samples`,
    },
    seed,
    components: K,
    sigmas,
    variances: [...eigen.values.slice(0, K)],
    steps,
  };
  return { result, arrays, figures: emergenceFigures(steps, arrays.bases, principal, denoiser.sampleShape) };
}

/** Sweeps that a basis may take; at low noise the values of a network lie close and more would tell little. */
const sweepsAllowed = 30;

function basisAt(
  { components, basis, maxSweeps = sweepsAllowed, seed, signal, denoiser }: DeepEmergenceOptions,
  x: FloatTensor,
  sigma: number,
  before: LeadingBasis | undefined,
): Promise<LeadingBasis> {
  return leadingBasis(denoiser.linearize(x, sigma), {
    kind: basis,
    rank: components,
    oversample: Math.min(4, x.data.length - components),
    maxSweeps,
    seed,
    ...(before && { start: before.vectors }),
    ...(signal && { signal }),
  });
}

/** States of one trajectory at the given levels, [L, ...sampleShape]. */
async function trajectoryStates(
  { denoiser, sigmas, steps, seed, signal }: DeepEmergenceOptions,
  D: number,
): Promise<FloatTensor> {
  const states = allocate(denoiser.dtype, sigmas.length * D);
  await sample(denoiser, {
    seeds: [seed],
    grid: endAtZero(trajectoryGrid({ sigmas, steps })),
    ...(signal && { signal }),
    onStep: ({ sigma, x }) => {
      const at = sigmas.indexOf(sigma);
      if (at >= 0) states.set(x.data, at * D);
    },
  });
  return tensor(denoiser.dtype, [sigmas.length, ...denoiser.sampleShape], states) as FloatTensor;
}

function checkOptions({ components, sigmas }: DeepEmergenceOptions, D: number): void {
  if (!Number.isInteger(components) || components < 1 || components > D) {
    throw new SpecError('emergence', `expected components to be an integer from 1 to ${D}, got ${components}.`);
  }
  const descends = sigmas.every((s, i) => s > 0 && s < (sigmas[i - 1] ?? Infinity));
  if (sigmas.length < 2 || !descends) {
    throw new DomainError(
      'emergence',
      `expected two or more noise levels descending to > 0, got ${sigmas.join(', ')}.`,
    );
  }
}

function stack(parts: readonly Float64Array[], inner: readonly number[]): Tensor<'float64'> {
  const size = sizeOf(inner);
  const data = new Float64Array(parts.length * size);
  parts.forEach((part, i) => data.set(part, i * size));
  return tensor('float64', [parts.length, ...inner], data);
}
