import { DomainError } from '../errors/errors.ts';
import { normal, randomKey, uniform } from '../tensor/random.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Where random numbers come from: a seed and the path of names below it. */
export interface Stream {
  readonly seed: number;
  readonly path: readonly (number | string)[];
}

/** The stream of that name below another. */
export function substream({ seed, path }: Stream, ...names: (number | string)[]): Stream {
  return { seed, path: [...path, ...names] };
}

/** Standard normal numbers of a stream. */
export function normalOf({ seed, path }: Stream, shape: readonly number[]): Tensor<'float64'> {
  return normal(randomKey(seed, ...path), shape);
}

/**
 * Rows F with F^T F distributed as the scatter of `count` standard normal vectors, of which far fewer are drawn.
 * Those vectors themselves up to `dimension` of them; beyond, Bartlett's triangular factor, at a cost independent of `count`.
 * @param dimension  p >= 1
 * @param count      whole number >= 0
 * @returns [min(count, p), p]
 * @throws DomainError outside these
 * @source Bartlett 1933; Smith and Hocking 1972
 */
export function wishartRows(stream: Stream, dimension: number, count: number): Tensor<'float64'> {
  if (!Number.isInteger(count) || count < 0) {
    throw new DomainError('wishartRows', `expected a whole number of vectors >= 0, got ${count}.`);
  }
  if (count <= dimension) return normalOf(substream(stream, 'rows'), [count, dimension]);
  const rows = normalOf(substream(stream, 'upper'), [dimension, dimension]).data;
  const freedoms = Float64Array.from({ length: dimension }, (_, i) => count - i);
  const diagonal = chiSquares(substream(stream, 'diagonal'), freedoms);
  for (let i = 0; i < dimension; i++) {
    rows.fill(0, i * dimension, i * dimension + i);
    rows[i * dimension + i] = Math.sqrt(diagonal[i] as number);
  }
  return tensor('float64', [dimension, dimension], rows);
}

/**
 * Chi-square numbers with the given degrees of freedom, each >= 1.
 * @source Marsaglia and Tsang 2000, A simple method for generating gamma variables
 */
export function chiSquares(stream: Stream, freedoms: ArrayLike<number>): Float64Array {
  const out = new Float64Array(freedoms.length);
  let open = Array.from(out, (_, i) => i);
  for (let attempt = 0; open.length > 0; attempt++) {
    const z = normalOf(substream(stream, 'normal', attempt), [out.length]).data;
    const u = uniform(randomKey(stream.seed, ...stream.path, 'uniform', attempt), [out.length]).data;
    open = open.filter((i) => {
      const shape = (freedoms[i] as number) / 2;
      // Below shape 1 the method takes a number of shape + 1 and a power of a second uniform number.
      const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
      const v = (1 + (z[i] as number) / Math.sqrt(9 * d)) ** 3;
      const accepted =
        v > 0 && Math.log(1 - (u[i] as number)) < 0.5 * (z[i] as number) ** 2 + d - d * v + d * Math.log(v);
      if (accepted) out[i] = 2 * d * v;
      return !accepted;
    });
  }
  const boost = uniform(randomKey(stream.seed, ...stream.path, 'boost'), [out.length]).data;
  return out.map((x, i) =>
    (freedoms[i] as number) < 2 ? x * (1 - (boost[i] as number)) ** (2 / (freedoms[i] as number)) : x,
  );
}
