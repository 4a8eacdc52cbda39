import type { JaxArray, JaxLibrary } from '../src/denoisers/network/network.ts';
import { compile } from '../src/engine/compile.ts';
import { loadJax } from '../src/engine/jax.ts';
import type { ArgumentSpec, Traceable } from '../src/engine/trace.ts';
import { eigh } from '../src/linalg/eigh.ts';
import { singularValues } from '../src/linalg/svd.ts';
import { compileGradient } from '../src/training/gradient.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import type { BenchArrays } from './arrays.ts';

/** One thing that is timed; its name is what the peer calls it. */
export interface Operation {
  readonly name: string;
  /** Does it once. @returns the arrays whose norm both sides compare */
  run(): Promise<readonly { readonly data: ArrayLike<number> }[]>;
}

const threads = 2;

/** Our side: graphs compiled with two threads, then our own linear algebra. */
export async function operations(arrays: BenchArrays): Promise<Operation[]> {
  const { symmetric, square } = arrays;
  return [
    ...(await networkOperations(await loadJax(), arrays)),
    { name: 'eigh 784', run: async () => [{ data: eigh(symmetric).values }] },
    { name: 'singular values 784', run: async () => [{ data: singularValues(square) }] },
  ];
}

async function networkOperations(jax: JaxLibrary, arrays: BenchArrays): Promise<Operation[]> {
  const { network, weights, x, features, v, point, noise, block } = arrays;
  const count = weights.length;
  const constants = weights.map((value): ArgumentSpec => ({ shape: value.shape, value }));
  /** The network at traced arguments (weights, x, features) as a function of x. */
  const at = (inputs: JaxArray[]): ((x: JaxArray) => JaxArray) => {
    const p = Object.fromEntries(network.parameters.map(({ name }, i) => [name, inputs[i] as JaxArray]));
    return (sample) => network.apply(jax, p, sample, (inputs[count + 1] as JaxArray).ref);
  };
  const argument = (inputs: JaxArray[], i: number): JaxArray => inputs[count + i] as JaxArray;
  const graph = async (name: string, fn: Traceable, inputs: Tensor[], linear: boolean = true): Promise<Operation> => {
    const specs = inputs.map(({ shape }, i): ArgumentSpec => ({ shape, linear: linear && i === 2 }));
    const executable = await compile(fn, [...constants, ...specs], { threads });
    return { name, run: () => executable.run(...inputs) };
  };
  const tangent = (inputs: JaxArray[], t: JaxArray): JaxArray => {
    const [y, dy] = jax.jvp(at(inputs), [argument(inputs, 0).ref], [t]);
    y.dispose();
    return dy;
  };
  const cotangent = (inputs: JaxArray[]): JaxArray => {
    const [y, pull] = jax.vjp(at(inputs), [argument(inputs, 0)]);
    y.dispose();
    const [gradient] = (pull as (u: JaxArray) => [JaxArray])(argument(inputs, 2));
    return gradient;
  };
  const gradient = await compileGradient(network, x.shape[0] as number, { threads });
  return [
    await graph('forward', (...inputs) => at(inputs)(argument(inputs, 0)), [x, features], false),
    await graph('JVP', (...inputs) => tangent(inputs, argument(inputs, 2)), [x, features, v]),
    await graph('VJP to x', (...inputs) => cotangent(inputs), [x, features, v]),
    {
      name: 'gradient of all weights',
      // The first result is the loss.
      run: async () => (await gradient.run(...weights, x, features, v)).slice(1),
    },
    await graph(
      '16 tangents at one point',
      (...inputs) => jax.vmap((t: JaxArray) => tangent(inputs, t))(argument(inputs, 2)),
      [point, noise, block],
    ),
  ];
}
