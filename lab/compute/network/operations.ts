import type { Denoiser } from '../../../src/denoisers/denoiser.ts';
import { leadingTriplets } from '../../../src/linalg/triplets.ts';
import type { TripletStatus } from '../../../src/linalg/triplets.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import type { Operation } from '../protocol.ts';

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

/** Leading singular triplets of the Jacobian at one point, as `leadingTriplets` of src/linalg defines them. */
export interface PointTriplets {
  /** [K] */
  readonly values: Float64Array;
  /** [K, D], flat. */
  readonly left: Float64Array;
  /** [K, D], flat. */
  readonly right: Float64Array;
  /** [K] */
  readonly bound: Float64Array;
  readonly status: TripletStatus;
  readonly elapsedMs: number;
}

/** What a worker does with denoisers. */
export type NetworkOperations<S> = {
  /** Opens a model ahead of its first use. */
  readonly open: Operation<S, OpenedModel>;
  readonly denoise: Operation<Point<S>, Denoised>;
  readonly leadingTriplets: Operation<Point<S> & { readonly rank: number; readonly seed: number }, PointTriplets>;
};

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
    open: async (model, { signal }) => {
      const { name, sampleShape } = await open(model, signal);
      return { name, sampleShape };
    },
    denoise: async ({ model, x, sigma }, { signal }) => {
      const denoiser = await open(model, signal);
      const began = performance.now();
      const { data } = await denoiser.denoise(tensor('float32', [1, ...denoiser.sampleShape], x), sigma);
      return { denoised: Float32Array.from(data), runtime: denoiser.runtime, elapsedMs: performance.now() - began };
    },
    leadingTriplets: async ({ model, x, sigma, rank, seed }, { signal, progress }) => {
      const denoiser = await open(model, signal);
      const began = performance.now();
      const op = denoiser.linearize(tensor('float32', denoiser.sampleShape, x), sigma);
      const key = `${JSON.stringify(model)} ${rank}`;
      const known = start?.key === key ? start.right : undefined;
      const { values, left, right, bound, status } = await leadingTriplets(op, {
        rank,
        seed,
        signal,
        ...(known && { start: tensor('float64', [rank, op.columns], known) }),
        onProgress: ({ sweep, maxSweeps }) => progress(sweep, maxSweeps),
      });
      if (status === 'converged') start = { key, right: right.data.slice() };
      const elapsedMs = performance.now() - began;
      return { values, left: left.data, right: right.data, bound, status, elapsedMs };
    },
  };
}
