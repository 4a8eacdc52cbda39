import type { Denoiser } from '../denoisers/denoiser.ts';
import { NumericalError, throwIfAborted } from '../errors/errors.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { sizeOf } from '../tensor/tensor.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { CostReport } from './doctor-result.ts';

/** What the measurement of costs is watched and stopped by. */
export interface CostOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Warm-up runs: a pool hands work to up to four backends in turn, each of which loads the graph on its first. */
const WARM_UP = 4;
const TIMED = 3;
/** Once a product has taken so long in all, its next run is the last: large networks are known after few. */
const ENOUGH_MS = 3000;
/** Vectors in a block: two of the largest compiled blocks, so that two backends have one each. */
const BLOCK = 32;

/**
 * What the products of a denoiser cost. Times do not depend on the values.
 * @param x  [1, ...sampleShape], not consumed
 */
export async function measureCosts(
  denoiser: Denoiser,
  x: FloatTensor,
  sigma: number,
  { signal, onProgress }: CostOptions = {},
): Promise<CostReport[]> {
  const dimension = sizeOf(denoiser.sampleShape);
  const op = denoiser.linearize(x, sigma);
  const vectors = (count: number): FloatTensor => normal(randomKey(1, 'doctor'), [count, dimension]);
  const [single, block] = [vectors(1), vectors(BLOCK)];
  const operations: readonly [CostReport['operation'], number, () => Promise<unknown>][] = [
    ['D(x)', 1, () => denoiser.denoise(x, sigma)],
    ['J v', 1, () => op.apply(single)],
    ['J^T u', 1, () => op.applyTranspose(single)],
    ['J V', BLOCK, () => op.apply(block)],
    ['J^T U', BLOCK, () => op.applyTranspose(block)],
  ];
  const costs: CostReport[] = [];
  for (const [operation, count, run] of operations) {
    onProgress?.(costs.length, operations.length);
    costs.push({ operation, count, ...(await timed(run, signal)), peakBytes: peakBytes() });
  }
  onProgress?.(costs.length, operations.length);
  return costs;
}

/** Highest memory that this process has taken so far. */
export function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

async function timed(
  run: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<Pick<CostReport, 'compileMs' | 'runMs'>> {
  const times: number[] = [];
  let spent = 0;
  while (times.length < WARM_UP + TIMED && !(spent > ENOUGH_MS && times.length > 1)) {
    throwIfAborted('doctor', signal);
    const begun = performance.now();
    try {
      await run();
    } catch (error) {
      // A wrong reading may overflow, and takes as long.
      if (!(error instanceof NumericalError)) throw error;
    }
    times.push(performance.now() - begun);
    spent += times.at(-1) as number;
  }
  const [first = 0] = times;
  // The last ones are the warmest.
  const last = times.slice(Math.max(1, Math.min(WARM_UP, times.length - 1))).sort((a, b) => a - b);
  const runMs = last[Math.floor((last.length - 1) / 2)] as number;
  return { compileMs: Math.max(0, first - runMs), runMs };
}
