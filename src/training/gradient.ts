import type { Network } from '../denoisers/network/network.ts';
import type { CompileOptions, Executable } from '../engine/compile.ts';
import { compile } from '../engine/compile.ts';
import type { JaxArray } from '../engine/jax.ts';
import { loadJax } from '../engine/jax.ts';

/**
 * The graph of one training step: (weights, input, features, target) to (loss, gradient of every weight).
 * The loss is the mean squared error of the network's output, which is the EDM loss per dimension.
 */
export async function compileGradient(
  network: Network,
  batchSize: number,
  options: CompileOptions = {},
): Promise<Executable> {
  const jax = await loadJax();
  const count = network.parameters.length;
  const sample = { shape: [batchSize, ...network.sampleShape] };
  const specs = [
    ...network.parameters.map(({ shape }) => ({ shape })),
    sample,
    { shape: [batchSize, network.featureCount] },
    sample,
  ];
  const step = (...inputs: JaxArray[]): JaxArray[] => {
    const [input, features, target] = inputs.slice(count) as [JaxArray, JaxArray, JaxArray];
    const loss = (weights: JaxArray[]): JaxArray => {
      const p = Object.fromEntries(network.parameters.map(({ name }, i) => [name, weights[i] as JaxArray]));
      const error = network.apply(jax, p, input, features).sub(target);
      return jax.numpy.mean(error.ref.mul(error));
    };
    const [value, gradients] = jax.valueAndGrad(loss)(inputs.slice(0, count)) as unknown as [JaxArray, JaxArray[]];
    return [value, ...gradients];
  };
  return compile(step, specs, options);
}
