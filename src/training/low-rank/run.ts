import { matmul } from '../../linalg/matmul.ts';
import { orthonormalRows } from '../../linalg/qr.ts';
import { integers, normal, randomKey } from '../../tensor/random.ts';
import { slice, tensor, zeros } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { lowRankLoss } from './loss.ts';
import type { NoisyBatch, StackedBases } from './loss.ts';
import { combination } from './product.ts';
import { spanOf } from './retraction.ts';
import type { LowRankSpec } from './spec.ts';

/** A training under way. */
export interface Run {
  /** Clean samples in the coordinates of `frame`, [N, m]. */
  readonly x0: Tensor<'float64'>;
  /** Orthonormal rows [m, n] whose span the training never leaves; undefined where that is everything. */
  readonly frame: Tensor<'float64'> | undefined;
  readonly restart: number;
  bases: StackedBases;
  step: number;
  slope: number;
  firstSlope: number;
  flat: boolean;
  nextRecord: number;
  /** Bases in the coordinates of the points. */
  readonly history: { readonly step: number; readonly loss: number; readonly rows: Tensor<'float64'> }[];
}

/** Draws of noise over which a loss is evaluated. */
const EVALUATIONS = 16;
/** Samples of which a large set is evaluated. */
const EVALUATED = 256;

/** Random subspaces to start from, and coordinates to work in. */
export function createRun(points: Tensor<'float64'>, spec: LowRankSpec, restart: number): Run {
  const [N, n] = points.shape as [number, number];
  const R = spec.ranks.reduce((sum, d) => sum + d, 0);
  const rows = zeros('float64', [R, n]);
  let start = 0;
  spec.ranks.forEach((d, k) => {
    const basis = orthonormalRows(normal(randomKey(spec.seed, 'low-rank', 'start', restart, k), [d, n])).q;
    rows.data.set(basis.data, start * n);
    start += d;
  });
  // The gradient of an integrated loss lies in the span of points and bases, so that few points in many dimensions train in few.
  const few = spec.noise === 'integrated' && N + R < n;
  const frame = few ? orthonormalRows(stacked(points, rows), { tolerance: 1e-13 }).q : undefined;
  const within = (x: Tensor<'float64'>): Tensor<'float64'> => (frame ? matmul(x, frame, { transposeB: true }) : x);
  return {
    x0: within(points),
    frame,
    restart,
    bases: { rows: within(rows), ranks: spec.ranks },
    step: 0,
    slope: 0,
    firstSlope: 0,
    flat: false,
    nextRecord: 0,
    history: [],
  };
}

/** The samples, noise levels and noise of the next step. */
export function drawBatch(run: Run, spec: LowRankSpec): NoisyBatch {
  const N = run.x0.shape[0] as number;
  const { batchSize = N, seed } = spec;
  const draw = (what: string): ReturnType<typeof randomKey> => randomKey(seed, 'low-rank', what, run.restart, run.step);
  const x0 = batchSize < N ? chosen(run.x0, integers(draw('samples'), [batchSize], N).data) : run.x0;
  return noisyBatch(x0, run.bases, spec, draw, spec.noise === 'drawn');
}

/**
 * Mean loss over fixed draws of noise, the same for all bases of one spec, so that their losses compare.
 * @param x0  [N, n]; of many points an even selection is taken
 */
export function evaluate(x0: Tensor<'float64'>, bases: StackedBases, spec: LowRankSpec): number {
  const N = x0.shape[0] as number;
  const few =
    N > EVALUATED
      ? chosen(
          x0,
          Int32Array.from({ length: EVALUATED }, (_, i) => Math.floor((i * N) / EVALUATED)),
        )
      : x0;
  let sum = 0;
  for (let i = 0; i < EVALUATIONS; i++) {
    const draw = (what: string): ReturnType<typeof randomKey> => randomKey(spec.seed, 'low-rank', 'evaluate', what, i);
    sum += lowRankLoss(noisyBatch(few, bases, spec, draw, false), bases, spec.weights).loss;
  }
  return sum / EVALUATIONS;
}

/** The bases in the coordinates of the points. */
export function liftedBases({ bases, frame }: Run): Tensor<'float64'> {
  return frame ? matmul(bases.rows, frame) : bases.rows;
}

function noisyBatch(
  x0: Tensor<'float64'>,
  bases: StackedBases,
  { sigma, weights, ranks }: LowRankSpec,
  draw: (what: string) => ReturnType<typeof randomKey>,
  everywhere: boolean,
): NoisyBatch {
  const [B, n] = x0.shape as [number, number];
  const sigmas =
    typeof sigma === 'number'
      ? new Float64Array(B).fill(sigma)
      : normal(draw('sigma'), [B]).data.map((z) => Math.exp(sigma.logMean + sigma.logStd * z));
  if (everywhere) return { x0, sigmas, noise: normal(draw('noise'), [B, n]) };
  if (weights === 'hard-max' || ranks.length === 1) return { x0, sigmas };
  // Noise orthogonal to every subspace meets none of the coefficients: only its mean, zero, enters the gradient.
  const span = spanOf(bases);
  return { x0, sigmas, noise: combination(normal(draw('noise'), [B, span.shape[0] as number]), span) };
}

function chosen(x: Tensor<'float64'>, indices: Int32Array): Tensor<'float64'> {
  const n = x.shape[1] as number;
  const out = zeros('float64', [indices.length, n]);
  indices.forEach((i, b) => out.data.set(slice(x, i, i + 1).data, b * n));
  return out;
}

function stacked(a: Tensor<'float64'>, b: Tensor<'float64'>): Tensor<'float64'> {
  const data = new Float64Array(a.data.length + b.data.length);
  data.set(a.data);
  data.set(b.data, a.data.length);
  return tensor('float64', [(a.shape[0] as number) + (b.shape[0] as number), a.shape[1] as number], data);
}
