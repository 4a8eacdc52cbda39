import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import { leadingTriplets } from '../../../src/linalg/triplets.ts';
import type { TripletStatus } from '../../../src/linalg/triplets.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import type { Operation } from '../protocol.ts';
import { BLOCK, sweepOperator } from './sweep-operator.ts';
import type { TripletEstimate } from './sweep-operator.ts';

/** A model and where in it one looks; S says which model. */
export interface Point<S> {
  readonly model: S;
  /** One sample, flat, in data units. */
  readonly x: Float32Array;
  readonly sigma: number;
}

/** What is known of a model once it is open. */
export interface OpenedModel {
  readonly name: string;
  readonly sampleShape: readonly number[];
}

/** D(x; sigma) of one sample. */
export interface Denoised {
  readonly denoised: Float32Array;
  readonly runtime: string | undefined;
  readonly elapsedMs: number;
}

/** Leading singular triplets as `leadingTriplets` of src/linalg defines them. */
export interface PointTriplets extends TripletEstimate {
  readonly status: TripletStatus;
  readonly elapsedMs: number;
}

/** What a worker does with denoisers. */
export type NetworkOperations<S> = {
  /** Opens a model and makes the graphs of calls ahead of their first use. */
  readonly prepare: Operation<{ readonly model: S; readonly calls: 'denoise' | 'products' }, OpenedModel>;
  readonly denoise: Operation<Point<S>, Denoised>;
  readonly leadingTriplets: Operation<
    Point<S> & { readonly rank: number; readonly seed: number },
    PointTriplets,
    TripletEstimate
  >;
};

/** Sweeps of small blocks are cheap, and at little noise many. */
const MOST_SWEEPS = 80;
/** Triplets are shown as soon as no residual is larger than this part of the largest value. */
const SHOWN_RESIDUAL = 0.05;
/** And again where residuals are so many times smaller: drawing them takes a part of the machine too. */
const SHOWN_GAIN = 5;

/** Right vectors of the point before: on a slider, the next Jacobian is near. */
interface Start {
  readonly key: string;
  readonly right: Float64Array;
}

/**
 * The operations on denoisers for a worker that knows how to open them.
 * @param open  opens a model, or gives the one that is open already
 */
export function networkOperations<S>(open: (model: S, signal: AbortSignal) => Promise<Denoiser>): NetworkOperations<S> {
  let start: Start | undefined;
  return {
    prepare: async ({ model, calls }, { signal }) => {
      const denoiser = await open(model, signal);
      await denoiser.prepare?.(calls, calls === 'denoise' ? 1 : BLOCK);
      return { name: denoiser.name, sampleShape: denoiser.sampleShape };
    },
    denoise: async ({ model, x, sigma }, { signal }) => {
      const denoiser = await open(model, signal);
      await denoiser.prepare?.('denoise', 1);
      const began = performance.now();
      const { data } = await denoiser.denoise(tensor('float32', [1, ...denoiser.sampleShape], x), sigma);
      return { denoised: Float32Array.from(data), runtime: denoiser.runtime, elapsedMs: performance.now() - began };
    },
    leadingTriplets: async ({ model, x, sigma, rank, seed }, { signal, progress, emit }) => {
      const denoiser = await open(model, signal);
      const began = performance.now();
      let worth = SHOWN_RESIDUAL;
      const op = sweepOperator(denoiser.linearize(tensor('float32', denoiser.sampleShape, x), sigma));
      const find = (first?: Tensor<'float64'>): ReturnType<typeof leadingTriplets> =>
        leadingTriplets(op, {
          rank,
          oversample: Math.max(0, BLOCK - rank),
          maxSweeps: MOST_SWEEPS,
          seed,
          signal,
          ...(first && { start: first }),
          onProgress: ({ sweep, maxSweeps, values, residual }) => {
            progress(sweep, maxSweeps);
            const estimate = residual < worth ? op.estimate(values, residual) : undefined;
            if (estimate === undefined) return;
            worth = residual / SHOWN_GAIN;
            emit(estimate);
          },
        });
      const key = `${JSON.stringify(model)} ${rank}`;
      // One less than a block: a random vector fills it up.
      const kept = Math.min(rank, BLOCK - 1);
      const known = start?.key === key ? tensor('float64', [kept, op.columns], start.right) : undefined;
      const near = known && (await find(known));
      // What lies near may mislead.
      const isFound = near !== undefined && near.status !== 'stagnated';
      const { values, left, right, bound, status } = isFound ? near : await find();
      if (status === 'converged') start = { key, right: right.data.slice(0, kept * op.columns) };
      const elapsedMs = performance.now() - began;
      return { values, left: left.data, right: right.data, bound, status, elapsedMs };
    },
  };
}
