import type { Command, CommandGroup } from './command.ts';
import { audit } from './audit.ts';
import { cluster } from './cluster.ts';
import { compare } from './compare.ts';
import { data } from './data.ts';
import { dimension } from './dimension.ts';
import { doctor } from './doctor.ts';
import { edit } from './edit.ts';
import { emergence } from './emergence.ts';
import { equivalence } from './equivalence.ts';
import { gaussianity } from './gaussianity.ts';
import { inspect } from './inspect.ts';
import { lab } from './lab.ts';
import { reproduce } from './reproduce.ts';
import { runs } from './run-folders/runs.ts';
import { sweep } from './sweep.ts';
import { theory } from './theory.ts';
import { train } from './train.ts';

/** Every command, in the order of the help. */
export const commands: readonly (Command | CommandGroup)[] = [
  inspect,
  audit,
  compare,
  edit,
  train,
  sweep,
  runs,
  emergence,
  gaussianity,
  cluster,
  equivalence,
  dimension,
  theory,
  reproduce,
  lab,
  data,
  doctor,
];
