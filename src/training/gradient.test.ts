import { describe, expect, it } from 'vitest';
import { mlp } from '../denoisers/network/mlp.ts';
import { compile } from '../engine/compile.ts';
import type { JaxArray } from '../engine/jax.ts';
import { loadJax } from '../engine/jax.ts';
import { normal, randomKey } from '../tensor/random.ts';
import { castFloat, tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { noisyBatch } from './batch.ts';
import { createGradientStep } from './gradient.ts';

const network = mlp({ sampleShape: [3], width: 4, depth: 1, features: 4 });
/** Normal numbers also where training starts at zero, so that every gradient is at work. */
const weights = network.parameters.map(({ name, shape }) => {
  const draws = normal(randomKey(6, name), shape);
  return tensor(
    'float32',
    shape,
    Float32Array.from(draws.data, (z) => 0.5 * z),
  );
});
const batch = noisyBatch(castFloat(normal(randomKey(6, 'x0'), [8, 3]), 'float32'), randomKey(6, 'noise'), 1, 4);

/** The loss in float64, by a graph of its own without derivatives. */
async function lossGraph(): Promise<(at: readonly Tensor<'float64'>[]) => Promise<number>> {
  const jax = await loadJax();
  const count = network.parameters.length;
  const rest = [batch.input, batch.features, batch.target].map((x) => castFloat(x, 'float64'));
  const specs = [
    ...network.parameters.map(({ shape }) => ({ shape, dtype: 'float64' as const })),
    ...rest.map((value) => ({ shape: value.shape, dtype: 'float64' as const, value })),
  ];
  const loss = await compile((...inputs: JaxArray[]): JaxArray[] => {
    const p = Object.fromEntries(network.parameters.map(({ name }, i) => [name, inputs[i] as JaxArray]));
    const [input, features, target] = inputs.slice(count) as [JaxArray, JaxArray, JaxArray];
    return [jax.numpy.mean(jax.numpy.square(network.apply(jax, p, input, features).sub(target)))];
  }, specs);
  return async (at) => (await loss.run(...at))[0]?.data[0] as number;
}

describe('createGradientStep()', () => {
  it('createGradientStep() gives the loss and its central differences in every weight', async () => {
    await using step = await createGradientStep(network, 8, 1);
    const { loss, weights: gradient } = await step.run(weights, batch);
    const lossAt = await lossGraph();
    const doubles = weights.map((w) => castFloat(w, 'float64'));
    const eps32 = 2 ** -23;
    expect(Math.abs(loss - (await lossAt(doubles)))).toBeLessThan(16 * eps32 * loss);
    const largest = Math.max(...gradient.map((g) => Math.max(...g.map(Math.abs))));
    const h = 1e-4;
    for (const [k, array] of doubles.entries()) {
      for (let i = 0; i < array.data.length; i++) {
        const value = array.data[i] as number;
        array.data[i] = value + h;
        const above = await lossAt(doubles);
        array.data[i] = value - h;
        const below = await lossAt(doubles);
        array.data[i] = value;
        // Truncation h^2 and cancellation eps64 / h are both near 1e-8; float32 sums of a few dozen terms are the rest.
        expect(Math.abs((gradient[k]?.[i] as number) - (above - below) / (2 * h))).toBeLessThan(64 * eps32 * largest);
      }
    }
  });

  it('createGradientStep() in two shards differs from one by rounding only, and repeats to the bit', async () => {
    await using whole = await createGradientStep(network, 8, 1);
    await using halves = await createGradientStep(network, 8, 2);
    const one = await whole.run(weights, batch);
    const two = await halves.run(weights, batch);
    expect(await halves.run(weights, batch)).toEqual(two);
    const eps32 = 2 ** -23;
    expect(Math.abs(two.loss - one.loss)).toBeLessThan(4 * eps32 * one.loss);
    one.weights.forEach((g, k) => {
      const largest = Math.max(...g.map(Math.abs));
      // Two orders of one sum over 8 samples: a few eps of the largest element of the array.
      g.forEach((v, i) => expect(Math.abs((two.weights[k]?.[i] as number) - v)).toBeLessThan(8 * eps32 * largest));
    });
  });
});
