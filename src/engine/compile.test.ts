import { describe, expect, it } from 'vitest';
import type { FloatDType, Tensor } from '../tensor/tensor.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Jax, Trial } from './agreement.fixture.ts';
import { compiled, draws, eagerly, expectAgreement, expectClose, mapped } from './agreement.fixture.ts';
import { sharedBackend } from './backend/start.ts';
import { compile } from './compile.ts';
import type { JaxArray } from './jax.ts';
import { loadJax } from './jax.ts';

/** A small network with every kind of layer: convolution, group normalization, SiLU, attention over positions. */
function network({ numpy: np, lax, nn }: Jax, x: JaxArray, w: JaxArray, v: JaxArray): JaxArray {
  const [batch, , h, width] = x.shape as [number, number, number, number];
  const convolved = lax.conv(x, w, [1, 1], 'SAME');
  const grouped = convolved.reshape([batch, 2, 2 * h * width]);
  const centred = grouped.ref.sub(np.mean(grouped, -1, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
  const normalized = centred.div(np.sqrt(variance.add(1e-5))).reshape([batch, 4, h * width]);
  const active = nn.silu(normalized);
  const keys = np.einsum('oc,bcp->bop', v, active.ref);
  const scores = nn.softmax(np.einsum('bop,boq->bpq', keys.ref, active).mul(0.5), -1);
  return np.einsum('bpq,boq->bop', scores, keys);
}

const networkInputs = (dtype: FloatDType): Tensor<FloatDType>[] => [
  draws('x', [2, 3, 4, 4], dtype),
  mapped(draws('w', [4, 3, 3, 3], dtype), (z) => 0.3 * z),
  mapped(draws('v', [4, 4], dtype), (z) => 0.5 * z),
];

/** The network's derivatives; each takes the three operands and, where it needs one, a tangent or cotangent. */
const derivatives: Record<string, { extra: number[] | undefined; apply: Trial['apply'] }> = {
  jvp: {
    extra: [2, 3, 4, 4],
    apply: (jax, x, w, v, t) => jax.jvp((u: JaxArray) => network(jax, u, w, v), [x], [t]),
  },
  'a block of jvps': {
    extra: [3, 2, 3, 4, 4],
    apply: (jax, x, w, v, block) =>
      jax.vmap((t: JaxArray) => {
        const f = (u: JaxArray): JaxArray => network(jax, u, w.ref, v.ref);
        return jax.jvp(f, [x.ref], [t])[1];
      })(block),
  },
  vjp: {
    extra: [2, 4, 16],
    apply: (jax, x, w, v, ct) => {
      const f = (u: JaxArray): JaxArray => network(jax, u, w, v);
      const [y, pullback] = jax.vjp(f, [x]);
      return [y, pullback(ct)[0]];
    },
  },
  grad: {
    extra: undefined,
    apply: (jax, x, w, v) => {
      const loss = (...p: JaxArray[]): JaxArray =>
        jax.numpy.sum(jax.numpy.square(network(jax, ...(p as [JaxArray, JaxArray, JaxArray]))));
      return jax.grad(loss, { argnums: [0, 1, 2] })(x, w, v);
    },
  },
};

const trialOf = (name: string): Trial => {
  const { extra, apply } = derivatives[name] as { extra: number[] | undefined; apply: Trial['apply'] };
  const inputs = networkInputs('float32');
  return { inputs: extra === undefined ? inputs : [...inputs, draws('t', extra, 'float32')], apply };
};

describe('compile()', () => {
  it('compile() of a network gives what jax-js gives', async () => {
    const trial: Trial = {
      inputs: networkInputs('float32'),
      apply: (jax, ...p) => network(jax, ...(p as [JaxArray, JaxArray, JaxArray])),
    };
    // About 30 operations in a row, normalization and softmax among them.
    await expectAgreement([trial], 64);
  });

  it.each(Object.keys(derivatives))('compile() of %s of a network gives what jax-js gives', async (name) => {
    await expectAgreement([trialOf(name)], 512);
  });

  it('compile() of a jvp in float64 gives the quotient of differences', async () => {
    const inputs = networkInputs('float64');
    const t = draws('t', [2, 3, 4, 4], 'float64');
    const x = inputs[0] as Tensor<'float64'>;
    const f: Trial['apply'] = (jax, ...p) => network(jax, ...(p as [JaxArray, JaxArray, JaxArray]));
    const at = async (h: number): Promise<Tensor> => {
      const moved = mapped(x, (v, i) => v + h * (t.data[i] as number));
      return (await compiled({ inputs: [moved, ...inputs.slice(1)], apply: f }))[0] as Tensor;
    };
    const h = 1e-5;
    const [ahead, behind] = [await at(h), await at(-h)];
    const { apply } = derivatives['jvp'] as { apply: Trial['apply'] };
    const tangent = (await compiled({ inputs: [...inputs, t], apply }))[1] as Tensor<'float64'>;
    const scale = tangent.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    tangent.data.forEach((v, i) => {
      const quotient = ((ahead.data[i] as number) - (behind.data[i] as number)) / (2 * h);
      // Truncation h^2 and rounding eps / h are both about 1e-10.
      expect(Math.abs(v - quotient)).toBeLessThan(1e-8 * scale);
    });
  });

  it('compile() with weights as constants gives what weights as arguments give', async () => {
    const trial = trialOf('vjp');
    const jax = await loadJax();
    const wanted = await compiled(trial);
    const specs = trial.inputs.map((x, i) => ({
      shape: x.shape,
      dtype: 'float32' as const,
      ...(i === 1 || i === 2 ? { value: x } : {}),
    }));
    await using executable = await compile((...p) => trial.apply(jax, ...p), specs);
    const got = await executable.run(trial.inputs[0] as Tensor, trial.inputs[3] as Tensor);
    wanted.forEach((w, i) => expectClose(got[i] as Tensor, w, 64, `result ${i}`));
    expect(executable.model.inputs.map((a) => a.index)).toEqual([0, 3]);
  });

  it('compile() keeps the order of arguments where one of them is not used', async () => {
    const { numpy: np } = await loadJax();
    await using executable = await compile(
      (a, b, c) => {
        b?.dispose();
        return np.subtract(c, a);
      },
      [{ shape: [2] }, { shape: [5] }, { shape: [2] }],
    );
    const [y] = await executable.run(vector(1, 2), vector(0, 0, 0, 0, 0), vector(10, 20));
    expect([...(y as Tensor).data]).toEqual([9, 18]);
  });

  it('compile() returns arguments, constants and equal results as they are', async () => {
    const { numpy: np } = await loadJax();
    await using executable = await compile(
      (a) => [a, np.zeros([2, 3]), np.array([1, 2]), a.ref, np.array(7)],
      [{ shape: [2] }],
    );
    const results = await executable.run(vector(3, 4));
    expect(results.map((r) => [...r.data])).toEqual([[3, 4], [0, 0, 0, 0, 0, 0], [1, 2], [3, 4], [7]]);
    expect(results.map((r) => [...r.shape])).toEqual([[2], [2, 3], [2], [2], []]);
  });
});

/** A float32 vector. */
const vector = (...values: number[]): Tensor<'float32'> =>
  tensor('float32', [values.length], Float32Array.from(values));

describe('compile() refuses', () => {
  it('compile() names the primitive, the shapes and the place of what has no ONNX form', async () => {
    const jax = await loadJax();
    const factor = compile((x) => jax.lax.linalg.cholesky(x.mul(2)), [{ shape: [3, 3] }]);
    await expect(factor).rejects.toThrow(/no ONNX form for cholesky\(float32\[3, 3\]\) at equation 2\b/);
    await expect(factor).rejects.toMatchObject({
      code: 'E_LOWERING',
      details: { primitive: 'cholesky', shapes: [[3, 3]] },
    });
  });

  it('compile() names the jitted function around what has no ONNX form', async () => {
    const jax = await loadJax();
    const inner = jax.jit(function whiten(x: JaxArray) {
      return jax.lax.linalg.cholesky(x);
    });
    await expect(compile((x) => inner(x), [{ shape: [2, 2] }])).rejects.toThrow(/equation 1 \(whiten\) > equation 1/);
  });
});

describe('Executable', () => {
  const twice = (x: JaxArray | undefined): JaxArray => (x as JaxArray).mul(2);

  it('run() checks arity, shape and dtype before it runs', async () => {
    await using executable = await compile(twice, [{ shape: [2] }]);
    const doubles = tensor('float64', [2], Float64Array.of(1, 2));
    await expect(executable.run()).rejects.toMatchObject({ code: 'E_SHAPE' });
    await expect(executable.run(vector(1, 2), vector(1, 2))).rejects.toThrow(/expected 1 arguments, got 2/);
    await expect(executable.run(vector(1, 2, 3))).rejects.toThrow(/expected \[2\] for argument in0, got \[3\]/);
    await expect(executable.run(doubles)).rejects.toMatchObject({ code: 'E_DTYPE' });
    await expect(executable.run(doubles)).rejects.toThrow(/expected float32 for argument in0, got float64/);
  });

  it('run() does not consume its arguments and gives fresh results', async () => {
    await using executable = await compile(twice, [{ shape: [2] }]);
    const x = vector(1, 2);
    const [first] = await executable.run(x);
    const [second] = await executable.run(vector(5, 6));
    expect([...x.data]).toEqual([1, 2]);
    expect([...(first as Tensor).data]).toEqual([2, 4]);
    expect([...(second as Tensor).data]).toEqual([10, 12]);
  });

  it('run() takes a view into a larger buffer', async () => {
    await using executable = await compile(twice, [{ shape: [2] }]);
    const [y] = await executable.run(tensor('float32', [2], Float32Array.of(0, 1, 2, 3).subarray(1, 3)));
    expect([...(y as Tensor).data]).toEqual([2, 4]);
  });

  it('run() after disposal is a DisposedError, and disposing twice is harmless', async () => {
    const executable = await compile(twice, [{ shape: [2] }]);
    await executable[Symbol.asyncDispose]();
    await executable[Symbol.asyncDispose]();
    await expect(executable.run(vector(1, 2))).rejects.toMatchObject({ code: 'E_DISPOSED' });
  });

  it('run() that began before disposal still gives its result', async () => {
    const executable = await compile(twice, [{ shape: [2] }]);
    const running = executable.run(vector(1, 2));
    const [[y]] = await Promise.all([running, executable[Symbol.asyncDispose]()]);
    expect([...(y as Tensor).data]).toEqual([2, 4]);
  });

  it('run() leaves the event loop free', async () => {
    const { numpy: np } = await loadJax();
    const size = 256;
    const powers = (x: JaxArray | undefined): JaxArray => {
      let y = x as JaxArray;
      for (let i = 0; i < 60; i++) y = np.tanh(np.matmul(y.ref, y));
      return y;
    };
    await using executable = await compile(powers, [{ shape: [size, size] }], { threads: 1 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 2);
    const began = performance.now();
    await executable.run(draws('x', [size, size], 'float32'));
    const elapsedMs = performance.now() - began;
    clearInterval(timer);
    // A blocked loop would tick not at all; a loaded machine may lose most of the ticks.
    expect(elapsedMs).toBeGreaterThan(20);
    expect(ticks).toBeGreaterThan(elapsedMs / 40);
  });

  it('createSession() of a broken model is a BackendError', async () => {
    const broken = (await sharedBackend()).createSession(Uint8Array.of(1, 2, 3), { inputs: [], outputs: [] });
    await expect(broken).rejects.toMatchObject({ code: 'E_BACKEND', name: 'BackendError' });
  });

  it('run() computes with integers as jax-js does', async () => {
    const jax = await loadJax();
    const trial: Trial = {
      inputs: [tensor('int32', [4], Int32Array.of(-7, 7, 3, 0)), tensor('int32', [], Int32Array.of(3))],
      apply: ({ numpy: np }, a, b) => [
        a.ref.mul(b.ref),
        a.ref.mod(b.ref),
        np.maximum(a.ref, b),
        np.sum(a.ref),
        a.neg(),
      ],
    };
    const wanted = eagerly(jax, trial);
    const got = await compiled(trial);
    wanted.forEach((w, i) => expectClose(got[i] as Tensor, w, 0, `result ${i}`));
  });
});
