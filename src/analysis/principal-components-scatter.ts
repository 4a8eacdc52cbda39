import type { Dataset } from '../data/dataset.ts';
import { computeMoments } from '../data/moments.ts';
import type { Moments } from '../data/moments.ts';
import { lowerScatter, openLanes, runInTurn, scatterStrips } from '../engine/products.ts';
import { throwIfAborted } from '../errors/errors.ts';
import { gramKernel } from '../linalg/gram.ts';
import { sizeOf, tensor, zeros } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { WatchOptions } from './jacobian.ts';

/** Multiplications below which workers take longer to start than this thread's own kernel to finish. */
const KERNEL_LIMIT = 2 ** 32;
/** Samples in one product: more of them pay for adding up its D x D result, fewer stay in the cache. */
const ROWS = 2048;
const SPREAD = 64;

/**
 * Mean and covariance of a data set in float64, in one pass, with the products of large ones on all cores.
 * Products are taken about the mean of some samples, so that a common offset costs no digits, and the rest of the mean is taken off
 * the sum.
 * @precision relative to the variances about eps * sqrt(N)
 */
export async function streamMoments(dataset: Dataset, options: WatchOptions = {}): Promise<Moments> {
  const { signal, onProgress } = options;
  const D = sizeOf(dataset.sampleShape);
  const watch = { ...(signal && { signal }), onProgress };
  if (dataset.count * D * D < KERNEL_LIMIT) return computeMoments(dataset, { gram: gramKernel, ...watch });
  const centre = await centreOf(dataset, D);
  const strips = scatterStrips(D).map(({ start, width }) => new Float64Array(width * (D - start)));
  const sums = new Float64Array(D);
  await using lanes = await openLanes(lowerScatter(D, ROWS));
  let done = 0;
  for await (const [results, count] of runInTurn(lanes, paddedChunks(dataset, centre, signal))) {
    throwIfAborted('leadingComponents', signal);
    [sums, ...strips].forEach((sum, i) => addTo(sum, (results[i] as Tensor<'float64'>).data));
    onProgress?.((done += count), dataset.count);
  }
  const n = dataset.count;
  const shift = sums.map((s) => s / n);
  const covariance = assemble(strips, D, (sum, i, j) => sum / n - (shift[i] as number) * (shift[j] as number));
  return { mean: shift.map((s, d) => s + (centre[d] as number)), covariance, count: n };
}

/** The mean of samples from all over the data, rounded to float32: a row of it is a row of zeros once centred. */
async function centreOf(dataset: Dataset, D: number): Promise<Float32Array> {
  const n = Math.min(SPREAD, dataset.count);
  const places = Int32Array.from({ length: n }, (_, i) => Math.floor((i * dataset.count) / n));
  const { data } = await dataset.read(places);
  const mean = new Float64Array(D);
  for (let i = 0; i < data.length; i++) mean[i % D] = (mean[i % D] as number) + (data[i] as number) / n;
  return Float32Array.from(mean);
}

async function* paddedChunks(
  dataset: Dataset,
  centre: Float32Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly [Tensor[], number]> {
  const D = centre.length;
  const origin = tensor('float64', [D], Float64Array.from(centre));
  for await (const { x } of dataset.batches({ size: ROWS, ...(signal && { signal }) })) {
    const count = x.data.length / D;
    yield [[tensor('float32', [ROWS, D], count === ROWS ? x.data : padded(x.data, centre)), origin], count];
  }
}

function padded(x: Float32Array, centre: Float32Array): Float32Array {
  const rows = new Float32Array(ROWS * centre.length);
  rows.set(x);
  for (let at = x.length; at < rows.length; at += centre.length) rows.set(centre, at);
  return rows;
}

function addTo(sum: Float64Array, part: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (part[i] as number);
}

/** The whole symmetric matrix from the strips of its upper triangle. */
function assemble(
  strips: readonly Float64Array[],
  D: number,
  value: (sum: number, i: number, j: number) => number,
): Tensor<'float64'> {
  const whole = zeros('float64', [D, D]);
  scatterStrips(D).forEach(({ start, width }, s) => {
    const strip = strips[s] as Float64Array;
    for (let i = start; i < start + width; i++) {
      for (let j = i; j < D; j++) {
        const sum = strip[(i - start) * (D - start) + j - start] as number;
        whole.data[i * D + j] = whole.data[j * D + i] = value(sum, i, j);
      }
    }
  });
  return whole;
}
