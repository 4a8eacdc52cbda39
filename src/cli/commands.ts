import type { Command } from './command.ts';
import { data } from './data.ts';
import { inspect } from './inspect.ts';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [inspect, data];
