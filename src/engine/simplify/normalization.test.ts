import { expect, it } from 'vitest';
import { normal, randomKey } from '../../tensor/random.ts';
import { castFloat } from '../../tensor/tensor.ts';
import { compile } from '../compile.ts';
import type { JaxArray } from '../jax.ts';
import { loadJax } from '../jax.ts';
import { countOf, nodesOf } from '../graph.fixture.ts';

const shape = [3, 4, 40];

async function layerNorm(centre: (x: JaxArray) => JaxArray): Promise<(x: JaxArray) => JaxArray> {
  const { numpy: np } = await loadJax();
  return (x) => {
    const d = centre(x);
    const variance = np.mean(d.ref.mul(d.ref), -1, { keepdims: true });
    return d.mul(np.reciprocal(np.sqrt(variance.add(1e-5))));
  };
}

it('multiply() recognises a layer normalization that is written out, and its value is that of the definition', async () => {
  const { numpy: np } = await loadJax();
  const fn = await layerNorm((x) => x.ref.sub(np.mean(x, -1, { keepdims: true })));
  expect(countOf(await nodesOf([{ shape }], (_, x) => fn(x)), 'normalize')).toBe(1);
  await using executable = await compile(fn, [{ shape }]);
  const x = castFloat(normal(randomKey(5), shape), 'float32');
  const [y] = await executable.run(x);
  for (let row = 0; row < 12; row++) {
    const values = Array.from(x.data.subarray(40 * row, 40 * row + 40));
    const mean = values.reduce((a, b) => a + b) / 40;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 40;
    values.forEach((v, i) => {
      // Means of 40 terms in float32: a few dozen roundings.
      expect(Math.abs((y?.data[40 * row + i] as number) - (v - mean) / Math.sqrt(variance + 1e-5))).toBeLessThan(
        64 * 2 ** -23,
      );
    });
  }
});

it('multiply() leaves alone what only looks like a normalization', async () => {
  const { numpy: np } = await loadJax();
  const fn = await layerNorm((x) => x.ref.sub(np.mean(x, 1, { keepdims: true })));
  expect(countOf(await nodesOf([{ shape }], (_, x) => fn(x)), 'normalize')).toBe(0);
});
