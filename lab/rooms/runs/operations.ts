import { filesOfSet, takeFiles } from '../../compute/handed-files.ts';
import type { Operation } from '../../compute/protocol.ts';
import { readCurves } from './curves.ts';
import type { CurveInput, Curves } from './curves.ts';
import { listRuns } from './list.ts';
import type { ListInput, RunList } from './list.ts';

/** An operation's input beside the files, which are handed over before, as the set `dropped`. */
type WithoutFiles<T> = Omit<T, 'dropped'>;

const listHanded: Operation<WithoutFiles<ListInput>, RunList> = (input, context) =>
  listRuns({ ...input, dropped: filesOfSet('dropped') }, context);

const readHanded: Operation<WithoutFiles<CurveInput>, Curves> = (input, context) =>
  readCurves({ ...input, dropped: filesOfSet('dropped') }, context);

/** What the worker of this room does. */
export const operations = { takeFiles, listRuns: listHanded, readCurves: readHanded };
