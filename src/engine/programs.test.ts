import fc from 'fast-check';
import { describe, it } from 'vitest';
import { tensor } from '../tensor/tensor.ts';
import type { Jax, Trial } from './agreement.fixture.ts';
import { draws, expectAgreement, integers } from './agreement.fixture.ts';
import type { JaxArray } from './jax.ts';

/** A step of a random program on x [A, B, C]; y [C] and z [A, 1, C] stand by. Every result stays bounded. */
const steps: ((jax: Jax, x: JaxArray, y: JaxArray, z: JaxArray) => JaxArray)[] = [
  (_, x, y) => x.mul(y),
  (_, x, y, z) => x.sub(z.mul(y)),
  (_, x, _y, z) => x.mul(0.5).add(z.neg()),
  ({ numpy: np }, x) => np.tanh(x),
  ({ nn }, x) => nn.silu(x),
  ({ nn }, x) => nn.softmax(x, -1),
  ({ numpy: np }, x) => np.flip(x, [1]),
  (_, x) => x.transpose([1, 0, 2]).reshape(x.shape),
  ({ numpy: np }, x) => x.ref.sub(np.mean(x, [0, 2], { keepdims: true })),
  ({ numpy: np }, x) => x.ref.mul(np.reciprocal(np.sum(np.square(x), -1, { keepdims: true }).add(1))),
  ({ numpy: np }, x, y) => np.broadcastTo(np.sum(x.ref.mul(y), -1, { keepdims: true }), x.shape).add(x),
  ({ numpy: np }, x) => np.einsum('abc,adc,adf->abf', x.ref, x.ref, x).mul(0.1),
  ({ numpy: np }, x, y) => np.einsum('abc,c,d->abd', x, y.ref, y).mul(0.3),
  ({ numpy: np }, x) => np.where(np.less(x.ref, 0), x.ref.mul(0.1), x),
  ({ numpy: np }, x) => np.concatenate([x.ref.slice([], [1, x.shape[1] as number]), x.slice([], [0, 1])], 1),
  ({ numpy: np }, x) => np.maximum(np.max(x.ref, 1, { keepdims: true }).mul(0.5), x),
  ({ numpy: np }, x) =>
    np
      .pad(x, [
        [0, 0],
        [1, 0],
        [0, 0],
      ])
      .slice([], [0, x.shape[1] as number]),
  ({ lax }, x) => lax.stopGradient(x.ref).mul(0.5).add(x),
];

const program =
  (choice: readonly number[]) =>
  (jax: Jax, x: JaxArray, y: JaxArray, z: JaxArray): JaxArray => {
    let value = x;
    for (const i of choice) value = (steps[i % steps.length] as (typeof steps)[number])(jax, value, y.ref, z.ref);
    y.dispose();
    z.dispose();
    return value;
  };

/** The program, its gradient in all arguments, and a block of its tangents. */
function withDerivatives(choice: readonly number[], [a, b, c]: readonly [number, number, number]): Trial {
  const f = program(choice);
  return {
    inputs: [
      draws('x', [a, b, c], 'float32'),
      draws('y', [c], 'float32'),
      draws('z', [a, 1, c], 'float32'),
      draws('t', [2, a, b, c], 'float32'),
    ],
    apply: (jax, x, y, z, block) => {
      const loss = (...p: [JaxArray, JaxArray, JaxArray]): JaxArray =>
        jax.numpy.sum(jax.numpy.square(f(jax, ...p)).mul(0.5));
      const tangents = jax.vmap((t: JaxArray) => jax.jvp((u: JaxArray) => f(jax, u, y.ref, z.ref), [x.ref], [t])[1])(
        block,
      );
      const gradients = jax.grad(loss, { argnums: [0, 1, 2] })(x.ref, y.ref, z.ref) as JaxArray[];
      return [tangents, f(jax, x, y, z), ...gradients];
    },
  };
}

describe('random programs', () => {
  it('compile() of random programs and their derivatives gives what jax-js gives', async () => {
    const choices = fc.array(fc.nat(steps.length - 1), { minLength: 1, maxLength: 6 });
    const size = fc.integer({ min: 1, max: 3 });
    const property = fc.asyncProperty(choices, fc.tuple(size, size, size), (choice, shape) =>
      // jax-js's own exp and tanh are good to some 1e-6 only.
      expectAgreement([withDerivatives(choice, shape)], 2 ** 10),
    );
    await fc.assert(property, { seed: 9, numRuns: 40 });
  });

  it('compile() of library functions built from many primitives gives what jax-js gives', async () => {
    const x = draws('x', [3, 4], 'float32');
    const far = tensor('float32', [6], Float32Array.of(-200, -30, -1e-3, 0, 40, 200));
    const trials: Trial[] = [
      {
        inputs: [x],
        apply: ({ numpy: np }, v) => [
          np.argmax(v.ref, -1),
          np.cumsum(v.ref, 1),
          np.var_(v.ref, 0),
          np.clip(v.ref, -0.5, 0.5),
          np.abs(v.ref),
          np.sign(v.ref),
          np.tril(v.ref),
          np.any(np.greater(v.ref, 1), 0),
          np.all(np.greater(v, -1), 1),
        ],
      },
      {
        inputs: [far],
        apply: ({ numpy: np, nn }, v) => [
          np.tanh(v.ref),
          nn.sigmoid(v.ref),
          nn.softplus(v.ref),
          nn.relu(v.ref),
          nn.silu(v),
        ],
      },
      {
        // erf of a constant is not folded: it reaches the graph as a scalar.
        inputs: [x],
        apply: ({ numpy: np, lax }, v) => v.mul(lax.erf(np.array([0.5, 0.5, 0.5, 0.5]))),
      },
      { inputs: [x, integers('i', [2], 3)], apply: (_, v, i) => v.slice(i) },
    ];
    await expectAgreement(trials, 64);
  });

  it('compile() of mixed element types gives what jax-js gives', async () => {
    const inputs = [draws('a', [4], 'float32'), draws('b', [4], 'float64'), integers('n', [4], 5)];
    const apply: Trial['apply'] = ({ numpy: np }, a, b, n) => [
      np.less(a.ref.astype(np.float64), b.ref),
      a.ref.mul(n.ref),
      b.ref.add(n.ref),
      np.where(np.less(n, 2), b, a.astype(np.float64)),
    ];
    await expectAgreement([{ inputs, apply }], 8);
  });
});
