import { randomMixture, sampleMixture } from '../../denoisers/mixture-draw.ts';
import { normal, randomKey } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** One trial's points and true bases; component k has the points i with i mod K = k. */
export function drawProblem(options: {
  readonly n: number;
  readonly d: number;
  readonly N: number;
  readonly components: number;
  readonly noise: number;
  readonly seed: number;
}): { points: Tensor<'float64'>; truth: Tensor<'float64'>[] } {
  const { n, d, N, components: K, noise, seed } = options;
  const each = (value: number): number[] => new Array<number>(K).fill(value);
  const mixture = randomMixture({ n, ranks: each(d), variances: each(1), seed });
  const labels = Int32Array.from({ length: K * N }, (_, i) => i % K);
  const { x } = sampleMixture(mixture, randomKey(seed, 'phase', d, N), K * N, labels);
  const truth = mixture.map(({ basis }) => basis);
  if (noise === 0) return { points: x, truth };
  const e = normal(randomKey(seed, 'phase noise', d, N), x.shape).data;
  const noisy = x.data.map((value, i) => value + noise * (e[i] as number));
  return { points: tensor('float64', x.shape, noisy), truth };
}
