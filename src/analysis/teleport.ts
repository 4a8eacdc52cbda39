import type { CovarianceEigen } from '../denoisers/gaussian.ts';
import type { Denoiser } from '../denoisers/denoiser.ts';
import { DomainError, ShapeError } from '../errors/errors.ts';
import { matmul } from '../linalg/matmul.ts';
import { sampleFrom } from '../samplers/sample.ts';
import type { SampleOptions, SampleResult } from '../samplers/sample.ts';
import { flowGain } from '../theory/linear-gains.ts';
import { castFloat, reshape, tensor } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';

/** A Gaussian by its moments; directions left out of `eigen` have variance 0. */
export interface GaussianMoments {
  /** [D] */
  readonly mean: Float64Array;
  readonly eigen: CovarianceEigen;
}

/**
 * The probability flow of Gaussian data from one noise level to another, in closed form:
 * x_t = mean + sum_i sqrt((sigma_t^2 + l_i) / (sigma_T^2 + l_i)) u_i u_i^T (x_T - mean).
 * @param x     [B, ...] states at noise level `from`; not consumed
 * @param from  sigma_T > 0
 * @param to    sigma_t >= 0, on either side of `from`
 * @throws ShapeError, DomainError
 * @precision a few eps of the norm of x - mean
 * @source Li, Dai, Qu 2024, arXiv 2410.24060, section 3; Wang and Vastola 2024, arXiv 2412.09726
 */
export function gaussianFlow(
  { mean, eigen }: GaussianMoments,
  x: FloatTensor,
  from: number,
  to: number,
): Tensor<'float64'> {
  const D = mean.length;
  const B = x.shape[0] ?? 0;
  if (x.data.length !== B * D || B === 0) {
    throw new ShapeError('gaussianFlow', `expected [B >= 1, ...] samples of ${D} values, got [${x.shape.join(', ')}].`);
  }
  if (!(from > 0 && from < Infinity && to >= 0 && to < Infinity)) {
    throw new DomainError('gaussianFlow', `expected finite noise levels from > 0 and to >= 0, got ${from} and ${to}.`);
  }
  const centred = tensor(
    'float64',
    [B, D],
    castFloat(x, 'float64').data.map((v, i) => v - (mean[i % D] as number)),
  );
  const coefficients = matmul(centred, eigen.vectors, { transposeB: true });
  const rest = to / from; // what a direction without variance keeps
  const gains = eigen.values.map((l) => flowGain(Math.max(0, l), from, to) - rest);
  const some = { ...coefficients, data: coefficients.data.map((c, i) => c * (gains[i % gains.length] as number)) };
  const inside = matmul(some, eigen.vectors).data;
  const data = centred.data.map((v, i) => (mean[i % D] as number) + rest * v + (inside[i] as number));
  return reshape(tensor('float64', [B, D], data), x.shape);
}

/** A sampler's options with the level down to which the closed form is taken. */
export interface TeleportOptions extends SampleOptions {
  /** One of the levels of the grid; grid[0] skips nothing. */
  readonly skip: number;
}

/** A sample whose first steps were skipped. */
export interface TeleportResult extends SampleResult {
  /** States at `skip`, [B, ...sampleShape]. */
  readonly landed: Tensor<'float64'>;
  /** Steps of the grid that the closed form replaced. */
  readonly skipped: number;
}

/**
 * Analytical teleportation: the Gaussian flow from grid[0] down to `skip`, then the sampler with the denoiser.
 * Exact for Gaussian data, up to the sampler's own error on the steps that are left.
 * @param x  [B, ...sampleShape] states at grid[0]
 * @throws DomainError unless `skip` is a level of the grid with a step left; as `sampleFrom`
 * @source Wang and Vastola 2024, arXiv 2412.09726, analytical teleportation
 */
export async function teleport(
  denoiser: Denoiser,
  gaussian: GaussianMoments,
  x: FloatTensor,
  { skip, grid, ...options }: TeleportOptions,
): Promise<TeleportResult> {
  const skipped = grid.indexOf(skip);
  if (skipped < 0 || skipped === grid.length - 1) {
    throw new DomainError(
      'teleport',
      `expected skip to be a level of the grid above its last (${[...grid].join(', ')}), got ${skip}.`,
    );
  }
  const landed = gaussianFlow(gaussian, x, grid[0] as number, skip);
  return { ...(await sampleFrom(denoiser, landed, { ...options, grid: grid.slice(skipped) })), landed, skipped };
}
