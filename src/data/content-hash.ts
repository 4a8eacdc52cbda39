import type { Dataset } from './dataset.ts';
import { sha256, sha256Hex } from './sha256.ts';

const BLOCK_BYTES = 2 ** 24;

/**
 * SHA-256 (hex) of what a data set hands out: shape, range, values as float32 and labels, in order.
 * Data sets with equal content have equal hashes, whatever their names and files. Streams: about 16 MB are held at a time.
 */
export async function contentHash(dataset: Dataset): Promise<string> {
  const { count, sampleShape, range, labels } = dataset;
  const header = JSON.stringify({
    count,
    sampleShape,
    low: range.low,
    high: range.high,
    labelled: labels !== undefined,
  });
  // A hash over the hashes of its parts: Web Crypto takes whole messages only.
  const parts = [await sha256(new TextEncoder().encode(header))];
  const sampleBytes = 4 * sampleShape.reduce((product, d) => product * d, 1);
  const size = Math.max(1, Math.floor(BLOCK_BYTES / sampleBytes));
  for await (const { x } of dataset.batches({ size })) parts.push(await sha256(bytesOf(x.data)));
  if (labels !== undefined) parts.push(await sha256(bytesOf(labels)));
  const all = new Uint8Array(parts.length * 32);
  parts.forEach((part, i) => all.set(part, i * 32));
  return sha256Hex(all);
}

function bytesOf(data: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
