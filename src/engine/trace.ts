import type { Array as JaxArray } from '@jax-js/jax';
import type { FloatDType, Tensor } from '../tensor/tensor.ts';
import { GraphBuilder } from './builder.ts';
import type { GraphNode } from './graph.ts';
import { loadJax } from './jax.ts';
import { readJaxpr, toGraphDType } from './read/jaxpr.ts';

/** A function of jax-js arrays that can be traced; it consumes its arguments as jax-js functions do. */
export type Traceable = (...inputs: JaxArray[]) => JaxArray | JaxArray[];

/** One argument of a traced function. */
export interface ArgumentSpec {
  readonly shape: readonly number[];
  /** Default float32. */
  readonly dtype?: FloatDType | 'int32';
  /** A value that never changes, such as a trained weight: it is built into the graph and the argument disappears. */
  readonly value?: Tensor;
  /** The results are linear in this argument (a tangent or cotangent): coefficients are then gathered before it. */
  readonly linear?: boolean;
}

/**
 * Traces `fn` and simplifies what it does into a graph.
 * @returns one node a result
 * @throws LoweringError naming a primitive without ONNX form
 */
export async function trace(fn: Traceable, specs: readonly ArgumentSpec[]): Promise<GraphNode[]> {
  const { numpy: np, makeJaxpr } = await loadJax();
  const jaxTypes = { float32: np.float32, float64: np.float64, int32: np.int32 };
  const examples = specs.map((s) => np.zeros([...s.shape], { dtype: jaxTypes[s.dtype ?? 'float32'] }));
  const { jaxpr: closed } = makeJaxpr((...inputs: JaxArray[]) => {
    const result = fn(...inputs);
    return Array.isArray(result) ? result : [result];
  })(...examples);
  const g = new GraphBuilder();
  const consts = closed.consts.map((c) => {
    const array = c as JaxArray;
    const dtype = toGraphDType(array.dtype, 'a captured constant');
    const value = { shape: array.shape, dtype, data: array.ref.dataSync() } as Tensor;
    return uniformOrConstant(g, value, dtype);
  });
  const inputs = specs.map((s, i) => {
    const dtype = s.dtype ?? 'float32';
    if (s.value !== undefined) return g.constant(s.value, dtype);
    return g.input(i, s.shape, dtype, s.linear ?? false);
  });
  const outputs = readJaxpr(g, closed.jaxpr, [...consts, ...inputs]);
  closed.dispose();
  return outputs;
}

/** jax-js captures zeros and ones as whole arrays: one value everywhere is a uniform node, so that it can vanish. */
function uniformOrConstant(g: GraphBuilder, value: Tensor, dtype: GraphNode['dtype']): GraphNode {
  const first = value.data[0];
  if (first !== undefined && value.data.every((v: number) => v === first)) {
    return g.uniform(Number(first), value.shape, dtype);
  }
  return g.constant(value, dtype);
}
