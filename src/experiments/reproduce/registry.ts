import { overlapTable } from './overlap-table.ts';
import { powerIteration } from './power-iteration.ts';
import { probabilityFlow } from './probability-flow.ts';
import type { Reproduction } from './reproduction.ts';
import { telescoping } from './telescoping.ts';

/** Every figure and table of the sources that can be run, in the order of the sources. */
export const reproductions: readonly Reproduction[] = [overlapTable, powerIteration, telescoping, probabilityFlow];
