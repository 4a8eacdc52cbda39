import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FloatDType, Tensor } from '../../tensor/tensor.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import type { Jax, Trial } from '../agreement.fixture.ts';
import { compiled, draws, expectAgreement, expectClose, integers, mapped, primitivesOf } from '../agreement.fixture.ts';
import type { JaxArray } from '../jax.ts';
import { loadJax } from '../jax.ts';
import type { Primitive } from '../read/primitives.ts';
import { primitives } from '../read/primitives.ts';

/** Trials of one primitive for a drawn shape of rank 1 to 4. */
interface Case {
  readonly trials: (dtype: FloatDType, shape: readonly number[]) => Trial[];
  /** Bound in eps x scale: 8 for one operation whose library function is good to a few ulp, more where sums are long. */
  readonly roundings: number;
  /** The function in full precision where jax-js's kernel has only about five digits, in float64 too. */
  readonly exact?: (v: number) => number;
  /** Why ONNX Runtime's CPU provider refuses the operation in float64. */
  readonly noFloat64?: string;
}

const unaryCase = (
  f: (jax: Jax, x: JaxArray) => JaxArray,
  into: (v: number) => number = (v) => v,
  options: Pick<Case, 'noFloat64' | 'exact'> = {},
): Case => ({
  trials: (dtype, shape) => [{ inputs: [mapped(draws('x', shape, dtype), into)], apply: f }],
  roundings: 8,
  ...options,
});

/** erf(x) = 2 / sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!!: terms of one sign, so no digit is lost. */
function erfSeries(x: number): number {
  let sum = 0;
  for (let n = 0, term = x; n < 200; n++, term *= (2 * x * x) / (2 * n + 1)) sum += term;
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Both of equal shape, one of lower rank, both with axes of size 1, and one scalar. */
const binaryCase = (f: (jax: Jax, x: JaxArray, y: JaxArray) => JaxArray): Case => ({
  trials: (dtype, shape) => {
    const odd = shape.map((d, i) => (i % 2 === 0 ? 1 : d));
    const even = shape.map((d, i) => (i % 2 === 1 ? 1 : d));
    return [
      [shape, shape],
      [shape, shape.slice(1)],
      [odd, shape],
      [odd, even],
      [even.slice(-1), odd],
      [[], shape],
    ].map(([a, b], i) => ({
      inputs: [draws(`a${i}`, a as number[], dtype), draws(`b${i}`, b as number[], dtype)],
      apply: f,
    }));
  },
  roundings: 4,
});

const movementCase = (f: (jax: Jax, x: JaxArray) => JaxArray | JaxArray[]): Case => ({
  trials: (dtype, shape) => [{ inputs: [draws('x', shape, dtype)], apply: f }],
  roundings: 0,
});

/** Every subset of the axes, in descending order to catch an assumption on order. */
const reductionCase: Case = {
  trials: (dtype, shape) => {
    const subsets = Array.from({ length: 2 ** shape.length }, (_, bits) =>
      shape.map((_, i) => i).filter((i) => (bits >> i) % 2 === 1),
    );
    return subsets.map((axes) => ({
      inputs: [draws('x', shape, dtype)],
      apply: ({ numpy: np }, x) => [
        np.sum(x.ref, [...axes].reverse()),
        np.max(x.ref, axes, { keepdims: true }),
        np.min(x.ref, axes),
        np.prod(x, axes),
      ],
    }));
  },
  roundings: 64,
};

const dotCase: Case = {
  trials: (dtype, shape) => {
    const [k = 1, m = 2] = shape;
    const layouts: [string, number[], number[]][] = [
      ['mk,kn->mn', [m, k], [k, 3]],
      ['mk,nk->mn', [m, k], [3, k]],
      ['km,kn->nm', [k, m], [k, 3]],
      ['bmk,bkn->bmn', [2, m, k], [2, k, 3]],
      ['bmk,bnk->mbn', [2, m, k], [2, 3, k]],
      ['mk,bkn->bmn', [m, k], [2, k, 3]],
      ['bcmk,ckn->bmcn', [2, 3, m, k], [3, k, 2]],
      ['k,k->', [k], [k]],
      ['k,kn->n', [k], [k, 3]],
      ['m,n->mn', [m], [3]],
      ['bm,bm->b', [2, m], [2, m]],
      ['amk,abkn->bnam', [2, m, k], [2, 3, k, 2]],
      ['mjk,jkn->mn', [m, 2, k], [2, k, 3]],
    ];
    return layouts.map(([layout, a, b]) => ({
      inputs: [draws(`${layout} a`, a, dtype), draws(`${layout} b`, b, dtype)],
      apply: ({ numpy: np }, x, y) => np.einsum(layout, x, y),
    }));
  },
  roundings: 16,
};

/** The adjoint of indexing is a scatter: repeated indices add up. */
const scatterCase: Case = {
  trials: (dtype, shape) => {
    const rows = shape[0] as number;
    const base = draws('x', [rows, 3, 2], dtype);
    const index = integers('i', [5], rows);
    const back =
      (axis: number) =>
      (jax: Jax, x: JaxArray, i: JaxArray, ct: JaxArray): JaxArray => {
        const [y, pullback] = jax.vjp((v: JaxArray) => jax.numpy.take(v, i, axis), [x]);
        y.dispose();
        return pullback(ct)[0];
      };
    return [
      { inputs: [base, index, draws('ct', [5, 3, 2], dtype)], apply: back(0) },
      { inputs: [base, integers('j', [4], 3), draws('cu', [rows, 4, 2], dtype)], apply: back(1) },
    ];
  },
  roundings: 16,
};

const poolWindows: { dims: number[]; strides: number[] }[] = [
  { dims: [2, 2], strides: [2, 2] },
  { dims: [3, 2], strides: [1, 2] },
  { dims: [1, 3], strides: [2, 3] },
];

const poolTrials = (dtype: FloatDType, shape: readonly number[], isBack: boolean): Trial[] =>
  poolWindows.map(({ dims, strides }) => {
    const pooled =
      ({ lax, numpy: np }: Jax) =>
      (x: JaxArray): JaxArray =>
        lax.reduceWindow(x, (v: JaxArray) => np.sum(v), dims, strides);
    return {
      inputs: [draws('x', [3 + (shape[0] as number), 5], dtype)],
      apply: (jax, x) =>
        isBack ? jax.grad((v: JaxArray) => jax.numpy.sum(jax.numpy.square(pooled(jax)(v))))(x) : pooled(jax)(x),
    };
  });

const without = 'ONNX Runtime has no float64 kernel';
const inUnit = (v: number): number => Math.sin(v);
const positive = (v: number): number => Math.abs(v) + 0.1;

const cases: Record<Primitive, Case> = {
  add: binaryCase((_, x, y) => x.add(y)),
  mul: binaryCase((_, x, y) => x.mul(y)),
  mod: binaryCase((_, x, y) => x.mod(y)),
  min: binaryCase(({ numpy: np }, x, y) => np.minimum(x, y)),
  max: binaryCase(({ numpy: np }, x, y) => np.maximum(x, y)),
  neg: unaryCase((_, x) => x.neg()),
  reciprocal: unaryCase(({ numpy: np }, x) => np.reciprocal(x), positive),
  floor: unaryCase(({ numpy: np }, x) => np.floor(x)),
  ceil: unaryCase(({ numpy: np }, x) => np.ceil(x)),
  stop_gradient: unaryCase(({ lax }, x) => lax.stopGradient(x).add(1)),
  cast: {
    trials: (dtype, shape) => [
      {
        inputs: [mapped(draws('x', shape, dtype), (v) => 3 * v)],
        apply: ({ numpy: np }, x) => [
          x.ref.astype(np.int32),
          x.ref.astype(np.float64),
          x.ref.astype(np.float32),
          np.greater(x, 0).astype(np.float32),
        ],
      },
      { inputs: [integers('n', shape, 9)], apply: ({ numpy: np }, n) => n.astype(np.float32) },
    ],
    roundings: 0,
  },
  sin: unaryCase(({ numpy: np }, x) => np.sin(x), undefined, { exact: Math.sin }),
  cos: unaryCase(({ numpy: np }, x) => np.cos(x), undefined, { exact: Math.cos }),
  asin: unaryCase(({ numpy: np }, x) => np.arcsin(x), inUnit, { noFloat64: without }),
  atan: unaryCase(({ numpy: np }, x) => np.arctan(x), undefined, { noFloat64: without }),
  exp: unaryCase(({ numpy: np }, x) => np.exp(x), undefined, { exact: Math.exp }),
  log: unaryCase(({ numpy: np }, x) => np.log(x), positive, { exact: Math.log }),
  erf: unaryCase(({ lax }, x) => lax.erf(x), undefined, { exact: erfSeries }),
  erfc: unaryCase(({ lax }, x) => lax.erfc(x), undefined, { exact: (v) => 1 - erfSeries(v) }),
  sqrt: unaryCase(({ numpy: np }, x) => np.sqrt(x), positive),
  reduce: reductionCase,
  dot: dotCase,
  conv: {
    trials: (dtype, shape) => [
      {
        inputs: [draws('x', [2, shape[0] as number, 5, 4], dtype), draws('w', [3, shape[0] as number, 3, 2], dtype)],
        apply: ({ lax }, x, w) => lax.conv(x, w, [1, 1], 'SAME'),
      },
    ],
    roundings: 32,
  },
  pool: { trials: (dtype, shape) => poolTrials(dtype, shape, false), roundings: 8 },
  pool_transpose: { trials: (dtype, shape) => poolTrials(dtype, shape, true), roundings: 16 },
  compare: {
    trials: (dtype, shape) => [
      {
        // Rounded draws meet often, so that equality is tried on both sides.
        inputs: [mapped(draws('x', shape, dtype), Math.round), mapped(draws('y', shape.slice(1), dtype), Math.round)],
        apply: ({ numpy: np }, x, y) => [
          np.less(x.ref, y.ref),
          np.lessEqual(x.ref, y.ref),
          np.greater(x.ref, y.ref),
          np.greaterEqual(x.ref, y.ref),
          np.equal(x.ref, y.ref),
          np.notEqual(x.ref, y),
          np.less(x, 0.5),
        ],
      },
      {
        inputs: [integers('n', shape, 3)],
        apply: ({ numpy: np }, n) => [np.less(n.ref, 1), np.equal(n.ref, 1), np.greater(n, 0.5)],
      },
    ],
    roundings: 0,
  },
  where: {
    trials: (dtype, shape) => [
      {
        inputs: [draws('c', shape.slice(1), dtype), draws('x', shape, dtype), draws('y', shape.slice(-1), dtype)],
        apply: ({ numpy: np }, c, x, y) => [
          np.where(np.less(c.ref, 0), x.ref, y),
          np.where(np.less(c.ref, 0), x, 0),
          np.where(np.less(c, 0), 1, 0),
        ],
      },
    ],
    roundings: 0,
  },
  concatenate: {
    trials: (dtype, shape) =>
      shape.map((_, axis) => ({
        inputs: [
          draws('x', shape, dtype),
          draws(
            'y',
            shape.map((d, i) => (i === axis ? d + 1 : d)),
            dtype,
          ),
        ],
        apply: ({ numpy: np }, x, y) => np.concatenate([x.ref, y, x], axis),
      })),
    roundings: 0,
  },
  split: {
    trials: (dtype, shape) => [
      {
        inputs: [draws('x', [...shape, 5], dtype)],
        apply: ({ numpy: np }, x) => np.split(x, [1, 3], -1),
      },
    ],
    roundings: 0,
  },
  gather: {
    trials: (dtype, shape) => [
      {
        inputs: [draws('x', shape, dtype), integers('i', [2, 3], shape.at(-1) as number)],
        apply: ({ numpy: np }, x, i) => np.take(x, i, -1),
      },
      {
        inputs: [draws('x', [4, 2, 3], dtype), integers('i', [3, 1], 4), integers('j', [5], 3)],
        apply: (_, x, i, j) => x.slice(i, [], j),
      },
    ],
    roundings: 0,
  },
  transpose: {
    trials: (dtype, shape) => [
      {
        inputs: [draws('x', [...shape, 3], dtype)],
        apply: (_, x) => [x.ref.transpose(), x.transpose([shape.length, ...shape.map((_, i) => i)])],
      },
    ],
    roundings: 0,
  },
  broadcast: movementCase(({ numpy: np }, x) => [
    np.broadcastTo(x.ref, [2, ...x.shape]),
    np.broadcastTo(np.expandDims(x, 1), [x.shape[0] as number, 3, ...x.shape.slice(1)]),
  ]),
  reshape: movementCase((_, x) => x.reshape([-1])),
  flip: movementCase(({ numpy: np }, x) => [np.flip(x.ref), np.flip(x.ref, 0), np.flip(x, [-1])]),
  shrink: {
    trials: (dtype, shape) => [
      {
        inputs: [draws('x', [4, ...shape, 5], dtype)],
        apply: (_, x) => [x.ref.slice([1, 3]), x.slice([0, 2], ...shape.map(() => [] as []), [1, 4])],
      },
    ],
    roundings: 0,
  },
  pad: movementCase(({ numpy: np }, x) => [
    np.pad(x.ref, 1),
    np.pad(
      x,
      x.shape.map((_, i) => [i, 2] as [number, number]),
    ),
  ]),
  sort: movementCase(({ numpy: np }, x) => [np.sort(x.ref), np.sort(x, 0)]),
  argsort: {
    trials: (dtype, shape) => [
      {
        // Ties keep their order.
        inputs: [mapped(draws('x', [...shape, 6], dtype), Math.round)],
        apply: ({ numpy: np }, x) => [np.argsort(x.ref), np.argsort(x, 0)],
      },
      { inputs: [integers('n', shape, 3)], apply: ({ numpy: np }, n) => [np.argsort(n.ref), np.sort(n)] },
    ],
    roundings: 0,
  },
  scatter: scatterCase,
};

/** Compiled results equal a function of every element of the first input. */
async function expectExact(trials: readonly Trial[], f: (v: number) => number, roundings: number): Promise<void> {
  for (const [i, trial] of trials.entries()) {
    const [got] = await compiled(trial);
    const wanted = mapped(trial.inputs[0] as Tensor<FloatDType>, f);
    expectClose(got as Tensor, wanted, roundings, `trial ${i}`);
  }
}

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

describe('primitives', () => {
  it.each(Object.keys(primitives) as Primitive[])('%s compiled equals jax-js on random shapes', async (primitive) => {
    const { trials, roundings, noFloat64, exact } = cases[primitive];
    const jax = await loadJax();
    // Array methods are renamed or composed in jax-js: the trace must hold what the case claims to try.
    const traced = trials('float32', [2, 3]).map((t) => [...primitivesOf(jax, t)]);
    expect(traced.flat()).toContain(primitive);
    const property = fc.asyncProperty(fc.array(shapes, { minLength: 2, maxLength: 2 }), async (two) => {
      for (const dtype of noFloat64 === undefined ? (['float32', 'float64'] as const) : (['float32'] as const)) {
        const both = two.flatMap((shape) => trials(dtype, shape));
        await (exact === undefined ? expectAgreement(both, roundings) : expectExact(both, exact, roundings));
      }
    });
    await fc.assert(property, { seed: 2, numRuns: 3, endOnFailure: true });
  });

  it.each((Object.keys(cases) as Primitive[]).filter((p) => cases[p].noFloat64 !== undefined))(
    '%s in float64 is refused with an error that names it, as ONNX Runtime has no kernel',
    async (primitive) => {
      const [trial] = cases[primitive].trials('float64', [3]);
      const named = /no(t find an)? implementation for (Asin|Atan)\b/;
      await expect(compiled(trial as Trial)).rejects.toThrow(named);
      await expect(compiled(trial as Trial)).rejects.toMatchObject({ code: 'E_BACKEND' });
    },
  );

  it('reshape() of shapes with equal sizes keeps row-major order', async () => {
    const trials = (['float32', 'float64'] as const).map((dtype) => ({
      inputs: [draws('x', [2, 3, 4], dtype)],
      apply: (_: Jax, x: JaxArray) => [x.ref.reshape([6, 4]), x.ref.reshape([4, 1, 6]), x.reshape([sizeOf([2, 3, 4])])],
    }));
    await expectAgreement(trials, 0);
  });
});
