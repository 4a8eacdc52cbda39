import { startBackend } from '../src/engine/backend/start.ts';
import { slice } from '../src/tensor/tensor.ts';
import type { BenchArrays } from './arrays.ts';
import { median, timed } from './measure.ts';
import { graphOn } from './operations.ts';

const size = 8;

/**
 * What a block of 8 tangents at one point costs, on one thread: the primal P alone, one tangent with its primal, and the block with its
 * primal are timed in turn.
 * @returns (block - P) / (one - P), the cost in tangent passes beside one primal; the median over rounds
 */
export async function blockCost(arrays: BenchArrays, rounds: number): Promise<number> {
  const { point, noise, block } = arrays;
  await using backend = await startBackend();
  const primal = await graphOn(backend, arrays, 'forward', [point, noise]);
  const one = await graphOn(backend, arrays, 'block', [point, noise, slice(block, 0, 1)]);
  const eight = await graphOn(backend, arrays, 'block', [point, noise, slice(block, 0, size)]);
  const costs: number[] = [];
  for (let round = 0; round <= 4 * rounds; round++) {
    const [p, t, b] = [await timed(primal), await timed(one), await timed(eight)];
    if (round > 0) costs.push((b.ms - p.ms) / (t.ms - p.ms));
  }
  return median(costs);
}
