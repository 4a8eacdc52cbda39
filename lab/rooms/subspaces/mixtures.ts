import type { SubspacesState } from './room.ts';

/** Mixtures that fit into three dimensions, subspaces at right angles: ranks as `eigenlens` writes them. */
export const shapes = {
  plane: { name: 'a plane', ranks: [2], spec: 'K=1,d=2' },
  'two-lines': { name: 'two lines', ranks: [1, 1], spec: 'K=2,d=1' },
  'three-lines': { name: 'three lines', ranks: [1, 1, 1], spec: 'K=3,d=1' },
  'plane-and-line': { name: 'a plane and a line', ranks: [2, 1], spec: 'd=2+1' },
} as const;

/** One of `shapes`. */
export type Shape = keyof typeof shapes;

/** Largest rank of the phase diagram. */
export const LARGEST_RANK = 8;

/** Points of each component that the phase diagram goes to, from one. */
export const MOST_POINTS = 14;

/** Number of components of the view. */
export function componentsOf({ shape }: Pick<SubspacesState, 'shape'>): number {
  return shapes[shape].ranks.length;
}

/** Largest rank in these dimensions: all components must fit beside each other. */
export function largestRank({ components, dimension }: Pick<SubspacesState, 'components' | 'dimension'>): number {
  return Math.min(LARGEST_RANK, Math.floor(dimension / components));
}

/** The mixture that points are drawn from, as `eigenlens` reads it. */
export function mixtureOf({ shape, seed }: Pick<SubspacesState, 'shape' | 'seed'>): string {
  return `n=3,${shapes[shape].spec}${seed === 0 ? '' : `,seed=${seed}`}`;
}
