import type { CommandGroup } from '../command.ts';
import { compareRuns } from './compare.ts';
import { list } from './list.ts';
import { show } from './show.ts';
import { sql } from './sql.ts';

/** `eigenlens runs`: what lies in run folders. */
export const runs: CommandGroup = {
  name: 'runs',
  summary: 'list, show, compare and query what earlier runs wrote: ls, show, compare, sql',
  commands: [list, show, compareRuns, sql],
};
