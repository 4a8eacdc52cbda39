import { computeJacobian } from '../analysis/jacobian.ts';
import { findNearest } from '../analysis/nearest.ts';
import type { NearestSamples } from '../analysis/nearest.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import type { DeviceName } from '../engine/backend/session.ts';
import { ShapeError, SpecError } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { allocate, sameShape, showShape, sizeOf, slice, tensor } from '../tensor/tensor.ts';
import type { FloatDType, FloatTensor, Tensor } from '../tensor/tensor.ts';
import { checkCopying } from './inspect-copying.ts';
import type { CopyCheck } from './inspect-copying.ts';
import { measurePoint } from './inspect-measure.ts';
import type { PointMeasures } from './inspect-measure.ts';
import { drawSamples, jacobianPoints, noiseHeldout } from './inspect-points.ts';
import type { InspectWatch, JacobianPoint } from './inspect-points.ts';
import { gaussianReference } from './inspect-reference.ts';
import type { InspectArrays, InspectCopying, InspectReference, InspectResult, InspectSite } from './inspect-result.ts';
import type { ToldReading } from './open-model.ts';
import { trajectoryGrid } from './inspect-spec.ts';
import type { InspectSpec } from './inspect-spec.ts';

/** What a run looks at and what it says of itself. */
export interface InspectSubject extends InspectWatch {
  readonly denoiser: Denoiser;
  /** Clean samples that the denoiser was not made from. */
  readonly heldout: Dataset;
  /** What the denoiser was made from: nearest neighbours are sought in it, and its Gaussian gives the reference curve. */
  readonly train?: Dataset | undefined;
  /** Eigenvalues of the data's covariance where they are known; computed from `train` otherwise. */
  readonly variances?: Float64Array | undefined;
  /** Noise levels of the sampler, descending, with every level of the spec among them; default those of the spec. */
  readonly grid?: Float64Array | undefined;
  /** Where networks run. */
  readonly device?: DeviceName | undefined;
  /** How a foreign network is read. */
  readonly reading?: ToldReading | undefined;
  /** The command line that makes this run again. */
  readonly command: string;
  /** Version of this package. */
  readonly version: string;
}

/** The two halves of what a run found: plain data for JSON, arrays for NPZ and figures. */
export interface InspectRun {
  readonly result: InspectResult;
  readonly arrays: InspectArrays;
  /** That of the second model, where there is one. */
  readonly beside?: InspectRun;
}

/** Jacobian products asked for ahead, so that a worker computes on while this thread takes a spectrum (about a second each). */
const PRODUCTS_AHEAD = 24;

/** A spectrum holds three n x n matrices of float64 in WebAssembly's 4 GiB. */
const LARGEST_DIMENSION = 13_000;

/**
 * Measures how low-dimensional a denoiser is at every noise level of a spec, at held-out samples and along a trajectory.
 * @returns rows and arrays in the order of `spec.sigmas`, descending; `files` is empty, as nothing is written here
 * @throws ShapeError if data and denoiser differ in shape; SpecError for samples too large for whole Jacobians; CancelledError; whatever denoiser and data throw
 * @precision spectra to eps of the denoiser's dtype times the largest value; triplets say their own residuals
 */
export async function runInspect(spec: InspectSpec, subject: InspectSubject): Promise<InspectRun> {
  const { denoiser, heldout, train, signal, onProgress } = subject;
  const startedAt = new Date();
  checkSubject(subject);
  // The reference needs this thread alone, which waits for the denoiser's worker most of the time.
  const aside = new AbortController();
  const stop = signal ? AbortSignal.any([signal, aside.signal]) : aside.signal;
  const reference = gaussianReference(spec.sigmas, { ...subject, signal: stop });
  reference.catch(() => undefined); // awaited below, or stopped where something else fails first
  try {
    const watch: InspectWatch = { signal, onProgress };
    const noisy = await noiseHeldout(spec, denoiser, heldout, watch);
    const drawn = await drawSamples(denoiser, {
      ...watch,
      count: train ? Math.max(spec.samples, spec.copies) : spec.samples,
      seed: spec.seed,
      grid: subject.grid ?? trajectoryGrid(spec),
    });
    const check = train && (await checkCopying(spec, { denoiser, heldout, train }, drawn.samples, watch));
    const samples = slice(drawn.samples as Tensor<'float64'>, 0, spec.samples);
    const measures = await measureAll(spec, denoiser, jacobianPoints(spec, noisy, drawn), watch);
    const found = train && (await findNearest(samples, train, { signal }));
    const arrays: InspectArrays = {
      sigmas: tensor('float64', [spec.sigmas.length], Float64Array.from(spec.sigmas)),
      ...noisy,
      ...drawn,
      samples,
      ...spectraArrays(spec, denoiser.dtype, measures),
      ...nearestArrays(found, check),
    };
    const parts = { measures, reference: await reference, copying: check?.copying };
    return { result: await describeRun(spec, subject, parts, startedAt), arrays };
  } finally {
    aside.abort();
  }
}

/** @throws ShapeError, SpecError as `runInspect` */
function checkSubject({ denoiser, heldout }: InspectSubject): void {
  if (!sameShape(heldout.sampleShape, denoiser.sampleShape)) {
    throw new ShapeError(
      heldout.name,
      `expected samples of shape ${showShape(denoiser.sampleShape)} for ${denoiser.name}, got ${showShape(heldout.sampleShape)}. Choose data that fit the model.`,
    );
  }
  const dimension = sizeOf(denoiser.sampleShape);
  if (dimension > LARGEST_DIMENSION) {
    throw new SpecError(
      'inspect',
      `takes whole Jacobians, of up to ${LARGEST_DIMENSION} dimensions; ${denoiser.name} has ${dimension}. Export it for smaller images, or examine it with eigenlens doctor.`,
    );
  }
}

interface RunParts {
  readonly measures: readonly PointMeasures[];
  readonly reference: InspectReference | undefined;
  readonly copying: InspectCopying | undefined;
}

/** The plain half of a run. */
async function describeRun(
  spec: InspectSpec,
  { denoiser, heldout, device, reading, command, version }: InspectSubject,
  { measures, reference, copying }: RunParts,
  startedAt: Date,
): Promise<InspectResult> {
  const { low, high } = heldout.range;
  return {
    model: denoiser.name,
    dataset: { name: heldout.name, hash: await heldout.hash() },
    seed: spec.seed,
    coordinates: 'VE',
    dtype: denoiser.dtype,
    versions: {
      eigenlens: version,
      node: process.versions.node,
      ...(denoiser.runtime && { runtime: denoiser.runtime }),
    },
    startedAt: startedAt.toISOString(),
    wallMs: Date.now() - startedAt.getTime(),
    command,
    sampleShape: denoiser.sampleShape,
    dimension: sizeOf(denoiser.sampleShape),
    valueRange: [low, high],
    sigmas: spec.sigmas,
    rankCurve: measures.flatMap((m) => m.ranks),
    triplets: measures.map((m) => m.triplets),
    linearity: measures.map((m) => m.linearity),
    symmetryDefect: measures.map((m) => m.symmetry),
    ...(reference && { reference }),
    ...(copying && { copying }),
    ...(device && { device }),
    ...(reading && { reading }),
    files: [],
  };
}

function nearestArrays(found: NearestSamples | undefined, check: CopyCheck | undefined): Partial<InspectArrays> {
  return {
    ...(found && { nearest: found.nearest, nearest_distance: found.distance }),
    ...(check && { closest: check.closest, closest_training: check.training }),
  };
}

/** Measures every point; the products of the next Jacobian are under way while this thread works on the last one. */
async function measureAll(
  spec: InspectSpec,
  denoiser: Denoiser,
  points: readonly JacobianPoint[],
  { signal, onProgress }: InspectWatch,
): Promise<PointMeasures[]> {
  const dimension = sizeOf(denoiser.sampleShape);
  const total = points.length * dimension;
  const begin = (index: number): { op: LinearOperator; jacobian: Promise<Tensor<'float64'>> } | undefined => {
    const point = points[index];
    if (point === undefined) return undefined;
    const op = denoiser.linearize(point.x, point.sigma);
    const jacobian = computeJacobian(op, {
      blockSize: spec.blockSize,
      inFlight: PRODUCTS_AHEAD,
      signal,
      onProgress: (done) => onProgress?.({ label: 'Jacobians', done: index * dimension + done, total, unit: 'rows' }),
    });
    jacobian.catch(() => undefined); // awaited below, but a failure may come while the point before is measured
    return { op, jacobian };
  };
  const measures: PointMeasures[] = [];
  let current = begin(0);
  for (const [index, point] of points.entries()) {
    if (current === undefined) break;
    const { op } = current;
    const jacobian = await current.jacobian;
    current = begin(index + 1);
    try {
      measures.push(await measurePoint(spec, denoiser, point, op, jacobian, signal));
    } catch (error) {
      await current?.jacobian.catch(() => undefined); // nothing may be under way once this has failed
      throw error;
    }
  }
  return measures;
}

/** Spectra and leading vectors by site, levels first. */
function spectraArrays(
  spec: InspectSpec,
  dtype: FloatDType,
  measures: readonly PointMeasures[],
): Pick<
  InspectArrays,
  'spectra_heldout' | 'spectra_trajectory' | 'left_heldout' | 'right_heldout' | 'left_trajectory' | 'right_trajectory'
> {
  const levels = spec.sigmas.length;
  const collect = <T extends FloatDType>(
    site: InspectSite,
    kind: T,
    take: (m: PointMeasures) => Tensor<'float64'>,
  ): Tensor<T> => {
    const parts = measures.filter((m) => m.point.site === site).map(take);
    const inner = parts[0]?.shape ?? [];
    const size = sizeOf(inner);
    const data = allocate(kind, parts.length * size);
    parts.forEach((part, i) => data.set(part.data, i * size));
    return tensor(kind, [levels, parts.length / levels, ...inner], data);
  };
  const values = (m: PointMeasures): Tensor<'float64'> =>
    tensor('float64', [m.spectrum.values.length], m.spectrum.values);
  const left = (m: PointMeasures): Tensor<'float64'> => m.spectrum.leading.left;
  const right = (m: PointMeasures): Tensor<'float64'> => m.spectrum.leading.right;
  return {
    spectra_heldout: collect('heldout', 'float64', values),
    spectra_trajectory: collect('trajectory', 'float64', values),
    left_heldout: collect('heldout', dtype, left) as FloatTensor,
    right_heldout: collect('heldout', dtype, right) as FloatTensor,
    left_trajectory: collect('trajectory', dtype, left) as FloatTensor,
    right_trajectory: collect('trajectory', dtype, right) as FloatTensor,
  };
}
