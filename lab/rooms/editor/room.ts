import type { DirectionSet } from '../../../src/editing/direction-set.ts';
import { record as fieldsOf } from '../../state/codec.ts';
import { choice, number, unlinked, whole } from '../../state/field.ts';
import type { Field } from '../../state/field.ts';
import * as history from '../../state/history.ts';
import type { History } from '../../state/history.ts';
import { defineRoom } from '../../state/room.ts';
import type { Room } from '../../state/room.ts';
import { isDrawn } from './masks.ts';

/** Models that can be edited with, the first where one begins. */
export const models = ['faces', 'fashion'] as const;

/** What pointing at the picture does. */
export const tools = ['box', 'part', 'brush', 'erase'] as const;

/** What can be taken back. */
export interface Edit {
  /** Where to edit, as the command line writes it: `box:9,18,14,8`, `part:2`, `polygon:...`. */
  readonly mask: string;
  /** Strength along each direction, VP coordinates; those that are missing are 0. */
  readonly strengths: readonly number[];
}

/** A picture that was dropped. */
export interface Picture {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Directions that were dropped. */
export interface LoadedDirections {
  /** Of the side-car. */
  readonly name: string;
  readonly set: DirectionSet;
}

/** A picture on its way to another. */
export interface EditorState {
  readonly model: (typeof models)[number];
  /** Place among the held-out images. */
  readonly image: number;
  /** In place of the image. */
  readonly picture: Picture | undefined;
  /** In place of a search. */
  readonly loaded: LoadedDirections | undefined;
  /** Noise level of the edit. */
  readonly sigma: number;
  /** Leading directions of the outside that are projected out. */
  readonly nullRank: number;
  readonly tool: (typeof tools)[number];
  /** Radius of the brush in pixels. */
  readonly radius: number;
  readonly edit: History<Edit>;
}

/** Ends of every number, for the sliders and for links. */
export const bounds = {
  image: { low: 0, high: 999 },
  sigma: { low: 0.5, high: 6 },
  nullRank: { low: 0, high: 40 },
  radius: { low: 0.5, high: 6 },
  strength: { low: -6, high: 6 },
} as const;

/** Directions sought in a mask, as in `eigenlens edit`. */
export const DIRECTIONS = 5;
/** Other held-out images that the edit is tried on. */
export const OTHERS = 6;
/** Longest text of a mask in a link. */
const LONGEST = 4000;

/** Where one begins: a mouth turned down, and one step that turns it up. */
const START: Edit = { mask: 'box:9,18,14,8', strengths: [-6] };
/** The same for pictures of clothes. */
const FASHION_START: Edit = { mask: 'box:3,4,7,20', strengths: [4] };

/** An edit as one text: the mask, `~`, and the strengths between commas. */
function editField(key: string, fallback: History<Edit>): Field<History<Edit>> {
  return {
    key,
    fallback,
    expected: `a mask such as box:9,18,14,8, then ~ and at most ${DIRECTIONS} strengths between commas`,
    encode: ({ present: { mask, strengths } }) => `${mask}~${strengths.join(',')}`,
    decode: (text) => {
      const [, mask = '', list = ''] = /^([^~]*)~([^~]*)$/.exec(text) ?? [];
      const strengths = list === '' ? [] : list.split(',').map((item) => (item.trim() === '' ? NaN : Number(item)));
      const { low, high } = bounds.strength;
      const fits = strengths.length <= DIRECTIONS && strengths.every((s) => s >= low && s <= high);
      return fits && mask.length <= LONGEST && isDrawn(mask) ? history.begin({ mask, strengths }) : undefined;
    },
  };
}

/** The state in links. */
export const codec = fieldsOf<EditorState>({
  model: choice('model', 'faces', models),
  image: whole('image', 7, bounds.image),
  picture: unlinked<Picture | undefined>(undefined),
  loaded: unlinked<LoadedDirections | undefined>(undefined),
  sigma: number('sigma', 2, bounds.sigma),
  nullRank: whole('null', 20, bounds.nullRank),
  tool: choice('tool', 'box', tools),
  radius: number('radius', 1.5, bounds.radius),
  edit: editField('edit', history.begin(START)),
});

/** What can happen here. */
export const actions = {
  /** Sets how one edits. */
  set: (
    state: EditorState,
    change: Partial<Pick<EditorState, 'sigma' | 'nullRank' | 'tool' | 'radius'>>,
  ): EditorState => ({ ...state, ...change }),
  openModel: (state: EditorState, model: EditorState['model']): EditorState => ({
    ...codec.start,
    tool: state.tool,
    radius: state.radius,
    model,
    ...(model === 'fashion' && { image: 2, edit: history.begin(FASHION_START) }),
  }),
  /** Another held-out image; strengths stay where their directions do. */
  openImage: (state: EditorState, image: number): EditorState => ({
    ...state,
    image,
    picture: undefined,
    edit: history.begin(state.loaded === undefined ? withoutStrengths(state) : state.edit.present),
  }),
  openPicture: (state: EditorState, picture: Picture): EditorState => ({
    ...state,
    picture,
    edit: history.begin(state.loaded === undefined ? withoutStrengths(state) : state.edit.present),
  }),
  /** Directions of a file in place of a search, at the noise level that they belong to. */
  load: (state: EditorState, loaded: LoadedDirections): EditorState => ({
    ...state,
    loaded,
    sigma: loaded.set.sigma,
    edit: history.begin(withoutStrengths(state)),
  }),
  /** Edits elsewhere, along directions that are yet to be found. */
  draw: (state: EditorState, mask: string): EditorState => ({
    ...state,
    loaded: undefined,
    edit: history.record(state.edit, { mask, strengths: [] }),
  }),
  /** Moves along a direction. */
  slide: (
    state: EditorState,
    { index, strength, goesOn }: { index: number; strength: number; goesOn: boolean },
  ): EditorState => {
    const { present } = state.edit;
    const length = Math.max(index + 1, present.strengths.length);
    const strengths = Array.from({ length }, (_, k) => (k === index ? strength : (present.strengths[k] ?? 0)));
    const next = { ...present, strengths };
    // One pull at a slider is one step to take back.
    return { ...state, edit: goesOn ? { ...state.edit, present: next } : history.record(state.edit, next) };
  },
  /** Back to the picture as it was. */
  reset: (state: EditorState): EditorState => ({ ...state, edit: history.record(state.edit, withoutStrengths(state)) }),
  undo: (state: EditorState): EditorState => ({ ...state, edit: history.undo(state.edit) }),
  redo: (state: EditorState): EditorState => ({ ...state, edit: history.redo(state.edit) }),
} as const;

/** The room of one-step edits. */
export const editor: Room = defineRoom({
  name: 'editor',
  title: 'Editor',
  version: 1,
  codec,
  actions,
  load: () => import('./Editor.svelte'),
});

/** The same edit in the terminal. */
export function commandOf({ model, image, picture, loaded, sigma, nullRank, edit }: EditorState): string {
  const { mask, strengths } = edit.present;
  const terms = strengths.flatMap((strength, k) => (strength === 0 ? [] : [`${k + 1}=${strength}`]));
  const name = picture?.name ?? String(image);
  const where =
    loaded === undefined
      ? [
          `--mask ${quoted(mask)} --sigma ${sigma}`,
          ...(nullRank === codec.start.nullRank ? [] : [`--null-rank ${nullRank}`]),
        ]
      : [`--transfer ${quoted(loaded.name)}`];
  return [
    `eigenlens edit ${model} ${quoted(name)}`,
    ...where,
    ...(terms.length === 0 ? [] : [`--compose ${terms.join(',')}`]),
    `--others ${OTHERS} --out ${quoted(`runs/edit-${model}-${name}`)}`,
  ].join(' ');
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w./:,=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function withoutStrengths({ edit }: EditorState): Edit {
  return { mask: edit.present.mask, strengths: [] };
}
