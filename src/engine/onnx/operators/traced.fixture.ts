import { tensor } from '../../../tensor/tensor.ts';
import type { FloatTensor } from '../../../tensor/tensor.ts';
import { compile } from '../../compile.ts';
import type { GraphNode } from '../../graph.ts';
import { nodesOf } from '../../graph.fixture.ts';
import type { JaxArray, JaxLibrary } from '../../jax.ts';
import { loadJax } from '../../jax.ts';
import { onnxFunction } from '../function.ts';
import { graph, model, node } from '../model.fixture.ts';
import type { OperatorTrial } from './agreement.fixture.ts';

type Applied = (jax: JaxLibrary, ...arrays: JaxArray[]) => JaxArray;

/** The first result of an operator as a function of its tensor operands. */
export function functionOf(trial: OperatorTrial, dtype: 'float32' | 'float64' = 'float32'): Applied {
  const names = trial.inputs.map((_, i) => `x${i}`);
  const constants = trial.inputs.flatMap((input, i) =>
    input !== undefined && 'type' in input ? [[`x${i}`, input] as const] : [],
  );
  const inputs = trial.inputs.flatMap((input, i) =>
    input !== undefined && 'dtype' in input ? [{ name: `x${i}`, elementType: 'float32', shape: input.shape }] : [],
  );
  const operands = trial.inputs.map((input, i) => (input === undefined ? '' : (names[i] as string)));
  const nodes = [node(trial.operator, operands, ['y'], trial.attributes)];
  const whole = graph({ inputs, outputs: ['y'], nodes, constants: Object.fromEntries(constants) });
  const fn = onnxFunction(model(whole, trial.opset), { dtype });
  return (jax, ...arrays) => {
    const values = Object.fromEntries(inputs.map(({ name }, i) => [name, arrays[i] as JaxArray]));
    return fn.apply(jax, [], values, ['y'])[0] as JaxArray;
  };
}

/** Operand, Jacobian and transposed Jacobian product of an operator as graphs; operands but the first are built in, as weights are. */
export async function graphsOf(trial: OperatorTrial): Promise<Record<'forward' | 'jvp' | 'vjp', GraphNode[]>> {
  const fn = functionOf(trial);
  const tensors = trial.inputs.filter((x): x is FloatTensor & { dtype: 'float32' } => x !== undefined && 'dtype' in x);
  const [first, ...rest] = tensors.map((value, i) =>
    i === 0 ? { shape: value.shape } : { shape: value.shape, value },
  );
  const x = first as { shape: readonly number[] };
  const forward = await nodesOf([x, ...rest], fn);
  const shape = (forward.at(-1) as GraphNode).shape;
  const jvp = await nodesOf([x, { ...x, linear: true }, ...rest], (jax, at, v, ...ws) => {
    const [, tangent] = jax.jvp((y: JaxArray) => fn(jax, y, ...ws), [at], [v]);
    return tangent;
  });
  const vjp = await nodesOf([x, { shape, linear: true }, ...rest], (jax, at, u, ...ws) => {
    const [, pullback] = jax.vjp((y: JaxArray) => fn(jax, y, ...ws), [at]);
    return (pullback(u) as JaxArray[])[0] as JaxArray;
  });
  return { forward, jvp, vjp };
}

/** Values and slopes of a function of one number, in float32, at each element of `xs`. */
export async function slopesOf(
  trial: Omit<OperatorTrial, 'inputs'>,
  xs: readonly number[],
): Promise<[number[], number[], number[]]> {
  const jax = await loadJax();
  const x = tensor('float32', [xs.length], Float32Array.from(xs));
  const fn = functionOf({ ...trial, inputs: [x] });
  const all = (at: JaxArray, ones: JaxArray): JaxArray[] => {
    const [value, tangent] = jax.jvp((y: JaxArray) => fn(jax, y), [at.ref], [ones.ref]);
    const [, pullback] = jax.vjp((y: JaxArray) => fn(jax, y), [at]);
    return [value, tangent, pullback(ones)[0]];
  };
  await using executable = await compile(all, [{ shape: x.shape }, { shape: x.shape }], { threads: 1 });
  const results = await executable.run(x, tensor('float32', [xs.length], new Float32Array(xs.length).fill(1)));
  const [values = [], forward = [], reverse = []] = results.map(({ data }) => Array.from(data, Number));
  return [values, forward, reverse];
}
