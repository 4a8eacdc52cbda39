import type { JaxArray, JaxLibrary } from '../../engine/jax.ts';
import type { FloatDType, FloatTensor } from '../../tensor/tensor.ts';

/** A denoiser as a function that jax-js can trace, with what varies from call to call as arguments. */
export interface TracedModel {
  readonly name: string;
  /** Shape of one sample. */
  readonly sampleShape: readonly number[];
  /** Arithmetic of the graphs. */
  readonly dtype: FloatDType;
  /** Built into every graph as constants, in `dtype`. */
  readonly weights: readonly FloatTensor[];
  /** Shapes of the noise arguments for a batch of B samples. */
  noiseShapes(batch: number): readonly (readonly number[])[];
  /** The noise arguments of these levels (data units), computed in float64 and rounded to `dtype`. */
  noise(sigmas: Float64Array): FloatTensor[];
  /**
   * D at x; nothing is consumed.
   * @param weights  one a weight
   * @param x  [B, ...sampleShape]
   * @param noise  one a noise argument
   */
  denoised(jax: JaxLibrary, weights: readonly JaxArray[], x: JaxArray, noise: readonly JaxArray[]): JaxArray;
}

/** The three graphs of a denoiser: its value, J v and J^T u for blocks of vectors at one point. */
export type GraphKind = 'denoise' | 'jvp' | 'vjp';

/** Builds the traced function of a kind. Arguments: weights, x, noise, and for products a block of vectors [K, 1, ...sampleShape]. */
export function tracedFunction(
  jax: JaxLibrary,
  model: TracedModel,
  kind: GraphKind,
): (...inputs: JaxArray[]) => JaxArray[] {
  const count = model.weights.length;
  const noiseCount = model.noiseShapes(1).length;
  return (...inputs) => {
    const at = (x: JaxArray): JaxArray =>
      model.denoised(jax, inputs.slice(0, count), x, inputs.slice(count + 1, count + 1 + noiseCount));
    const x = inputs[count] as JaxArray;
    const vectors = inputs.at(-1) as JaxArray;
    return [graphs[kind](jax, at, x, vectors)];
  };
}

type Graph = (jax: JaxLibrary, at: (x: JaxArray) => JaxArray, x: JaxArray, vectors: JaxArray) => JaxArray;

const graphs: Record<GraphKind, Graph> = {
  denoise: (_, at, x) => at(x),
  jvp: (jax, at, x, vectors) => {
    const product = (v: JaxArray): JaxArray => {
      const [value, tangent] = jax.jvp(at, [x.ref], [v]);
      value.dispose();
      return tangent;
    };
    return jax.vmap(product)(vectors);
  },
  vjp: (jax, at, x, vectors) => {
    const [value, pull] = jax.vjp(at, [x.ref]);
    value.dispose();
    return jax.vmap((u: JaxArray) => pull(u)[0])(vectors);
  },
};
