import type { DroppedFile } from '../../components/dropped-files.ts';
import { record } from '../../state/codec.ts';
import { choice, number, unlinked, whole } from '../../state/field.ts';
import { defineRoom } from '../../state/room.ts';
import type { Room } from '../../state/room.ts';
import type { ShippedName } from './data-name.ts';

/** What lies under the microscope, and how one looks at it. */
export interface MicroscopeState {
  readonly model: ShippedName;
  /** A network that takes the place of the shipped one: its graph, and what lies beside it; empty for none. */
  readonly network: readonly DroppedFile[];
  /** How that network is read, by label; undefined for what the check on images says. */
  readonly reading: string | undefined;
  /** Pictures that take the place of the model's own; empty for none. */
  readonly pictures: readonly DroppedFile[];
  /** Decides the held-out picture and its noise, as in `eigenlens inspect`. */
  readonly seed: number;
  /** Noise level in data units; pixels lie in [-1, 1]. */
  readonly sigma: number;
  /** Which singular vector is followed, from 0. */
  readonly direction: number;
  /** How far along it, in data units. */
  readonly step: number;
  readonly device: 'wasm' | 'webgpu';
}

/** Singular triplets that are shown. */
export const RANK = 8;

/** Ends of every number, for the sliders and for links. */
export const bounds = {
  seed: { low: 0, high: 999 },
  sigma: { low: 0.02, high: 20 },
  direction: { low: 0, high: RANK - 1 },
  step: { low: -20, high: 20 },
} as const;

/** The state in links; dropped files are not in them. */
export const codec = record<MicroscopeState>({
  model: choice('model', 'fashion', ['fashion', 'fashion-memorized', 'faces']),
  network: unlinked<readonly DroppedFile[]>([]),
  reading: unlinked<string | undefined>(undefined),
  pictures: unlinked<readonly DroppedFile[]>([]),
  seed: whole('picture', 0, bounds.seed),
  sigma: number('sigma', 0.6, bounds.sigma),
  direction: whole('v', 0, bounds.direction),
  step: number('step', 6, bounds.step),
  device: choice('device', 'wasm', ['wasm', 'webgpu']),
});

/** What can happen here. */
export const actions = {
  /** Sets some values. */
  set: (state: MicroscopeState, change: Partial<MicroscopeState>): MicroscopeState => ({ ...state, ...change }),
  /** Takes a dropped network, to be read as the check on images says; none brings the shipped model back. */
  useNetwork: (state: MicroscopeState, network: readonly DroppedFile[]): MicroscopeState => ({
    ...state,
    network,
    reading: undefined,
  }),
} as const;

/** The room that looks into one model at one picture. */
export const microscope: Room = defineRoom({
  name: 'microscope',
  title: 'Microscope',
  version: 1,
  codec,
  actions,
  load: () => import('./Microscope.svelte'),
});
