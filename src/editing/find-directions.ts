import type { Denoiser } from '../denoisers/denoiser.ts';
import { DomainError, NumericalError } from '../errors/errors.ts';
import type { LinearOperator } from '../linalg/operator.ts';
import { leadingTriplets } from '../linalg/triplets.ts';
import type { TripletProgress, Triplets } from '../linalg/triplets.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, sizeOf, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { DirectionMethod, DirectionSet } from './direction-set.ts';
import { checkMask, complementOf, expandMask } from './mask.ts';
import type { Mask } from './mask.ts';
import { maskRows, noiseOperator } from './masked-operator.ts';
import { withoutNullBlock } from './null-space.ts';

/** What to look for. */
export interface FindOptions {
  /** `loco` (default) is the method; `unmasked`, `noise` and `random` are baselines on the same interface. */
  readonly method?: Exclude<DirectionMethod, 'pca' | 'supervised'> | undefined;
  /** Where the edit may act; without one directions are global and nothing is projected out. */
  readonly mask?: Mask | undefined;
  /** K, default 5. */
  readonly rank?: number | undefined;
  /** Leading directions of the outside that are projected out, default 5 as published, at most as many as the outside has numbers; 0 for none. */
  readonly nullRank?: number | undefined;
  /** Relative residual and subspace change at which a search stops, default 1e-3. */
  readonly tolerance?: number | undefined;
  readonly maxSweeps?: number | undefined;
  /** Of the random start, and of random directions. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each sweep of the two searches. */
  readonly onProgress?: ((progress: FindProgress) => void) | undefined;
}

/** What is known after a sweep. */
export interface FindProgress extends TripletProgress {
  readonly block: 'inside' | 'outside';
}

const DEFAULT_RANK = 5;
const DEFAULT_NULL_RANK = 5;
const DEFAULT_TOLERANCE = 1e-3;

/**
 * Edit directions at a noisy image: leading right singular vectors of the posterior mean's Jacobian inside the mask, less their parts in
 * the leading right singular vectors of the outside (null-space projection), at unit length.
 * @param x  one noisy image, [...sampleShape] or [1, ...sampleShape], at noise level sigma, VE coordinates
 * @returns K directions by falling singular value, each with its residual and the change it predicts inside and outside
 * @throws ShapeError, DomainError of `checkMask`; DomainError for ranks beyond the sizes; NumericalError where the search leaves the
 *   finite numbers or a direction lies within the null block; CancelledError
 * @precision `orthogonality` to 1e-12 by projecting twice; vectors to the residuals over the gaps
 * @source Chen et al. 2024, arXiv 2409.02374, algorithm 1; block Krylov in place of its generalised power method
 */
export async function findDirections(
  denoiser: Denoiser,
  x: FloatTensor,
  sigma: number,
  options: FindOptions = {},
): Promise<DirectionSet> {
  const { method = 'loco', mask, rank = DEFAULT_RANK, seed = 0 } = options;
  const { sampleShape } = denoiser;
  if (mask !== undefined) checkMask('edit', mask, sampleShape);
  const op = denoiser.linearize(x, sigma);
  if (method === 'random') {
    const vectors = randomRows(rank, sizeOf(sampleShape), seed, mask && expandMask(mask, sampleShape));
    return describeDirections(denoiser, x, sigma, { method, mask, vectors });
  }
  const inside = mask === undefined || method === 'unmasked' ? op : maskRows(op, expandMask(mask, sampleShape));
  const sought = method === 'noise' ? noiseInside(op, sigma, mask, sampleShape) : inside;
  const found = await search(sought, rank, 'inside', options);
  const block = method === 'loco' ? await outsideBlock(op, sampleShape, options) : undefined;
  return describeDirections(denoiser, x, sigma, {
    method,
    mask,
    ...withoutNullBlock(found.right, block),
    nullRank: block?.shape[0] ?? 0,
    values: found.values,
    residuals: found.residualLeft.map((r, i) => Math.max(r, found.residualRight[i] as number)),
  });
}

/**
 * Leading right singular vectors of the Jacobian outside a mask, which directions must be free of.
 * @param op  the Jacobian at the noisy image
 * @returns [nullRank, n], orthonormal rows; undefined without a mask or for a null rank of 0
 * @throws as `findDirections`
 */
export async function outsideBlock(
  op: LinearOperator,
  sampleShape: readonly number[],
  options: Omit<FindOptions, 'method' | 'rank'>,
): Promise<Tensor<'float64'> | undefined> {
  const { mask, nullRank = DEFAULT_NULL_RANK } = options;
  if (mask === undefined || nullRank === 0) return undefined;
  const flags = expandMask(complementOf(mask), sampleShape);
  // Beyond its own numbers the outside has no directions: what a search would give there is arbitrary.
  const most = flags.reduce((sum, flag) => sum + flag, 0);
  return (await search(maskRows(op, flags), Math.min(nullRank, most), 'outside', options)).right;
}

/** Given directions, and what is known of them. */
export interface GivenDirections {
  readonly method: DirectionMethod;
  readonly mask?: Mask | undefined;
  /** [K, n] unit rows. */
  readonly vectors: Tensor<'float64'>;
  readonly kept?: Float64Array | undefined;
  readonly orthogonality?: number | undefined;
  readonly nullRank?: number | undefined;
  readonly values?: Float64Array | undefined;
  readonly residuals?: Float64Array | undefined;
}

/**
 * A set of directions from given vectors: measures by one block of products what each changes inside and outside of the mask.
 * @throws as the denoiser's products
 */
export async function describeDirections(
  denoiser: Denoiser,
  x: FloatTensor,
  sigma: number,
  given: GivenDirections,
): Promise<DirectionSet> {
  const { method, mask, vectors, nullRank = 0, orthogonality = 0 } = given;
  const count = vectors.shape[0] as number;
  const { sampleShape } = denoiser;
  const changes = castFloat(await denoiser.linearize(x, sigma).apply(vectors), 'float64');
  const flags = mask && expandMask(mask, sampleShape);
  const unknown = (): Float64Array => new Float64Array(count).fill(NaN);
  return {
    method,
    sampleShape,
    sigma,
    vectors,
    values: given.values ?? unknown(),
    residuals: given.residuals ?? unknown(),
    kept: given.kept ?? new Float64Array(count).fill(1),
    gains: lengths(changes, flags, 1),
    leaks: flags === undefined ? new Float64Array(count) : lengths(changes, flags, 0),
    nullRank,
    orthogonality,
    ...(mask && { mask }),
  };
}

function noiseInside(
  op: LinearOperator,
  sigma: number,
  mask: Mask | undefined,
  shape: readonly number[],
): LinearOperator {
  const noise = noiseOperator(op, sigma);
  return mask === undefined ? noise : maskRows(noise, expandMask(mask, shape));
}

async function search(
  op: LinearOperator,
  rank: number,
  block: 'inside' | 'outside',
  { tolerance = DEFAULT_TOLERANCE, maxSweeps, seed = 0, signal, onProgress }: FindOptions,
): Promise<Triplets> {
  if (!Number.isInteger(rank) || rank < 1 || rank > op.columns) {
    const what = block === 'inside' ? 'directions' : 'null rank';
    throw new DomainError('edit', `expected ${what} from 1 to ${op.columns}, got ${rank}.`);
  }
  const found = await leadingTriplets(op, {
    rank,
    tolerance,
    seed,
    ...(maxSweeps !== undefined && { maxSweeps }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (progress) => onProgress({ ...progress, block }) }),
  });
  if (found.status !== 'nonFinite') return found;
  throw new NumericalError('edit', `the Jacobian ${block} the mask is not finite. Choose another noise level.`);
}

/** [K, n] unit rows of independent directions, zero where flags are. */
function randomRows(count: number, n: number, seed: number, flags: Uint8Array | undefined): Tensor<'float64'> {
  if (!Number.isInteger(count) || count < 1) throw new DomainError('edit', `expected directions >= 1, got ${count}.`);
  const { data } = normal(randomKey(seed, 'edit-random'), [count, n]);
  for (let k = 0; k < count; k++) {
    const row = data.subarray(k * n, (k + 1) * n);
    if (flags !== undefined) row.forEach((v, i) => (row[i] = flags[i] === 0 ? 0 : v));
    const length = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
    row.forEach((v, i) => (row[i] = v / length));
  }
  return tensor('float64', [count, n], data);
}

/** Lengths of rows over the flagged columns; all columns without flags. */
function lengths({ shape, data }: Tensor<'float64'>, flags: Uint8Array | undefined, flag: 0 | 1): Float64Array {
  const [count = 0, n = 0] = shape;
  return Float64Array.from({ length: count }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < n; i++) if (flags === undefined || flags[i] === flag) sum += (data[k * n + i] as number) ** 2;
    return Math.sqrt(sum);
  });
}
