import { describe, expect, it } from 'vitest';
import type { Jax } from '../agreement.fixture.ts';
import { draws, expectAgreement } from '../agreement.fixture.ts';
import { GraphBuilder } from '../builder.ts';
import { countOf, nodesOf } from '../graph.fixture.ts';
import type { JaxArray } from '../jax.ts';
import { broadcast } from './movement.ts';
import { reduce } from './reduction.ts';

describe('reduce()', () => {
  it('reduce() over no axis and over axes of size 1 computes nothing', () => {
    const g = new GraphBuilder();
    const x = g.input(0, [2, 1, 3], 'float32', false);
    expect(reduce(g, x, 'sum', [])).toBe(x);
    expect(reduce(g, x, 'max', [1]).op).toBe('reshape');
  });

  it('reduce() of a uniform array is its value times the count', () => {
    const g = new GraphBuilder();
    const halves = g.uniform(0.5, [2, 3, 4], 'float32');
    expect(reduce(g, halves, 'sum', [0, 2])).toBe(g.uniform(4, [3], 'float32'));
  });

  it('reduce() of copies never makes them', () => {
    const g = new GraphBuilder();
    const x = g.input(0, [3, 1], 'float32', false);
    const sum = reduce(g, broadcast(g, x, [3, 5]), 'sum', [1]);
    // 5 x, by a product instead of a sum over a larger array.
    expect(sum.inputs.map((n) => n.op)).toEqual(['uniform', 'reshape']);
    expect(sum.inputs[0]).toBe(g.uniform(5, [], 'float32'));
  });

  it('sums of copies and of products with factors constant along the axes equal jax-js', async () => {
    const trials = (['float32', 'float64'] as const).map((dtype) => ({
      inputs: [draws('x', [3, 1, 4], dtype), draws('p', [3, 1, 1], dtype), draws('y', [3, 5, 4], dtype)],
      apply: ({ numpy: np }: Jax, x: JaxArray, p: JaxArray, y: JaxArray) => [
        np.sum(np.broadcastTo(x.ref, [3, 5, 4]), 1),
        np.sum(np.broadcastTo(x.ref, [2, 3, 5, 4]), [0, 1, 3]),
        np.sum(np.broadcastTo(x.ref, [3, 5, 4]), [0, 1, 2]),
        np.max(np.broadcastTo(x.ref, [3, 5, 4]), 1),
        np.prod(np.broadcastTo(x.ref, [3, 5, 4]), 1),
        np.sum(p.ref.mul(y.ref), [1, 2]),
        np.sum(p.ref.mul(y.ref), [0, 1]),
        np.sum(x.mul(p).mul(y), 1),
      ],
    }));
    await expectAgreement(trials, 32);
  });
});

describe('convolve() and dot() of mapped operands', () => {
  it('convolve() with a shared kernel folds the mapped axis into the batch: one convolution, no copy of the kernel', async () => {
    const specs = [{ shape: [5, 2, 3, 6, 6], linear: true }, { shape: [4, 3, 3, 3] }];
    const nodes = await nodesOf(specs, (jax, block, w) =>
      jax.vmap((t: JaxArray, k: JaxArray) => jax.lax.conv(t, k, [1, 1], 'SAME'), [0, null])(block, w),
    );
    expect(countOf(nodes, 'broadcast')).toBe(0);
    expect(nodes.filter((n) => n.op === 'conv').map((n) => n.shape)).toEqual([[10, 4, 6, 6]]);
  });

  it('dot() with a shared matrix is one matrix product of two axes, without a copy of the matrix', async () => {
    const specs = [{ shape: [5, 2, 7], linear: true }, { shape: [3, 7] }];
    const nodes = await nodesOf(specs, (jax, block, w) =>
      jax.vmap((t: JaxArray, m: JaxArray) => jax.numpy.einsum('bk,nk->bn', t, m), [0, null])(block, w),
    );
    expect(nodes.filter((n) => n.op === 'matmul').map((n) => n.shape)).toEqual([[10, 3]]);
    expect(countOf(nodes, 'broadcast')).toBe(0);
  });
});
