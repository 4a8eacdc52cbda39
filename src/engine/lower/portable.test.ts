import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat } from '../../tensor/tensor.ts';
import { startBackend } from '../backend/start.ts';
import type { GraphNode } from '../graph.ts';
import type { JaxArray, JaxLibrary } from '../jax.ts';
import { loadJax } from '../jax.ts';
import { trace } from '../trace.ts';
import { lowerPortable } from './portable.ts';

const names = { inputs: ['x'], outputs: ['y'] };
const tracedAt =
  (fn: (jax: JaxLibrary, x: JaxArray, batch: number) => JaxArray, ...sample: number[]) =>
  async (batch: number): Promise<GraphNode[]> => {
    const jax = await loadJax();
    return trace((x) => fn(jax, x, batch), [{ shape: [batch, ...sample] }]);
  };

const functions: [string, (jax: JaxLibrary, x: JaxArray, batch: number) => JaxArray][] = [
  ['a reshape that merges the batch with another axis', (_, x, batch) => x.reshape([batch * 3, 4]).reshape([batch, 12])], // prettier-ignore
  [
    'a constant spread over the batch',
    ({ numpy: np }, x, batch) => np.concatenate([np.zeros([batch, 1, 4]), x, np.ones([batch, 1, 4])], 1),
  ],
  ['a product with a transposed matrix', ({ numpy: np }, x) => np.matmul(x.ref, np.transpose(x, [0, 2, 1]))],
  ['samples in the opposite order', ({ numpy: np }, x) => np.flip(x, 0)],
];

describe('lowerPortable()', () => {
  it.each(functions)('lowerPortable() of %s takes batches of any size', async (_, fn) => {
    const { bytes, batch } = await lowerPortable(tracedAt(fn, 3, 4), names);
    expect(batch).toBe('open');
    const { graph, opsetImport } = fromBinary(ModelProtoSchema, bytes);
    expect(opsetImport.map(({ domain }) => domain)).toEqual(['']);
    expect(graph?.node.map(({ domain }) => domain).filter((domain) => domain !== '')).toEqual([]);
    await using backend = await startBackend();
    await using session = await backend.createSession(bytes, names);
    for (const count of [1, 2, 5]) {
      const x = castFloat(normal(randomKey(2, count), [count, 3, 4]), 'float32');
      const jax = await loadJax();
      const exact = fn(jax, jax.numpy.array(Float32Array.from(x.data), { shape: [count, 3, 4] }), count);
      const [y] = await session.run([x]);
      expect(y?.shape).toEqual(exact.shape);
      const wanted = exact.dataSync();
      // Sums of four products at most.
      y?.data.forEach((v: number, i: number) => expect(Math.abs(v - (wanted[i] as number))).toBeLessThan(1e-5));
    }
  });

  it('lowerPortable() of a function that is another at every batch takes one sample', async () => {
    const byBatch = tracedAt((_, x, batch) => x.mul(1 / batch), 3);
    const { bytes, batch } = await lowerPortable(byBatch, names);
    expect(batch).toBe('one');
    await using backend = await startBackend();
    await using session = await backend.createSession(bytes, names);
    const [y] = await session.run([{ shape: [1, 3], dtype: 'float32', data: Float32Array.of(1, 2, 3) }]);
    expect(Array.from(y?.data ?? [])).toEqual([1, 2, 3]);
  });

  it('lowerPortable() of a function with other operations at every batch takes one sample', async () => {
    const byBatch = tracedAt((_, x, batch) => (batch === 13 ? x.mul(x.ref) : x), 3);
    await expect(lowerPortable(byBatch, names)).resolves.toMatchObject({ batch: 'one' });
  });
});
