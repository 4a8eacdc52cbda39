import { randomMixture, sampleMixture } from '../../../src/denoisers/mixture-draw.ts';
import { parseMixtureSpec } from '../../../src/denoisers/mixture-spec.ts';
import { normal, randomKey } from '../../../src/tensor/random.ts';
import { tensor } from '../../../src/tensor/tensor.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import { componentsOf, mixtureOf } from './mixtures.ts';
import type { SubspacesState } from './room.ts';

/** Points on subspaces of three dimensions. */
export interface Scene {
  /** [N K, 3] */
  readonly points: Tensor<'float64'>;
  /** Component of each point. */
  readonly classes: Int32Array;
  /** Orthonormal rows of each true subspace, [d_k, 3]. */
  readonly truth: readonly Tensor<'float64'>[];
}

/** Draws points: those of `eigenlens equivalence` at the same seed. */
export function drawScene(state: Pick<SubspacesState, 'shape' | 'samples' | 'noise' | 'seed'>): Scene {
  const { samples, noise, seed } = state;
  const K = componentsOf(state);
  const mixture = randomMixture(parseMixtureSpec(mixtureOf(state)));
  const classes = Int32Array.from({ length: K * samples }, (_, i) => i % K);
  const { x } = sampleMixture(mixture, randomKey(seed, 'equivalence', 'points'), classes.length, classes);
  const e = normal(randomKey(seed, 'equivalence', 'point noise'), x.shape).data;
  const data = x.data.map((value, i) => value + noise * (e[i] as number));
  return { points: tensor('float64', x.shape, data), classes, truth: mixture.map(({ basis }) => basis) };
}
