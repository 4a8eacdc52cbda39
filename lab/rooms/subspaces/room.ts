import { record } from '../../state/codec.ts';
import { choice, number, whole } from '../../state/field.ts';
import { defineRoom } from '../../state/room.ts';
import type { Room } from '../../state/room.ts';
import { componentsOf, largestRank, LARGEST_RANK, mixtureOf, shapes } from './mixtures.ts';
import type { Shape } from './mixtures.ts';

/** Points on subspaces, how these are learned, and what is looked at. */
export interface SubspacesState {
  readonly shape: Shape;
  /** Points of each component. */
  readonly samples: number;
  /** Standard deviation of the noise on each coordinate of the points. */
  readonly noise: number;
  /** Noise level that the network is trained at. */
  readonly sigma: number;
  readonly weights: 'soft-max' | 'hard-max';
  readonly steps: number;
  /** First step, as in `LowRankSpec`. */
  readonly rate: number;
  /** Random starts of the network. */
  readonly restarts: number;
  /** Step that is looked at; the last there is where the training has not come so far. */
  readonly step: number;
  /** Where the view is taken from, degrees. */
  readonly turn: number;
  readonly tilt: number;
  /** Subspaces of a problem of the phase diagram. */
  readonly components: number;
  /** Its dimension. */
  readonly dimension: number;
  /** Standard deviation of the noise on each coordinate of its points. */
  readonly problemNoise: number;
  /** Largest error that counts as a success there. */
  readonly threshold: number;
  /** Problems drawn for each of its cells. */
  readonly trials: number;
  /** Starts of K-subspaces on each problem. */
  readonly tries: number;
  /** Rank whose row is marked. */
  readonly row: number;
  readonly seed: number;
}

/** Ends of every number, for the sliders and for links. */
export const bounds = {
  samples: { low: 1, high: 300 },
  noise: { low: 0, high: 0.5 },
  sigma: { low: 0.05, high: 1 },
  steps: { low: 10, high: 400 },
  rate: { low: 0.1, high: 3 },
  restarts: { low: 1, high: 6 },
  step: { low: 0, high: 400 },
  turn: { low: -180, high: 180 },
  tilt: { low: -90, high: 90 },
  components: { low: 1, high: 3 },
  dimension: { low: 8, high: 64 },
  problemNoise: { low: 0, high: 0.5 },
  threshold: { low: 0.1, high: 1.4 },
  trials: { low: 1, high: 40 },
  tries: { low: 1, high: 60 },
  row: { low: 1, high: LARGEST_RANK },
  seed: { low: 0, high: 2 ** 31 },
} as const;

/** The state in links. */
export const codec = record<SubspacesState>({
  shape: choice('shape', 'three-lines', Object.keys(shapes) as Shape[]),
  samples: whole('n', 40, bounds.samples),
  noise: number('noise', 0.04, bounds.noise),
  sigma: number('sigma', 0.1, bounds.sigma),
  weights: choice('weights', 'soft-max', ['soft-max', 'hard-max']),
  steps: whole('steps', 60, bounds.steps),
  rate: number('rate', 0.15, bounds.rate),
  restarts: whole('starts', 1, bounds.restarts),
  step: whole('step', bounds.step.high, bounds.step),
  turn: whole('turn', 28, bounds.turn),
  tilt: whole('tilt', 22, bounds.tilt),
  components: whole('K', 2, bounds.components),
  dimension: whole('dim', 24, bounds.dimension),
  problemNoise: number('pnoise', 0, bounds.problemNoise),
  threshold: number('error', 0.5, bounds.threshold),
  trials: whole('trials', 10, bounds.trials),
  tries: whole('tries', 40, bounds.tries),
  row: whole('row', 4, bounds.row),
  seed: whole('seed', 0, bounds.seed),
});

/** What can happen here. */
export const actions = {
  /** Sets some values. */
  set: (state: SubspacesState, change: Partial<SubspacesState>): SubspacesState => ({ ...state, ...change }),
  /** Draws new subspaces, points, noise and starts. */
  redraw: (state: SubspacesState): SubspacesState => ({ ...state, seed: (state.seed + 1) % bounds.seed.high }),
  /** Takes the view from elsewhere, in degrees: round without end, and up to the poles. */
  look: (state: SubspacesState, { turn, tilt }: { turn: number; tilt: number }): SubspacesState => ({
    ...state,
    turn: ((((Math.round(turn) + 180) % 360) + 360) % 360) - 180,
    tilt: Math.min(bounds.tilt.high, Math.max(bounds.tilt.low, Math.round(tilt))),
  }),
} as const;

/** The room of low-rank mixtures: how many points a subspace is learned from. */
export const subspaces: Room = defineRoom({
  name: 'subspaces',
  title: 'Subspaces',
  version: 1,
  codec,
  actions,
  load: () => import('./Subspaces.svelte'),
});

/** The same computations in the terminal. */
export function commandsOf(state: SubspacesState): { training: string; boundary: string } {
  const { samples, noise, sigma, weights, steps, rate, restarts, seed } = state;
  const { components: K, dimension, problemNoise, threshold, trials, tries } = state;
  const seeded = seed === 0 ? '' : ` --seed ${seed}`;
  const row = Math.min(state.row, largestRank(state));
  const points = `--points ${componentsOf(state) * samples}${noise === 0 ? '' : ` --point-noise ${noise}`}`;
  return {
    training: `eigenlens equivalence molrg:${mixtureOf(state)} ${points} --weights ${weights} --sigma ${sigma} --steps ${steps} --rate ${rate} --restarts ${restarts}${seeded}`,
    boundary: `eigenlens theory boundary --n ${dimension} --d ${row} --K ${K} --noise ${problemNoise} --threshold ${threshold} --trials ${trials} --restarts ${tries}${seeded}`,
  };
}
