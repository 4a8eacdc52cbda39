import { readCurves } from './curves.ts';
import { listRuns } from './list.ts';

/** What the worker of this room does. */
export const operations = { listRuns, readCurves };
