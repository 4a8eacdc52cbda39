import type { Room } from '../state/room.ts';
import { correlation } from './correlation/room.ts';
import { editor } from './editor/room.ts';
import { memorizing } from './memorizing/room.ts';
import { microscope } from './microscope/room.ts';
import { runs } from './runs/room.ts';
import { subspaces } from './subspaces/room.ts';

/** Every room, in the order of the navigation. A room is a folder here and one line in this list. */
export const rooms: readonly Room[] = [correlation, subspaces, microscope, editor, memorizing, runs];
