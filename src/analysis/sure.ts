import type { Denoiser } from '../denoisers/denoiser.ts';
import { DomainError, throwIfAborted } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { row, sizeOf } from '../tensor/tensor.ts';
import type { FloatTensor, Tensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';

/** Options of `measureSure`. */
export interface SureOptions extends WatchOptions {
  seed: number;
  /** Random vectors for each trace, default 8; 0 takes the trace exactly, with a product for every dimension. */
  probes?: number | undefined;
}

/** Squared error with and without the clean samples, a sample, data units squared. */
export interface SureResult {
  /** Mean of 2 sigma^2 tr J + |y - D(y)|^2 - sigma^2 d. */
  readonly sure: number;
  /** Mean of |D(y) - x|^2. */
  readonly mse: number;
  /** Standard error of the mean of their difference sample by sample. */
  readonly standardError: number;
  /** Mean of sigma^2 tr J, which equals the mean squared error of an exact posterior mean. */
  readonly optimal: number;
}

/**
 * Stein's unbiased estimate of a denoiser's squared error beside the true one, with one noise draw a clean sample.
 * @param clean  [N, ...sampleShape], N >= 2
 * @param sigma  noise level in data units
 * @throws DomainError for fewer than two samples; CancelledError; whatever the denoiser throws
 * @source Stein 1981; Kadkhodaie et al. 2024, arXiv 2310.02557, section 2 (SURE and MSE* = sigma^2 E tr J); Hutchinson 1990 for the trace
 */
export async function measureSure(
  denoiser: Denoiser,
  clean: FloatTensor,
  sigma: number,
  { seed, probes = 8, signal, onProgress }: SureOptions,
): Promise<SureResult> {
  const N = clean.shape[0] ?? 0;
  if (N < 2) throw new DomainError('measureSure', `expected at least two clean samples, got ${N}.`);
  const d = sizeOf(denoiser.sampleShape);
  const noise = normal(randomKey(seed, 'sure-noise', sigma), clean.shape);
  const noisy = { ...noise, data: noise.data.map((z, i) => (clean.data[i] as number) + sigma * z) };
  const estimates = new Float64Array(N);
  const errors = new Float64Array(N);
  let traces = 0;
  for (let n = 0; n < N; n++) {
    throwIfAborted('measureSure', signal);
    const y = { ...row(noisy, n), shape: [1, ...denoiser.sampleShape] };
    const out = (await denoiser.denoise(y, sigma)).data;
    const trace = await traceOf(denoiser, y, sigma, probes, randomKey(seed, 'sure-probes', sigma, n));
    let [residual, error] = [0, 0];
    for (let i = 0; i < d; i++) {
      residual += ((y.data[i] as number) - (out[i] as number)) ** 2;
      error += ((out[i] as number) - (clean.data[n * d + i] as number)) ** 2;
    }
    estimates[n] = 2 * sigma * sigma * trace + residual - sigma * sigma * d;
    errors[n] = error;
    traces += trace;
    onProgress?.(n + 1, N);
  }
  const mean = (values: Float64Array): number => values.reduce((s, v) => s + v, 0) / N;
  const gap = estimates.map((e, n) => e - (errors[n] as number));
  const centre = mean(gap);
  const spread = gap.reduce((s, g) => s + (g - centre) ** 2, 0) / (N - 1);
  return {
    sure: mean(estimates),
    mse: mean(errors),
    standardError: Math.sqrt(spread / N),
    optimal: (sigma * sigma * traces) / N,
  };
}

/** tr J at y, from random normal probes or, with none, from every unit vector. */
async function traceOf(
  denoiser: Denoiser,
  y: Tensor<'float64'>,
  sigma: number,
  probes: number,
  key: ReturnType<typeof randomKey>,
): Promise<number> {
  const d = y.data.length;
  const z = probes > 0 ? normal(key, [probes, d]) : identity(d);
  const Jz = await denoiser.linearize(y, sigma).apply(z);
  return z.data.reduce((s, v, i) => s + v * (Jz.data[i] as number), 0) / Math.max(1, probes);
}

function identity(n: number): Tensor<'float64'> {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return { shape: [n, n], dtype: 'float64', data };
}
