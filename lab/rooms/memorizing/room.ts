import type { DroppedFile } from '../../components/dropped-files.ts';
import { record } from '../../state/codec.ts';
import type { Field } from '../../state/field.ts';
import { choice, number, unlinked, whole } from '../../state/field.ts';
import { defineRoom } from '../../state/room.ts';
import type { Room } from '../../state/room.ts';
import type { AuditSubject } from './audit.ts';
import { gapSigmas, sizes } from './curve.ts';
import type { Width } from './curve.ts';

/** A place on the curve, the samples that are drawn, and images to audit. */
export interface MemorizingState {
  /** Training images, one of the curve's sizes. */
  readonly size: number;
  readonly width: Width;
  /** Noise level of the gap that is shown. */
  readonly sigma: (typeof gapSigmas)[number];
  /** Nearest over second nearest distance below which a sample is a copy. */
  readonly ratio: number;
  /** Samples drawn of each shipped model. */
  readonly samples: number;
  /** Latent of the first of them. */
  readonly seed: number;
  /** Dropped samples and the training images that they may copy. */
  readonly generated: readonly DroppedFile[];
  readonly training: readonly DroppedFile[];
}

/** Ends of every number, for the sliders and for links. */
export const bounds = {
  size: { low: sizes[0] as number, high: sizes.at(-1) as number },
  ratio: { low: 0.05, high: 0.95 },
  samples: { low: 4, high: 64 },
  seed: { low: 0, high: 2 ** 31 },
} as const;

/** A number of training images that was measured. */
const size: Field<number> = {
  ...whole('n', 128, bounds.size),
  expected: `one of ${sizes.join(', ')}`,
  decode: (text) => sizes.find((n) => String(n) === text),
};

/** The state in links; dropped files stay where they are. */
export const codec = record<MemorizingState>({
  size,
  width: choice('network', 'wide', ['narrow', 'wide']),
  sigma: choice('sigma', '0.3', gapSigmas),
  ratio: number('ratio', 0.333, bounds.ratio),
  samples: whole('samples', 10, bounds.samples),
  seed: whole('seed', 0, bounds.seed),
  generated: unlinked<readonly DroppedFile[]>([]),
  training: unlinked<readonly DroppedFile[]>([]),
});

/** What can happen here. */
export const actions = {
  /** Sets some values. */
  set: (state: MemorizingState, change: Partial<MemorizingState>): MemorizingState => ({ ...state, ...change }),
  /** Takes latents that were not used before. */
  redraw: (state: MemorizingState): MemorizingState => ({
    ...state,
    seed: (state.seed + state.samples) % bounds.seed.high,
  }),
} as const;

/** The room of memorizing and generalizing: when do samples copy the images that a model was trained on? */
export const memorizing: Room = defineRoom({
  name: 'memorizing',
  title: 'Memorizing',
  version: 1,
  codec,
  actions,
  load: () => import('./Memorizing.svelte'),
});

/** The curve and the drawn samples in the terminal. */
export function commandsOf({ ratio, samples, seed }: MemorizingState): string[] {
  const drawn = `--samples ${samples} --descriptors pixels --ratio ${ratio}${seed === 0 ? '' : ` --seed ${seed}`}`;
  return [
    'eigenlens reproduce memorization-curve --out runs/memorization',
    `eigenlens audit fashion-memorized ${drawn}`,
    `eigenlens audit fashion ${drawn}`,
  ];
}

/** An audit in the terminal. @param subject  what was compared; undefined for an example */
export function auditCommand(subject: AuditSubject | undefined, ratio: number): string {
  const { generated, training, samples } = subject ?? { generated: 'generated/', training: 'training/', samples: 256 };
  return `eigenlens audit ${word(generated)} --train ${word(training)} --samples ${samples} --descriptors pixels --ratio ${ratio}`;
}

/** A path as one word of a command line. */
function word(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
