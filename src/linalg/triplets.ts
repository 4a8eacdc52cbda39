import { DomainError, throwIfAborted } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { assertFinite, assertShape, castFloat, slice, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { LinearOperator } from './operator.ts';
import { orthonormalRows } from './qr.ts';
import { largestAt } from './stages/prepare.ts';
import { largestSine, residualRows, RitzSpace, rowNorms, stack } from './stages/ritz-space.ts';
import type { RitzTriplets } from './stages/ritz-space.ts';

/** How an iteration ended. */
export type TripletStatus = 'converged' | 'maxIterations' | 'stagnated' | 'nonFinite';

/** Leading singular triplets of an operator A with their certificate; K of them, values descending. */
export interface Triplets {
  /** [K], descending; from below, up to the precision of the products. */
  readonly values: Float64Array;
  /** [K, rows]; row i is u_i. */
  readonly left: Tensor<'float64'>;
  /** [K, columns]; row i is v_i, its element of largest magnitude (the first of equals) positive. */
  readonly right: Tensor<'float64'>;
  /** [K], |A v_i - s_i u_i|, from products made for this purpose. */
  readonly residualLeft: Float64Array;
  /** [K], |A^T u_i - s_i v_i|. */
  readonly residualRight: Float64Array;
  /**
   * [K]; a singular value of A lies within bound_i of s_i: sqrt((residualLeft^2 + residualRight^2) / 2) and 4 epsilon s_1 for rounding.
   * It says nothing of values that the iteration never met; a random start misses one with probability zero.
   * @source residual bound for the symmetric [[0, A], [A^T, 0]] at [u; v] / sqrt(2); Parlett 1998, The Symmetric Eigenvalue Problem, 4.5.1
   */
  readonly bound: Float64Array;
  /** Largest sine between the leading right subspaces of the last two sweeps; values that the residuals cannot tell from s_K count as inside. */
  readonly subspaceChange: number;
  /** Sweeps done; one is at most rank + oversample products with A and as many with A^T. */
  readonly sweeps: number;
  readonly status: TripletStatus;
}

/** What is known after a sweep. */
export interface TripletProgress {
  readonly sweep: number;
  readonly maxSweeps: number;
  readonly values: Float64Array;
  /** Largest residual relative to the largest value. */
  readonly residual: number;
  readonly subspaceChange: number;
}

/** Options of `leadingTriplets`. */
export interface TripletOptions {
  /** K, at most min(rows, columns). */
  readonly rank?: number;
  /** Vectors beyond K that take part, so that the last of the K converge too. */
  readonly oversample?: number;
  /** [K', columns] right vectors to begin with, any length, for instance those of a neighbouring operator; random rows are added. */
  readonly start?: FloatTensor;
  /** For the subspace change, and for residuals relative to s_1 where 16 epsilon is not larger. */
  readonly tolerance?: number;
  readonly maxSweeps?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TripletProgress) => void;
}

/** Residuals below this many epsilon of s_1 are rounding error of the products. */
const FLOOR = 16;
/** The space is cut back to twice the block when it reaches this many blocks. */
const MAX_BLOCKS = 6;
/** Sweeps without a tenth of progress after which the iteration counts as stuck. */
const PATIENCE = 8;

/**
 * Leading singular triplets of an operator known by its products, by restarted block Krylov iteration with Rayleigh-Ritz.
 * The space grows by the residuals A^T u - s v of a block and is orthogonalised in full, which spans what block Golub-Kahan-Lanczos spans;
 * restarts keep the leading Ritz vectors. Each sweep costs as much as one of block power iteration and gains far more where values decay slowly.
 * @param op  A; its products are taken in float64 and need only be as exact as `op.epsilon`
 * @returns triplets with residuals and bounds; `status` says converged or why not, 'nonFinite' comes with the last finite triplets (NaN if none)
 * @throws DomainError on a rank beyond the sizes; ShapeError or NumericalError on a bad `start`; CancelledError on abort; never for slow convergence
 * @precision residuals to max(tolerance, 16 epsilon) s_1, values to the square of that over the gap
 * @source Musco and Musco 2015 (randomised block Krylov), Wu and Simon 2000 (thick restart), Bjorck and Golub 1973 (angles)
 */
export async function leadingTriplets(op: LinearOperator, options: TripletOptions = {}): Promise<Triplets> {
  const { rank = 8, oversample = 4, tolerance = 1e-4, maxSweeps = 50, signal, onProgress } = options;
  checkOptions(op, rank, oversample, maxSweeps);
  const block = Math.min(rank + oversample, op.rows, op.columns);
  const basis = startingBasis(op, options, rank, oversample);
  const image = await product(op, 'apply', basis, signal);
  if (image === undefined) return unfinished(op, rank);
  const space = new RitzSpace(basis, image);
  const history = new History();
  let previous: Sweep | undefined;
  for (let sweep = 1; ; sweep++) {
    const current = await takeSweep(op, space, previous, { rank, block, signal });
    if (current === undefined)
      return previous ? finish(op, previous, rank, sweep, 'nonFinite', signal) : unfinished(op, rank);
    const scale = current.ritz.values[0] as number;
    const residual = Math.max(...current.residuals.subarray(0, rank));
    onProgress?.({
      sweep,
      maxSweeps,
      values: current.ritz.values.slice(0, rank),
      residual: scale > 0 ? residual / scale : 0,
      subspaceChange: current.change,
    });
    const settled = residual <= Math.max(tolerance, FLOOR * op.epsilon) * scale;
    if (settled && current.change <= tolerance) return finish(op, current, rank, sweep, 'converged', signal);
    if (sweep === maxSweeps) return finish(op, current, rank, sweep, 'maxIterations', signal);
    const fresh = newDirections(space, current, FLOOR * op.epsilon * scale);
    // Where no direction is left, the next iterate would be this one.
    if (fresh.shape[0] === 0)
      return finish(op, { ...current, change: 0 }, rank, sweep, settled ? 'converged' : 'stagnated', signal);
    if (history.isStuck(residual)) return finish(op, current, rank, sweep, 'stagnated', signal);
    const freshImage = await product(op, 'apply', fresh, signal);
    if (freshImage === undefined) return finish(op, current, rank, sweep, 'nonFinite', signal);
    if (space.size + block > MAX_BLOCKS * block) space.restart(current.ritz, 2 * block);
    space.extend(fresh, freshImage);
    previous = current;
  }
}

/** One sweep's triplets with the residual rows A^T u - s v of its block. */
interface Sweep {
  readonly ritz: RitzTriplets;
  readonly residualRows: Tensor<'float64'>;
  readonly residuals: Float64Array;
  readonly change: number;
}

async function takeSweep(
  op: LinearOperator,
  space: RitzSpace,
  previous: Sweep | undefined,
  { rank, block, signal }: { rank: number; block: number; signal: AbortSignal | undefined },
): Promise<Sweep | undefined> {
  const ritz = space.triplets();
  const images = await product(op, 'applyTranspose', slice(ritz.left, 0, block), signal);
  if (images === undefined) return undefined;
  const rows = residualRows(images, slice(ritz.right, 0, block), ritz.values);
  // A complete space leaves nothing to change.
  const change = space.size >= op.columns ? 0 : previous === undefined ? 1 : changeSince(previous, ritz, rank);
  return { ritz, residualRows: rows, residuals: rowNorms(rows), change };
}

// The previous iterate takes in what its residuals could not tell from s_K, so that a cluster across the cut may turn within itself.
function changeSince(previous: Sweep, { right }: RitzTriplets, rank: number): number {
  const { values } = previous.ritz;
  const uncertainty = 2 * Math.max(...previous.residuals.subarray(0, rank));
  const cut = (values[rank - 1] as number) - uncertainty;
  const wide = values.findLastIndex((s) => s >= cut) + 1;
  return largestSine(slice(right, 0, rank), slice(previous.ritz.right, 0, Math.max(rank, wide)));
}

function newDirections(space: RitzSpace, { residualRows: rows, residuals }: Sweep, floor: number): Tensor<'float64'> {
  const n = rows.shape[1] as number;
  const picked = Array.from(residuals.keys()).filter((i) => (residuals[i] as number) > floor);
  const data = new Float64Array(picked.length * n);
  picked.forEach((from, i) => {
    for (let j = 0; j < n; j++) data[i * n + j] = (rows.data[from * n + j] as number) / (residuals[from] as number);
  });
  const directions = tensor('float64', [picked.length, n], data);
  return picked.length === 0 ? directions : space.outside(directions);
}

class History {
  #best = Infinity;
  #since = 0;

  isStuck(residual: number): boolean {
    this.#since = residual < 0.9 * this.#best ? 0 : this.#since + 1;
    this.#best = Math.min(this.#best, residual);
    return this.#since >= PATIENCE;
  }
}

function checkOptions(op: LinearOperator, rank: number, oversample: number, maxSweeps: number): void {
  const limit = Math.min(op.rows, op.columns);
  if (!Number.isInteger(rank) || rank < 1 || rank > limit) {
    throw new DomainError(
      'leadingTriplets',
      `expected a whole rank from 1 to ${limit} for ${op.rows} x ${op.columns}, got ${rank}.`,
    );
  }
  if (!Number.isInteger(oversample) || oversample < 0) {
    throw new DomainError('leadingTriplets', `expected a whole oversample >= 0, got ${oversample}.`);
  }
  if (!Number.isInteger(maxSweeps) || maxSweeps < 1) {
    throw new DomainError('leadingTriplets', `expected a whole maxSweeps >= 1, got ${maxSweeps}.`);
  }
}

function startingBasis(
  op: LinearOperator,
  { start, seed = 0 }: TripletOptions,
  rank: number,
  oversample: number,
): Tensor<'float64'> {
  const given =
    start === undefined ? tensor('float64', [0, op.columns], new Float64Array()) : castFloat(start, 'float64');
  assertShape('leadingTriplets start', given, `k ${op.columns}`);
  assertFinite('leadingTriplets start', given, 'Leave `start` out.');
  const rows = given.shape[0] as number;
  // Random rows also beside a full start: a start inside a wrong invariant subspace must not look converged.
  const random = normal(randomKey(seed, 'leadingTriplets'), [
    Math.max(1, oversample, rank + oversample - rows),
    op.columns,
  ]);
  const { q, rank: found } = orthonormalRows(stack(given, random));
  return slice(q, 0, Math.min(found, op.columns));
}

// One product in float64, or undefined where it is not finite.
async function product(
  op: LinearOperator,
  side: 'apply' | 'applyTranspose',
  x: Tensor<'float64'>,
  signal: AbortSignal | undefined,
): Promise<Tensor<'float64'> | undefined> {
  throwIfAborted('leadingTriplets', signal);
  const y = castFloat(await op[side](x), 'float64');
  assertShape(`leadingTriplets ${side}`, y, `${x.shape[0]} ${side === 'apply' ? op.rows : op.columns}`);
  return y.data.every(Number.isFinite) ? y : undefined;
}

// Fixes the signs and measures A v - s u with a product of its own: inside the space it holds by construction.
async function finish(
  op: LinearOperator,
  { ritz, residuals, change }: Sweep,
  rank: number,
  sweeps: number,
  status: TripletStatus,
  signal: AbortSignal | undefined,
): Promise<Triplets> {
  const values = ritz.values.slice(0, rank);
  const [left, right] = withFixedSigns(slice(ritz.left, 0, rank), slice(ritz.right, 0, rank));
  const images = await product(op, 'apply', right, signal);
  const residualLeft = images ? rowNorms(residualRows(images, left, values)) : new Float64Array(rank).fill(NaN);
  const residualRight = residuals.slice(0, rank);
  const rounding = 4 * op.epsilon * (values[0] as number);
  const bound = values.map(
    (_, i) => Math.hypot(residualLeft[i] as number, residualRight[i] as number) * Math.SQRT1_2 + rounding,
  );
  const outcome = images ? status : 'nonFinite';
  return { values, left, right, residualLeft, residualRight, bound, subspaceChange: change, sweeps, status: outcome };
}

function withFixedSigns(left: Tensor<'float64'>, right: Tensor<'float64'>): [Tensor<'float64'>, Tensor<'float64'>] {
  const n = right.shape[1] as number;
  const m = left.shape[1] as number;
  const signs = Array.from({ length: right.shape[0] as number }, (_, i) =>
    (right.data[largestAt(right.data, i * n, (i + 1) * n)] as number) < 0 ? -1 : 1,
  );
  const flip = (x: Tensor<'float64'>, width: number): Tensor<'float64'> =>
    tensor(
      'float64',
      x.shape,
      x.data.map((value, i) => value * (signs[Math.floor(i / width)] as number)),
    );
  return [flip(left, m), flip(right, n)];
}

function unfinished(op: LinearOperator, rank: number): Triplets {
  const unknown = (...shape: number[]): Tensor<'float64'> =>
    tensor('float64', shape, new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(NaN));
  const none = (): Float64Array => new Float64Array(rank).fill(NaN);
  const vectors = { left: unknown(rank, op.rows), right: unknown(rank, op.columns) };
  return {
    ...vectors,
    values: none(),
    residualLeft: none(),
    residualRight: none(),
    bound: none(),
    subspaceChange: 1,
    sweeps: 0,
    status: 'nonFinite',
  };
}
