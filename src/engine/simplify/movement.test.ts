import { describe, expect, it } from 'vitest';
import type { Jax } from '../agreement.fixture.ts';
import { draws, expectAgreement } from '../agreement.fixture.ts';
import { GraphBuilder } from '../builder.ts';
import { countOf, nodesOf, opsOf } from '../graph.fixture.ts';
import type { JaxArray } from '../jax.ts';
import { broadcast, flip, reshape, slice, transpose } from './movement.ts';

const input = (g: GraphBuilder, ...shape: number[]) => g.input(0, shape, 'float32', false);

describe('chains of movement', () => {
  it('reshape() and transpose() chains collapse to one node or none', () => {
    const g = new GraphBuilder();
    const x = input(g, 2, 3, 4);
    expect(reshape(g, reshape(g, x, [6, 4]), [2, 3, 4])).toBe(x);
    expect(reshape(g, reshape(g, x, [6, 4]), [24]).inputs[0]).toBe(x);
    expect(transpose(g, transpose(g, x, [1, 2, 0]), [2, 0, 1])).toBe(x);
    expect(transpose(g, transpose(g, x, [1, 0, 2]), [2, 1, 0])).toBe(transpose(g, x, [2, 0, 1]));
    expect(flip(g, flip(g, x, [0, 2]), [0, 2])).toBe(x);
  });

  it('transpose() that moves only axes of size 1 is a reshape', () => {
    const g = new GraphBuilder();
    expect(transpose(g, input(g, 2, 1, 3), [1, 0, 2]).op).toBe('reshape');
  });

  it('slice() of everything in steps of 1 and broadcast() to the same shape are the operand itself', () => {
    const g = new GraphBuilder();
    const x = input(g, 2, 3);
    expect(slice(g, x, [0, 0], [2, 3])).toBe(x);
    expect(broadcast(g, x, [2, 3])).toBe(x);
  });

  it('slice() of an axis of size 1, flips of flips and reshapes of broadcasts keep their values', async () => {
    const trials = (['float32', 'float64'] as const).map((dtype) => ({
      inputs: [draws('x', [2, 1, 3], dtype)],
      apply: ({ numpy: np }: Jax, x: JaxArray) => [
        np.broadcastTo(x.ref, [2, 4, 3]).reshape([8, 3]),
        np.broadcastTo(x.ref, [2, 4, 3]).reshape([2, 4, 1, 3]),
        np.broadcastTo(x.ref, [2, 4, 3]).reshape([1, 2, 2, 2, 3]),
        np.broadcastTo(x.ref, [5, 2, 1, 3]).reshape([5, 6]),
        np.broadcastTo(x.ref, [5, 2, 1, 3]).transpose([3, 2, 0, 1]).reshape([3, 10]),
        np.broadcastTo(x.ref, [2, 2, 3]).transpose().reshape([3, 2, 2, 1]),
        np.flip(np.flip(x.ref, [0]), [2]),
        np.flip(np.flip(x.ref, [0, 1]), [0]),
        np.sum(np.broadcastTo(x, [5, 2, 4, 3]), [0, 2, 3]),
      ],
    }));
    await expectAgreement(trials, 8);
  });
});

describe('broadcasts', () => {
  it('an elementwise operation takes a broadcast operand at its own size', async () => {
    const nodes = await nodesOf([{ shape: [4, 5] }, { shape: [5] }], ({ numpy: np }, x, b) =>
      np.tanh(x.add(np.broadcastTo(b, [4, 5]))),
    );
    expect(countOf(nodes, 'broadcast')).toBe(0);
  });

  it('jvp of a group normalization expands at most the per-channel factors', async () => {
    const specs = [{ shape: [2, 4, 6, 6] }, { shape: [3, 2, 4, 6, 6], linear: true }];
    const norm = ({ numpy: np }: Jax, x: JaxArray): JaxArray => {
      const grouped = x.reshape([2, 2, 72]);
      const centred = grouped.ref.sub(np.mean(grouped, -1, { keepdims: true }));
      const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
      return centred.mul(np.reciprocal(np.sqrt(variance.add(1e-5)))).reshape([2, 4, 6, 6]);
    };
    const nodes = await nodesOf(specs, (jax, x, block) =>
      jax.vmap((t: JaxArray) => jax.jvp((u: JaxArray) => norm(jax, u), [x.ref], [t])[1])(block),
    );
    expect(countOf(nodes, 'broadcast')).toBeLessThanOrEqual(1);
  });
});

const upsampled =
  (a: number, b: number) =>
  ({ numpy: np }: Jax, x: JaxArray): JaxArray => {
    const [n, c, h, w] = x.shape as [number, number, number, number];
    return np.broadcastTo(x.reshape([n, c, h, 1, w, 1]), [n, c, h, a, w, b]).reshape([n, c, a * h, b * w]);
  };

describe('upsampling', () => {
  it('upsampling is one resize in float32 and its adjoint one average pool', async () => {
    expect(opsOf(await nodesOf([{ shape: [2, 3, 4, 5] }], upsampled(2, 2)))).toEqual(['upsample']);
    const back = await nodesOf([{ shape: [2, 3, 4, 5] }, { shape: [2, 3, 8, 10] }], (jax, x, ct) => {
      const [, pullback] = jax.vjp((u: JaxArray) => upsampled(2, 2)(jax, u), [x]);
      return pullback(ct)[0];
    });
    expect(countOf(back, 'averagePool')).toBe(1);
    expect(countOf(back, 'reduce')).toBe(0);
  });

  it.each([
    [2, 2],
    [3, 1],
    [1, 2],
    [2, 3],
  ])('upsampling by %i x %i and its adjoint equal jax-js, mapped too', async (a, b) => {
    const trials = (['float32', 'float64'] as const).flatMap((dtype) => [
      {
        inputs: [draws('x', [2, 3, 4, 2], dtype)],
        apply: (jax: Jax, x: JaxArray) => {
          const loss = (u: JaxArray): JaxArray => jax.numpy.sum(jax.numpy.square(upsampled(a, b)(jax, u)));
          return [upsampled(a, b)(jax, x.ref), jax.grad(loss)(x)];
        },
      },
      {
        inputs: [draws('block', [3, 1, 2, 2, 3], dtype)],
        apply: (jax: Jax, block: JaxArray) => jax.vmap((u: JaxArray) => upsampled(a, b)(jax, u))(block),
      },
    ]);
    await expectAgreement(trials, 16);
  });
});
