import { expect } from 'vitest';
import { normal, randomKey } from '../../../tensor/random.ts';
import type { FloatDType, Tensor } from '../../../tensor/tensor.ts';
import { castFloat, tensor } from '../../../tensor/tensor.ts';
import { expectClose } from '../../agreement.fixture.ts';
import { sharedBackend } from '../../backend/start.ts';
import { compile } from '../../compile.ts';
import type { JaxArray, JaxLibrary } from '../../jax.ts';
import { loadJax } from '../../jax.ts';
import { OperatorCall } from '../call.ts';
import { onnxFunction } from '../function.ts';
import type { HostArray, OnnxAttribute, OnnxModel, OnnxNode } from '../model.ts';
import { bytesOf, graph, model, node } from '../model.fixture.ts';
import type { OnnxValue } from '../value.ts';
import { operatorRules } from './table.ts';

/** An operand that reaches the operator as integers or booleans although it is known at run time only: floats behind a Cast. */
export interface CastInput {
  readonly cast: 'int64' | 'bool';
  readonly tensor: Tensor<'float32'>;
}

/** One operator with arguments to try it on. */
export interface OperatorTrial {
  readonly operator: string;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Tensors are run-time arguments, host arrays are known while tracing; undefined is an optional operand left out. */
  readonly inputs: readonly (Tensor<'float32'> | HostArray | CastInput | undefined)[];
  /** Default 17. */
  readonly opset?: number;
  /** How many results are compared; default 1. */
  readonly outputs?: number;
  /** Bound on the difference from the runtime, in units of float32 eps times the largest magnitude (at least 1); default 8. */
  readonly roundings?: number;
  /** False where there is no derivative at the arguments; default true. */
  readonly differentiable?: boolean;
  /** Element type of the central differences; float32 for functions without a float64 kernel (erf, asin, atan). Default float64. */
  readonly differences?: FloatDType;
}

/** Attribute of one integer. */
export const int = (value: number): OnnxAttribute => ({ kind: 'int', value });
/** Attribute of one float. */
export const float = (value: number): OnnxAttribute => ({ kind: 'float', value });
/** Attribute of integers. */
export const ints = (...value: readonly number[]): OnnxAttribute => ({ kind: 'ints', value });
/** Attribute of text. */
export const text = (value: string): OnnxAttribute => ({ kind: 'string', value });
/** Known int64 list. */
export const list = (...data: readonly number[]): HostArray => known('int', [data.length], data);
/** Known array of any type. */
export const known = (type: HostArray['type'], shape: readonly number[], data: readonly number[]): HostArray => ({
  type,
  shape,
  data: Float64Array.from(data),
});
/** Normal draws as a run-time argument, as reproducible as their label. */
export const argument = (label: string, ...shape: readonly number[]): Tensor<'float32'> =>
  tensor('float32', shape, Float32Array.from(normal(randomKey(21, label), shape).data));
/** `x` with a function applied to every element. */
export const through = (x: Tensor<'float32'>, f: (v: number, i: number) => number): Tensor<'float32'> =>
  tensor('float32', x.shape, x.data.map(f));

interface Prepared {
  readonly model: OnnxModel;
  readonly outputs: readonly string[];
  /** Run-time arguments by name, in order. */
  readonly values: ReadonlyMap<string, Tensor<'float32'>>;
  readonly last: OnnxNode;
}

function prepare(trial: OperatorTrial): Prepared {
  const values = new Map<string, Tensor<'float32'>>();
  const constants: Record<string, HostArray> = {};
  const casts: OnnxNode[] = [];
  const names = trial.inputs.map((input, i) => {
    if (input === undefined) return '';
    if ('type' in input) constants[`c${i}`] = input;
    else values.set(`x${i}`, 'cast' in input ? input.tensor : input);
    if ('type' in input) return `c${i}`;
    if (!('cast' in input)) return `x${i}`;
    casts.push(node('Cast', [`x${i}`], [`t${i}`], { to: int(input.cast === 'bool' ? 9 : 7) }));
    return `t${i}`;
  });
  const outputs = Array.from({ length: trial.outputs ?? 1 }, (_, i) => `y${i}`);
  const last = node(trial.operator, names, outputs, trial.attributes);
  const inputs = [...values].map(([name, { shape }]) => ({ name, elementType: 'float32', shape }));
  const whole = graph({ inputs, outputs, nodes: [...casts, last], constants });
  return { model: model(whole, trial.opset), outputs, values, last };
}

/**
 * The imported operator gives what ONNX Runtime gives on the original, and its derivatives are those of its own values: the products of
 * Jacobian and transposed Jacobian, traced and run in float32, against central differences of the imported function in float64.
 */
export async function expectAgreesWithRuntime(trial: OperatorTrial): Promise<void> {
  const prepared = prepare(trial);
  const wanted = await byRuntime(prepared);
  const got = prepared.values.size === 0 ? await onHost(prepared) : await imported(prepared);
  wanted.forEach((w, i) => {
    const { shape, data } = got[i] as Tensor;
    const floats = tensor('float32', shape, Float32Array.from(data));
    expectClose(floats, w, trial.roundings ?? 8, `${trial.operator} result ${i}`);
  });
  if (prepared.values.size > 0 && trial.differentiable !== false)
    await expectDerivatives(prepared, trial.differences ?? 'float64');
}

/** What the rule alone gives for known operands, as doubles. */
export function knownResults(trial: OperatorTrial): Promise<Tensor[]> {
  return onHost(prepare(trial));
}

/** The original in ONNX Runtime; results of every type come back as float32. */
async function byRuntime({ model: original, outputs, values }: Prepared): Promise<Tensor<'float32'>[]> {
  const names = outputs.map((name) => `${name} as float`);
  const casts = outputs.map((name, i) => node('Cast', [name], [names[i] as string], { to: int(1) }));
  const whole = {
    ...original,
    ...graph({ ...original, outputs: names, nodes: [...original.nodes, ...casts], ...maps(original) }),
  };
  const io = { inputs: [...values.keys()], outputs: names };
  await using session = await (await sharedBackend()).createSession(bytesOf(whole), io, { threads: 1 });
  return (await session.run([...values.values()])) as Tensor<'float32'>[];
}

function maps(original: OnnxModel): { constants: Record<string, HostArray>; weights: Record<string, never> } {
  return { constants: Object.fromEntries(original.constants), weights: {} };
}

/** The rule alone, where every operand is known. */
async function onHost({ model: original, last }: Prepared): Promise<Tensor[]> {
  const jax = await loadJax();
  const inputs = last.inputs.map((name): OnnxValue | undefined => {
    const constant = original.constants.get(name);
    return constant === undefined ? undefined : { kind: 'host', ...constant };
  });
  const call = new OperatorCall(last, inputs, { opset: original.opset, jax, dtype: 'float32' });
  const rule = operatorRules[last.operator] ?? call.fail('has no rule.');
  const results = rule(call);
  return ('kind' in results ? [results] : results).map((value) => {
    expect(value.kind, 'known operands give known results').toBe('host');
    return value.kind === 'host' ? tensor('float64', value.shape, value.data) : call.fail('gave a traced value.');
  });
}

type Applied = (...arrays: JaxArray[]) => JaxArray[];

function applied({ model: original, outputs, values }: Prepared, jax: JaxLibrary, dtype: FloatDType): Applied {
  const fn = onnxFunction(original, { dtype });
  const names = [...values.keys()];
  return (...arrays) => fn.apply(jax, [], Object.fromEntries(names.map((n, i) => [n, arrays[i] as JaxArray])), outputs);
}

async function imported(prepared: Prepared): Promise<Tensor[]> {
  const fn = applied(prepared, await loadJax(), 'float32');
  const arrays = [...prepared.values.values()];
  const specs = arrays.map(({ shape }) => ({ shape }));
  await using executable = await compile(fn, specs, { threads: 1 });
  return await executable.run(...arrays);
}

/** <u, J v> and <J^T u, v> for blocks of two, v and 2 v, compiled in float32, against a central difference of <u, f> along v. */
async function expectDerivatives(prepared: Prepared, dtype: FloatDType): Promise<void> {
  const jax = await loadJax();
  const arrays = [...prepared.values.values()];
  // An operand behind a Cast stays where it is: it is an integer, at which the Cast jumps.
  const directions = [...prepared.values].map(([name, x], i) =>
    prepared.last.inputs.includes(name) ? argument(`direction ${i}`, ...x.shape) : through(x, () => 0),
  );
  const count = arrays.length;
  const products = (...all: JaxArray[]): JaxArray[] => {
    const { numpy: np } = jax;
    const [xs, vs] = [all.slice(0, count), all.slice(count)];
    const fn = scalarised(prepared, jax, 'float32');
    const forward = (...tangents: JaxArray[]): JaxArray => {
      const points = xs.map((x) => x.ref);
      const [value, tangent] = jax.jvp<typeof fn>(fn, points, tangents);
      value.dispose();
      return tangent;
    };
    const jv = jax.vmap(forward)(...vs.map((v) => np.stack([v.ref, v.ref.mul(2)])));
    const [value, pull] = jax.vjp<typeof fn>(fn, xs);
    value.dispose();
    const gradients = jax.vmap((u: JaxArray) => pull(u))(np.array(Float32Array.of(1, 2)));
    const parts = gradients.map((g, i) => g.mul(vs[i] as JaxArray).reshape([2, -1]).sum(1)); // prettier-ignore
    return [jv, parts.reduce((sum, part) => sum.add(part))];
  };
  const specs = [...arrays, ...directions].map(({ shape }) => ({ shape }));
  await using executable = await compile(products, specs, { threads: 1 });
  const [forward, reverse] = await executable.run(...arrays, ...directions);
  const { difference, scale } = await centralDifference(jax, prepared, arrays, directions, dtype);
  // float32 rounds each of the terms of a sum whose absolute size is `scale`; 2^-17 leaves 64 roundings a term. Differences in float32
  // add h^2 and eps / h, both near 2^-14, times third derivatives and terms: another factor of 8.
  const tolerance = (dtype === 'float64' ? 2 ** -17 : 2 ** -11) * Math.max(scale, 1);
  for (const [label, product] of [
    ['J v', forward],
    ['J^T u', reverse],
  ] as const) {
    const [one, two] = (product as Tensor).data as Float32Array as unknown as [number, number];
    expect(Math.abs(one - difference), label).toBeLessThan(tolerance);
    expect(Math.abs(two - 2 * difference), `${label}, second of the block`).toBeLessThan(2 * tolerance);
  }
}

/** <u, f> for fixed draws u. */
function scalarised(prepared: Prepared, jax: JaxLibrary, dtype: FloatDType): (...xs: JaxArray[]) => JaxArray {
  const fn = applied(prepared, jax, dtype);
  return (...xs) => {
    const results = fn(...xs);
    const terms = results.map((y, i) => {
      const u = castFloat(argument(`weights ${i}`, ...y.shape), dtype);
      const options = { shape: [...y.shape], dtype: dtype === 'float32' ? jax.numpy.float32 : jax.numpy.float64 };
      return y.mul(jax.numpy.array(u.data as Float32Array<ArrayBuffer>, options)).sum();
    });
    return terms.reduce((sum, term) => sum.add(term));
  };
}

/** By the runtime, since jax-js's own kernels evaluate float64 transcendental functions to float32 precision. */
async function centralDifference(
  jax: JaxLibrary,
  prepared: Prepared,
  arrays: readonly Tensor<'float32'>[],
  directions: readonly Tensor<'float32'>[],
  dtype: FloatDType,
): Promise<{ difference: number; scale: number }> {
  // eps^(1/3): truncation h^2 and rounding eps / h are then of one size.
  const h = dtype === 'float64' ? 2 ** -17 : 2 ** -7;
  const fn = scalarised(prepared, jax, dtype);
  const specs = arrays.map(({ shape }) => ({ shape, dtype }));
  await using executable = await compile(fn, specs, { threads: 1 });
  const at = async (step: number): Promise<number> => {
    const moved = arrays.map(({ shape, data }, i) => {
      const v = (directions[i] as Tensor<'float32'>).data;
      const values = Float64Array.from(data, (x, k) => x + step * (v[k] as number));
      return castFloat(tensor('float64', shape, values), dtype);
    });
    const [value] = await executable.run(...moved);
    return (value as Tensor).data[0] as number;
  };
  const difference = ((await at(h)) - (await at(-h))) / (2 * h);
  return { difference, scale: Math.max(Math.abs(difference), Math.abs(await at(0))) };
}
