import { drawMixturePoints } from '../../../src/analysis/clustering/subspace-problem.ts';
import type { SubspacePoints } from '../../../src/analysis/clustering/subspace-problem.ts';
import { randomMixture } from '../../../src/denoisers/mixture-draw.ts';
import { parseMixtureSpec } from '../../../src/denoisers/mixture-spec.ts';
import { componentsOf, mixtureOf } from './mixtures.ts';
import type { SubspacesState } from './room.ts';

/** Points on subspaces of three dimensions. */
export type Scene = SubspacePoints;

/** Draws points: those of `eigenlens equivalence` at the same seed. */
export function drawScene(state: Pick<SubspacesState, 'shape' | 'samples' | 'noise' | 'seed'>): Scene {
  const mixture = randomMixture(parseMixtureSpec(mixtureOf(state)));
  return drawMixturePoints(mixture, componentsOf(state) * state.samples, state);
}
