import { describe, expect, it } from 'vitest';
import { DomainError } from '../../errors/errors.ts';
import { compile } from '../../engine/compile.ts';
import type { JaxArray } from '../../engine/jax.ts';
import { loadJax } from '../../engine/jax.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { sizeOf, tensor } from '../../tensor/tensor.ts';
import type { Network } from './network.ts';
import { countParameters } from './network.ts';
import { unet } from './unet.ts';
import type { UnetConfig } from './unet.ts';
import { initialWeights } from './weights.ts';

const reference: UnetConfig = {
  sampleShape: [1, 32, 32],
  channels: [32, 64, 64],
  features: 32,
  groups: 8,
  attention: true,
};
const tiny: UnetConfig = { sampleShape: [2, 8, 4], channels: [4, 8], features: 6, groups: 2, attention: true };

/** F(x, features) in float64 at weights that are normal everywhere, so that no path is silent. */
async function evaluate(network: Network, x: Tensor<'float64'>, features: Tensor<'float64'>): Promise<Tensor> {
  const jax = await loadJax();
  const weights = network.parameters.map(({ name, shape }) => {
    const draws = normal(randomKey(5, name), shape);
    return { ...draws, data: draws.data.map((z) => 0.3 * z) };
  });
  const count = weights.length;
  const specs = [...weights, x, features].map((value, i) => ({
    shape: value.shape,
    dtype: 'float64' as const,
    ...(i < count && { value }),
  }));
  await using graph = await compile((...inputs: JaxArray[]): JaxArray[] => {
    const p = Object.fromEntries(network.parameters.map(({ name }, i) => [name, inputs[i] as JaxArray]));
    return [network.apply(jax, p, inputs[count] as JaxArray, inputs[count + 1] as JaxArray)];
  }, specs);
  return (await graph.run(x, features))[0] as Tensor;
}

const draw = (name: string, shape: readonly number[]): Tensor<'float64'> => normal(randomKey(5, name), shape);

describe('unet()', () => {
  it('unet() of the reference size has the weights that its layers add up to', () => {
    const conv = (i: number, o: number, k = 3): number => i * o * k * k + o;
    const block = (i: number, o: number): number =>
      2 * i + conv(i, o) + (128 * o + o) + 2 * o + conv(o, o) + (i === o ? 0 : conv(i, o, 1));
    const total =
      32 * 128 +
      128 +
      (128 * 128 + 128) +
      conv(1, 32) +
      block(32, 32) +
      block(32, 64) +
      block(64, 64) +
      2 * block(64, 64) +
      2 * block(128, 64) +
      block(128, 64) +
      block(96, 64) +
      block(96, 32) +
      block(64, 32) +
      conv(32, 32) +
      conv(64, 64) +
      2 * conv(64, 64) +
      (2 * 64 + conv(64, 192, 1) + conv(64, 64, 1)) +
      2 * 32 +
      conv(32, 1);
    expect(countParameters(unet(reference))).toBe(total);
    expect(total).toBe(1_062_497);
  });

  it('unet() names every weight once, and starts with an output of zero', () => {
    const network = unet(tiny);
    expect(new Set(network.parameters.map((p) => p.name)).size).toBe(network.parameters.length);
    const weights = initialWeights(network, 1);
    expect(weights['out.w']?.data.every((v) => v === 0)).toBe(true);
    for (const { name, shape } of network.parameters) expect(weights[name]?.data).toHaveLength(sizeOf(shape));
  });

  it('unet() treats the samples of a batch one by one, and keeps their shape', async () => {
    const network = unet(tiny);
    const [x, features] = [draw('x', [2, 2, 8, 4]), draw('features', [2, 6])];
    const both = await evaluate(network, x, features);
    expect(both.shape).toEqual([2, 2, 8, 4]);
    const scale = Math.max(...both.data.map(Math.abs));
    for (const b of [0, 1]) {
      const alone = await evaluate(
        network,
        tensor('float64', [1, 2, 8, 4], x.data.slice(64 * b, 64 * (b + 1))),
        tensor('float64', [1, 6], features.data.slice(6 * b, 6 * (b + 1))),
      );
      // Same sums in another blocking: 20 layers of a few hundred terms.
      alone.data.forEach((v, i) =>
        expect(Math.abs(v - (both.data[64 * b + i] as number))).toBeLessThan(1024 * 2 ** -52 * scale),
      );
    }
  });

  it.each(['x', 'features'])('unet() depends on %s', async (changed) => {
    const network = unet(tiny);
    const of = (name: string, shape: readonly number[]): Tensor<'float64'> =>
      draw(name === changed ? `another ${name}` : name, shape);
    const before = await evaluate(network, draw('x', [1, 2, 8, 4]), draw('features', [1, 6]));
    const after = await evaluate(network, of('x', [1, 2, 8, 4]), of('features', [1, 6]));
    const scale = Math.max(...before.data.map(Math.abs));
    expect(Math.max(...before.data.map((v, i) => Math.abs(v - (after.data[i] as number))))).toBeGreaterThan(
      0.01 * scale,
    );
  });

  it.each<[Partial<UnetConfig>, RegExp]>([
    [{ sampleShape: [1, 30, 32] }, /divisible by 4, got 30 x 32/],
    [{ sampleShape: [1, 32, 34] }, /divisible by 4, got 32 x 34/],
    [{ channels: [32, 60, 64] }, /divisible by 8 groups, got (32|60) in/],
  ])('unet() refuses %j', (change, message) => {
    const build = (): Network => unet({ ...reference, ...change });
    expect(build).toThrow(DomainError);
    expect(build).toThrow(message);
  });
});
