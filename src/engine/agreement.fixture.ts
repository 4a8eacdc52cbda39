import type { Jaxpr } from '@jax-js/jax';
import { expect } from 'vitest';
import { normal, randomKey } from '../tensor/random.ts';
import type { FloatDType, Tensor } from '../tensor/tensor.ts';
import { sizeOf, tensor } from '../tensor/tensor.ts';
import { compile } from './compile.ts';
import { loadJax } from './jax.ts';
import type { JaxArray } from './jax.ts';
import type { Traceable } from './trace.ts';

/** jax-js as a module. */
export type Jax = Awaited<ReturnType<typeof loadJax>>;

/** A function of arrays with the arguments to try it on. */
export interface Trial {
  readonly inputs: readonly Tensor[];
  readonly apply: (jax: Jax, ...inputs: JaxArray[]) => JaxArray | JaxArray[];
}

/** Distance of 1 to the next number. */
export const epsilons: Record<FloatDType, number> = { float32: 2 ** -23, float64: 2 ** -52 };

/** Normal draws, as reproducible as their label. */
export function draws(label: string, shape: readonly number[], dtype: FloatDType): Tensor<FloatDType> {
  const z = normal(randomKey(11, label), [...shape]).data;
  return dtype === 'float64' ? tensor('float64', shape, z) : tensor('float32', shape, Float32Array.from(z));
}

/** `x` with a function applied to every element. */
export function mapped(x: Tensor<FloatDType>, f: (v: number, i: number) => number): Tensor<FloatDType> {
  return x.dtype === 'float64'
    ? tensor('float64', x.shape, (x.data as Float64Array).map(f))
    : tensor('float32', x.shape, (x.data as Float32Array).map(f));
}

/** Integers below `bound`. */
export function integers(label: string, shape: readonly number[], bound: number): Tensor<'int32'> {
  const z = normal(randomKey(12, label), [...shape]).data;
  return tensor(
    'int32',
    shape,
    Int32Array.from(z, (v) => Math.floor(Math.abs(v) * 1000) % bound),
  );
}

/** Names of the primitives that a function's trace holds, inner `jit` calls included. */
export function primitivesOf(jax: Jax, trial: Trial): Set<string> {
  const { jaxpr: closed } = jax.makeJaxpr(asList(jax, trial))(...toJax(jax, trial.inputs));
  const found = new Set<string>();
  const visit = (jaxpr: Jaxpr): void => {
    for (const equation of jaxpr.eqns) {
      found.add(equation.primitive);
      if (equation.params.jaxpr !== undefined) visit(equation.params.jaxpr as Jaxpr);
    }
  };
  visit(closed.jaxpr);
  closed.dispose();
  return found;
}

const asList =
  (jax: Jax, trial: Trial): ((...inputs: JaxArray[]) => JaxArray[]) =>
  (...inputs) => {
    const result = trial.apply(jax, ...inputs);
    return Array.isArray(result) ? result : [result];
  };

function toJax({ numpy: np }: Jax, inputs: readonly Tensor[]): JaxArray[] {
  const types = { float32: np.float32, float64: np.float64, int32: np.int32 };
  return inputs.map((x) => {
    const dtype = types[x.dtype as FloatDType | 'int32'];
    return np.array(x.data as Float32Array<ArrayBuffer>, { dtype }).reshape([...x.shape]);
  });
}

/** Several trials as one function, so that one compilation serves them all. */
function together(trials: readonly Trial[]): Trial {
  return {
    inputs: trials.flatMap((t) => [...t.inputs]),
    apply: (jax, ...inputs) => {
      let next = 0;
      return trials.flatMap((t) => t.apply(jax, ...inputs.slice(next, (next += t.inputs.length))));
    },
  };
}

/** Results of a trial by jax-js's own kernels. */
export function eagerly(jax: Jax, trial: Trial): Tensor[] {
  return asList(
    jax,
    trial,
  )(...toJax(jax, trial.inputs)).map((r) => {
    const { shape, dtype } = r;
    return { shape, dtype, data: r.dataSync() } as Tensor;
  });
}

/** Results of a trial compiled and run by ONNX Runtime; the inputs are arguments, or constants of the graph. */
export async function compiled(trial: Trial, asConstants: boolean = false): Promise<Tensor[]> {
  const jax = await loadJax();
  const fn: Traceable = (...inputs) => trial.apply(jax, ...inputs);
  const specs = trial.inputs.map((x) => ({
    shape: x.shape,
    dtype: x.dtype as FloatDType | 'int32',
    ...(asConstants ? { value: x } : {}),
  }));
  await using executable = await compile(fn, specs, { threads: 1 });
  return await executable.run(...(asConstants ? [] : trial.inputs));
}

/**
 * Compiled results equal eager ones in shape, element type and value.
 * @param roundings  bound on the difference in units of eps times the largest magnitude of a result (at least 1)
 */
export async function expectAgreement(trials: readonly Trial[], roundings: number): Promise<void> {
  const jax = await loadJax();
  const trial = together(trials);
  const wanted = eagerly(jax, trial);
  const got = await compiled(trial);
  expect(got.length).toBe(wanted.length);
  wanted.forEach((w, i) => expectClose(got[i] as Tensor, w, roundings, `result ${i}`));
}

/** Equal shape and type, values within `roundings` x eps x the largest magnitude; infinities must be the same. */
export function expectClose(got: Tensor, wanted: Tensor, roundings: number, label: string): void {
  expect({ shape: [...got.shape], dtype: got.dtype }, label).toEqual({ shape: [...wanted.shape], dtype: wanted.dtype });
  expect(got.data.length, label).toBe(sizeOf(wanted.shape));
  const values = Float64Array.from(wanted.data);
  const scale = values.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 1);
  const isFloat = wanted.dtype === 'float32' || wanted.dtype === 'float64';
  const tolerance = isFloat ? roundings * epsilons[wanted.dtype] * scale : 0;
  const bad = values.findIndex((v, i) => {
    const u = Number(got.data[i]);
    return !(Object.is(u, v) || u === v || Math.abs(u - v) <= tolerance);
  });
  expect(bad < 0 ? 'equal' : `${label}[${bad}]: got ${got.data[bad]}, wanted ${values[bad]}`).toBe('equal');
}
