import type { JaxArray, JaxLibrary } from '../src/engine/jax.ts';
import type { Backend } from '../src/engine/backend/session.ts';
import { startBackend } from '../src/engine/backend/start.ts';
import { compile } from '../src/engine/compile.ts';
import { loadJax } from '../src/engine/jax.ts';
import type { ArgumentSpec } from '../src/engine/trace.ts';
import { eigh } from '../src/linalg/eigh.ts';
import { singularValues } from '../src/linalg/svd.ts';
import { createGradientStep } from '../src/training/gradient.ts';
import { slice } from '../src/tensor/tensor.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import type { BenchArrays } from './arrays.ts';

/** Does an operation once. @returns the arrays whose norm both sides compare */
export type Run = () => Promise<readonly { readonly data: ArrayLike<number> }[]>;

/** One thing that is timed; its name is what the peer calls it. */
export interface Operation {
  readonly name: string;
  /** Compiles what it needs, which is not timed. */
  prepare(): Promise<Run>;
}

/** Single-threaded workers that share the work: what the denoisers and the training of this project do on two cores. */
const lanes = 2;

/** Our side, in the order of the table. */
export function operations(arrays: BenchArrays): Operation[] {
  const { network, weights, x, features, v, point, noise, block, symmetric, square } = arrays;
  const graphs: [string, GraphKind, GraphInputs][] = [
    ['forward', 'forward', { shared: [], cut: [x, features] }],
    ['JVP', 'jvp', { shared: [], cut: [x, features, v] }],
    ['VJP to x', 'vjp', { shared: [], cut: [x, features, v] }],
    ['16 tangents at one point', 'block', { shared: [point, noise], cut: [block] }],
  ];
  return [
    ...graphs.map(([name, kind, inputs]) => ({ name, prepare: () => onLanes(arrays, kind, inputs) })),
    {
      name: 'gradient of all weights',
      prepare: async () => {
        const step = await createGradientStep(network, x.shape[0] as number, lanes);
        return async () =>
          (await step.run(weights, { input: x, features, target: v })).weights.map((data) => ({ data }));
      },
    },
    { name: 'eigh 784', prepare: async () => async () => [{ data: eigh(symmetric).values }] },
    { name: 'singular values 784', prepare: async () => async () => [{ data: singularValues(square) }] },
  ];
}

/** Arguments of a graph after the weights: those that every lane takes, and those of which each takes its part. */
interface GraphInputs {
  readonly shared: readonly Tensor<'float32'>[];
  readonly cut: readonly Tensor<'float32'>[];
}

async function onLanes(arrays: BenchArrays, kind: GraphKind, { shared, cut }: GraphInputs): Promise<Run> {
  const parts = Array.from({ length: lanes }, (_, lane) => [
    ...shared,
    ...cut.map((t) => {
      const size = (t.shape[0] as number) / lanes;
      return slice(t, lane * size, (lane + 1) * size);
    }),
  ]);
  const runs = await Promise.all(parts.map(async (part) => graphOn(await startBackend(), arrays, kind, part)));
  return async () => (await Promise.all(runs.map((run) => run()))).flat();
}

/** Compiles the network's forward pass or a derivative with its weights as constants, single-threaded. */
export async function graphOn(
  backend: Backend,
  { network, weights }: BenchArrays,
  kind: GraphKind,
  inputs: readonly Tensor<'float32'>[],
): Promise<Run> {
  const jax = await loadJax();
  const count = weights.length;
  const specs = [
    ...weights.map((value): ArgumentSpec => ({ shape: value.shape, value })),
    ...inputs.map(({ shape }, i): ArgumentSpec => ({ shape, linear: i === 2 })),
  ];
  const traced = (...all: JaxArray[]): JaxArray => {
    const p = Object.fromEntries(network.parameters.map(({ name }, i) => [name, all[i] as JaxArray]));
    const [x, features, t] = all.slice(count) as [JaxArray, JaxArray, JaxArray];
    return kinds[kind](jax, (sample) => network.apply(jax, p, sample, features.ref), x, t);
  };
  const executable = await compile(traced, specs, { backend, threads: 1 });
  return () => executable.run(...inputs);
}

type GraphKind = 'forward' | 'jvp' | 'vjp' | 'block';

type Traced = (jax: JaxLibrary, network: (x: JaxArray) => JaxArray, x: JaxArray, t: JaxArray) => JaxArray;

const tangent: Traced = (jax, network, x, t) => {
  const [y, dy] = jax.jvp(network, [x.ref], [t]);
  y.dispose();
  return dy;
};

const kinds: Record<GraphKind, Traced> = {
  forward: (_, network, x) => network(x.ref),
  jvp: tangent,
  vjp: (jax, network, x, u) => {
    const [y, pull] = jax.vjp(network, [x.ref]);
    y.dispose();
    return (pull as (u: JaxArray) => [JaxArray])(u.ref)[0];
  },
  block: (jax, network, x, block) => jax.vmap((t: JaxArray) => tangent(jax, network, x, t))(block.ref),
};
