import { record } from '../../state/codec.ts';
import { choice, number, whole } from '../../state/field.ts';
import { defineRoom } from '../../state/room.ts';
import type { Room } from '../../state/room.ts';

/** How alignment is shown: cos^2 or sin of the angle to the true direction. */
export type Measure = 'cosine' | 'sine';

/** Linear data, how they are learned, and what is looked at. */
export interface CorrelationState {
  /** Variances of the directions: top, top decay, top decay^2, ... */
  readonly top: number;
  readonly decay: number;
  readonly count: number;
  readonly dimension: number;
  readonly samples: number;
  /** Noise draws per sample. */
  readonly draws: number;
  /** Noise level of every step of the power iteration. */
  readonly sigma: number;
  readonly steps: number;
  /** Monte Carlo trials. */
  readonly trials: number;
  readonly seed: number;
  readonly measure: Measure;
  /** Which held-out image runs backwards. */
  readonly image: number;
}

/** Ends of every number, for the sliders and for links. */
export const bounds = {
  top: { low: 1, high: 100 },
  decay: { low: 0.1, high: 1 },
  count: { low: 2, high: 6 },
  dimension: { low: 10, high: 400 },
  samples: { low: 10, high: 10_000 },
  draws: { low: 1, high: 100 },
  sigma: { low: 0.1, high: 10 },
  steps: { low: 2, high: 60 },
  trials: { low: 2, high: 60 },
  seed: { low: 0, high: 2 ** 31 },
  image: { low: 0, high: 999 },
} as const;

/** The state in links; the start is the set-up that theory.md checks by simulation. */
export const codec = record<CorrelationState>({
  top: number('top', 10, bounds.top),
  decay: number('decay', 0.5, bounds.decay),
  count: whole('count', 3, bounds.count),
  dimension: whole('p', 200, bounds.dimension),
  samples: whole('n', 400, bounds.samples),
  draws: whole('m', 1, bounds.draws),
  sigma: number('sigma', 1, bounds.sigma),
  steps: whole('steps', 20, bounds.steps),
  trials: whole('trials', 20, bounds.trials),
  seed: whole('seed', 0, bounds.seed),
  measure: choice('show', 'cosine', ['cosine', 'sine']),
  image: whole('image', 0, bounds.image),
});

/** What can happen here. */
export const actions = {
  /** Sets some values. */
  set: (state: CorrelationState, change: Partial<CorrelationState>): CorrelationState => ({ ...state, ...change }),
  /** Draws new random numbers. */
  redraw: (state: CorrelationState): CorrelationState => ({ ...state, seed: (state.seed + 1) % bounds.seed.high }),
} as const;

/** The room of linear diffusion: which directions a denoiser learns at which noise. */
export const correlation: Room = defineRoom({
  name: 'correlation',
  title: 'Correlation machine',
  version: 1,
  codec,
  actions,
  load: () => import('./Correlation.svelte'),
});

/** The same computations in the terminal. */
export function commandsOf(state: CorrelationState): { emergence: string; power: string } {
  const { top, decay, count, dimension, samples, draws, sigma, steps, trials, seed } = state;
  const shared = `--top ${top} --decay ${decay} --count ${count} --p ${dimension} --n ${samples} --draws ${draws} --trials ${trials}`;
  const seeded = seed === 0 ? '' : ` --seed ${seed}`;
  return {
    emergence: `eigenlens theory critical-noise ${shared}${seeded}`,
    power: `eigenlens theory linear-reverse ${shared} --steps ${steps} --sigma-min ${sigma} --sigma-max ${sigma}${seeded}`,
  };
}
