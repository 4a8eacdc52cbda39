import { describe, expect, it } from 'vitest';
import { sizeOf, tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Jax, Trial } from '../agreement.fixture.ts';
import { compiled, draws, epsilons, expectAgreement } from '../agreement.fixture.ts';
import { GraphBuilder } from '../builder.ts';
import { countOf, nodesOf, opsOf } from '../graph.fixture.ts';
import type { JaxArray } from '../jax.ts';
import { add, multiply, negate, unary } from './elementwise.ts';

const silu = ({ nn }: Jax, x: JaxArray): JaxArray => nn.silu(x);

/** Slope of x s(x): s (1 + x (1 - s)), written so that neither tail overflows. */
function siluSlope(x: number): number {
  const s = x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
  const rest = x >= 0 ? Math.exp(-x) / (1 + Math.exp(-x)) : 1 / (1 + Math.exp(x));
  return s * (1 + x * rest);
}

const points = tensor('float32', [9], Float32Array.of(-200, -100, -88.8, -20, -1, 0, 1, 100, 200));
const ones = tensor('float32', [9], new Float32Array(9).fill(1));

/** The slope of SiLU at `points`, by every road. */
const roads: Record<string, Trial> = {
  jvp: { inputs: [points, ones], apply: (jax, x, t) => jax.jvp((u: JaxArray) => silu(jax, u), [x], [t])[1] },
  'vmap of jvp': {
    inputs: [points, tensor('float32', [2, 9], new Float32Array(18).fill(1))],
    apply: (jax, x, block) => jax.vmap((t: JaxArray) => jax.jvp((u: JaxArray) => silu(jax, u), [x.ref], [t])[1])(block),
  },
  vjp: {
    inputs: [points, ones],
    apply: (jax, x, ct) => {
      const [y, pullback] = jax.vjp((u: JaxArray) => silu(jax, u), [x]);
      y.dispose();
      return pullback(ct)[0];
    },
  },
  grad: { inputs: [points], apply: (jax, x) => jax.grad((u: JaxArray) => jax.numpy.sum(silu(jax, u)))(x) },
};

describe('sigmoid', () => {
  it('unary() finds the sigmoid in jax-js silu: one sigmoid, one product', async () => {
    const nodes = await nodesOf([{ shape: [2, 3] }], silu);
    expect(opsOf(nodes)).toEqual(['sigmoid', 'mul']);
  });

  it.each(Object.keys(roads))('the slope of silu by %s is finite and exact from -200 to 200', async (road) => {
    const [slope] = (await compiled(roads[road] as Trial)) as [Tensor];
    slope.data.forEach((v, i) => {
      const wanted = siluSlope(points.data[i % 9] as number);
      // 1 - s is rounded once near 1 and |x| (1 - s) <= 0.28 where s is not 0 or 1, save on the left, where |x| s <= 1.
      expect(Math.abs(v - wanted)).toBeLessThanOrEqual(16 * epsilons.float32);
    });
  });

  it('a block of tangents passes silu through one multiplication of its size', async () => {
    const specs = [{ shape: [4, 9] }, { shape: [5, 4, 9], linear: true }];
    const nodes = await nodesOf(specs, (jax, x, block) =>
      jax.vmap((t: JaxArray) => jax.jvp((u: JaxArray) => silu(jax, u), [x.ref], [t])[1])(block),
    );
    const large = nodes.filter((n) => n.op !== 'input' && sizeOf(n.shape) === 5 * 4 * 9);
    expect(large.map((n) => n.op)).toEqual(['mul']);
    expect(countOf(nodes, 'sigmoid')).toBe(1);
    expect(countOf(nodes, 'exp')).toBe(0);
  });
});

describe('zeros and ones', () => {
  it('multiply() and add() let zeros and ones vanish', () => {
    const g = new GraphBuilder();
    const x = g.input(0, [2, 3], 'float32', false);
    const [zero, one] = [g.uniform(0, [], 'float32'), g.uniform(1, [3], 'float32')];
    expect(multiply(g, x, zero)).toBe(g.uniform(0, [2, 3], 'float32'));
    expect(multiply(g, one, x)).toBe(x);
    expect(add(g, zero, x)).toBe(x);
    expect(negate(g, negate(g, x))).toBe(x);
    expect(unary(g, 'exp', g.uniform(0, [4], 'float32'))).toBe(g.uniform(1, [4], 'float32'));
  });

  it('a jvp leaves no trace of the zero tangents of its weights', async () => {
    const specs = [{ shape: [1, 2, 5, 5] }, { shape: [2, 2, 3, 3] }, { shape: [1, 2, 5, 5], linear: true }];
    const nodes = await nodesOf(
      specs,
      (jax, x, w, t) =>
        jax.jvp(
          (u: JaxArray, v: JaxArray) => jax.lax.conv(u, v, [1, 1], 'SAME'),
          [x, w.ref],
          [t, jax.numpy.zerosLike(w)],
        )[1],
    );
    expect(opsOf(nodes)).toEqual(['conv']);
  });

  it('multiply() by a scale of an integer array keeps its type', async () => {
    const n = tensor('int32', [3], Int32Array.of(1, -2, 3));
    await expectAgreement([{ inputs: [n], apply: (_, x) => [x.ref.mul(-2), x.neg().mul(3)] }], 0);
  });

  it('a product of signs, scales and broadcast factors keeps its value and shape', async () => {
    const trials = (['float32', 'float64'] as const).map((dtype) => ({
      inputs: [draws('a', [3, 1], dtype), draws('b', [4], dtype), draws('c', [2, 3, 4], dtype)],
      apply: (_: Jax, a: JaxArray, b: JaxArray, c: JaxArray) => [
        a.ref.neg().mul(b.ref.mul(2)).mul(c.ref.neg()),
        a.ref.mul(0.5).mul(c.ref.mul(2)),
        c.ref.mul(a.ref.mul(b.ref)).sub(c.ref.neg()),
        a.ref.sub(b.ref.neg().mul(3)),
        b.ref.neg().sub(b.ref),
        a.add(a.ref).mul(b.mul(b.ref)).add(c.mul(c.ref)),
      ],
    }));
    await expectAgreement(trials, 16);
  });
});

describe('linearity', () => {
  it('add() gathers the coefficients of one tangent, with and without scales', async () => {
    const specs = [{ shape: [7] }, { shape: [3, 7], linear: true }];
    const nodes = await nodesOf(specs, (_, p, t) => p.ref.mul(t.ref).sub(t.ref.mul(2)).add(p.ref.mul(p).mul(t)));
    expect(nodes.filter((n) => n.op !== 'input' && sizeOf(n.shape) === 21).map((n) => n.op)).toEqual(['mul']);
  });
});

describe('products', () => {
  it('a vjp through silu and a scale a channel multiplies the cotangent by the slope once', async () => {
    const full = [2, 3, 8];
    const specs = [{ shape: full }, { shape: [3, 1] }, { shape: full, linear: true }];
    const nodes = await nodesOf(specs, (jax, x, a, ct) => {
      const f = (u: JaxArray, v: JaxArray): JaxArray => silu(jax, u.mul(v).add(1));
      const [y, pull] = jax.vjp(f, [x, a]);
      return [y, ...(pull as (u: JaxArray) => JaxArray[])(ct)];
    });
    const large = nodes.filter((n) => n.inputs.length > 0 && sizeOf(n.shape) === 48).map((n) => n.op);
    // h = x a + 1, its sigmoid s and y = h s; the slope s + y (1 - s); the slope times ct, that times a, and that times x for the sum.
    const products = Array<string>(6).fill('mul');
    expect(large.sort()).toEqual(['add', 'add', ...products, 'sigmoid', 'sub']);
  });

  it('a scale inside a sum is applied to the sum', async () => {
    const nodes = await nodesOf([{ shape: [4, 9] }, { shape: [4, 9] }], ({ numpy: np }, x, y) =>
      np.sum(x.mul(2).mul(y), -1),
    );
    expect(nodes.filter((n) => n.op === 'mul').map((n) => sizeOf(n.shape))).toEqual([36, 4]);
  });
});

describe('common subexpressions', () => {
  it('the same expression twice is one node', async () => {
    const nodes = await nodesOf([{ shape: [3] }, { shape: [3] }], ({ numpy: np }, x, y) => [
      np.exp(x.ref.add(y.ref)),
      np.exp(y.add(x)),
    ]);
    expect(opsOf(nodes)).toEqual(['add', 'exp']);
  });

  it('constants of one shape and other values stay apart, infinities too', async () => {
    const x = draws('x', [3], 'float32');
    const apply: Trial['apply'] = ({ numpy: np }, v) => [
      v.ref.add(np.array([1, 2, 3])),
      v.ref.add(np.array([1, 2, 4])),
      v.ref.mul(Infinity),
      np.maximum(v, -Infinity),
    ];
    const values = (await compiled({ inputs: [x], apply })).map((r) => [...r.data]);
    expect(values[0]?.[2]).toBe(Math.fround((x.data[2] as number) + 3));
    expect(values[1]?.[2]).toBe(Math.fround((x.data[2] as number) + 4));
    expect(values[2]).toEqual([...x.data].map((v) => v * Infinity));
    expect(values[3]).toEqual([...x.data]);
  });
});
