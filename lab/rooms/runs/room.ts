import { energyRuleNames } from '../../../src/analysis/rank.ts';
import type { EnergyRuleName } from '../../../src/analysis/rank.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import { record } from '../../state/codec.ts';
import type { Field } from '../../state/field.ts';
import { choice, flag, text, unlinked } from '../../state/field.ts';
import { defineRoom } from '../../state/room.ts';
import type { Room } from '../../state/room.ts';

/** Columns that the table is sorted by. */
export const columns = ['run', 'kind', 'when', 'took', 'size'] as const;
/** One of them. */
export type Column = (typeof columns)[number];

/** Which runs are listed, in what order, and whose curves are laid over one another. */
export interface RunsState {
  /** Words that a run's path, kind or name must hold, all of them. */
  readonly filter: string;
  /** Whether the jobs of sweeps are listed one by one. */
  readonly jobs: boolean;
  readonly sort: Column;
  readonly descending: boolean;
  /** Runs by `idOf`, in the order in which they were chosen. */
  readonly chosen: readonly string[];
  readonly rule: EnergyRuleName;
  readonly site: 'heldout' | 'trajectory';
  /** Files of run folders that were dropped. */
  readonly dropped: readonly DroppedFile[];
}

const MOST_CHOSEN = 12;

/** Paths with a comma between them; inside a path it is %2C. */
const chosen: Field<readonly string[]> = {
  key: 'runs',
  fallback: [],
  expected: `at most ${MOST_CHOSEN} paths`,
  encode: (paths) => paths.map((path) => path.replaceAll('%', '%25').replaceAll(',', '%2C')).join(','),
  decode: (given) => {
    const paths = given.split(',').map((path) => path.replaceAll('%2C', ',').replaceAll('%25', '%'));
    return paths.length <= MOST_CHOSEN ? [...new Set(paths)] : undefined;
  },
};

/** The state in links. */
export const codec = record<RunsState>({
  filter: text('filter', ''),
  jobs: flag('jobs', false),
  sort: choice('sort', 'when', columns),
  descending: flag('down', true),
  chosen,
  rule: choice('rule', 'sqrt-energy-0.99', energyRuleNames),
  site: choice('site', 'heldout', ['heldout', 'trajectory']),
  dropped: unlinked<readonly DroppedFile[]>([]),
});

/** What can happen here. */
export const actions = {
  /** Sets some values. */
  set: (state: RunsState, change: Partial<RunsState>): RunsState => ({ ...state, ...change }),
  /** Sorts by a column; the other way round where it is sorted by it already. */
  sort: (state: RunsState, sort: Column): RunsState => ({
    ...state,
    sort,
    descending: state.sort === sort ? !state.descending : sort === 'when',
  }),
  /** Chooses a run, or lets it go; beyond twelve the first goes. */
  toggle: (state: RunsState, id: string): RunsState => ({
    ...state,
    chosen: state.chosen.includes(id)
      ? state.chosen.filter((other) => other !== id)
      : [...state.chosen, id].slice(-MOST_CHOSEN),
  }),
} as const;

/** The room of this machine's runs. */
export const runs: Room = defineRoom({
  name: 'runs',
  title: 'Runs',
  version: 1,
  codec,
  actions,
  load: () => import('./Runs.svelte'),
});

/** The same in the terminal. @param folder  of the runs @param paths  of the chosen ones of this machine */
export function commandsOf(folder: string, paths: readonly string[], jobs: boolean): string[] {
  const words = paths.map((path) => word(path === '' ? folder : `${folder}/${path}`));
  const list = `eigenlens runs ls ${word(folder)}${jobs ? ' --jobs' : ''}`;
  if (words.length === 0) return [list];
  return [list, `eigenlens runs ${words.length === 1 ? 'show' : 'compare'} ${words.join(' ')}`];
}

/** A path as one word of a command line. */
function word(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
