import type { RunFolder } from '../store/run-folder.ts';
import type { Progress } from './progress.ts';
import type { Layout } from './terminal.ts';

/** An option with a value; its long name is its key (`blockSize` is `--block-size`). */
export interface ValueOption<T = unknown> {
  /** Placeholder in the help, `<n>`. */
  readonly value: string;
  readonly description: string;
  /** @throws SpecError naming `flag` */
  parse(text: string, flag: string): T;
}

/** An option without a value. */
export interface SwitchOption {
  readonly description: string;
  readonly value?: undefined;
}

/** Options of a command by name. */
export type Options = Readonly<Record<string, ValueOption | SwitchOption>>;

/** What the user said for each option. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends ValueOption<infer T> ? T | undefined : boolean;
};

/** A positional argument; commands have few, and all may be left out or none. */
export interface Argument {
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  /** The last one may take several words. */
  readonly variadic?: boolean;
}

/** What the user said, parsed: positional arguments in order, the options, and the seed if given. */
export interface CommandInput<O extends Options = Options> {
  readonly args: readonly (string | undefined)[];
  readonly options: OptionValues<O>;
  readonly seed: number | undefined;
}

/** What a running command may use. */
export interface CommandContext {
  /** Stops the command; pass it on to every long call. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** The folder of `--out`; the skeleton adds spec.json and result.json and commits it. */
  readonly folder: RunFolder | undefined;
  /** Layout of standard output, for tables. */
  readonly layout: Layout;
  /** The command line as one would type it again. */
  readonly commandLine: string;
}

/** What a command found. */
export interface CommandResult {
  /** Plain data: what `--json` prints and result.json holds. */
  readonly value: object;
  /** The same for people, without a final line break. */
  readonly text: string;
  /** 1 where an audit found what it looks for. */
  readonly exitCode?: 0 | 1;
  /** Cleans up once the files of the run are in place, such as a checkpoint that is needed no longer. */
  readonly afterCommit?: () => Promise<void>;
}

/** One command, as its file writes it down. */
export interface CommandDefinition<O extends Options, Spec extends object> {
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly Argument[];
  readonly options: O;
  /** Command lines without the leading `eigenlens`. */
  readonly examples: readonly string[];
  /** Fills in every default: the object that `--dry-run` prints; a promise where a spec is read from a file. @throws SpecError */
  resolve(input: CommandInput<O>): Spec | Promise<Spec>;
  run(spec: Spec, context: CommandContext): Promise<CommandResult>;
}

/** A command ready to run: its resolved spec and the work. */
export interface Plan {
  readonly spec: object;
  run(context: CommandContext): Promise<CommandResult>;
}

/** One command, as the skeleton sees it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly arguments: readonly Argument[];
  readonly options: Options;
  readonly examples: readonly string[];
  plan(input: CommandInput): Promise<Plan>;
}

/** Commands under one name: `eigenlens runs ls`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** Checks a command's types against each other and hides them. */
export function defineCommand<const O extends Options, Spec extends object>(
  definition: CommandDefinition<O, Spec>,
): Command {
  const { name, summary, options, examples } = definition;
  return {
    name,
    summary,
    arguments: definition.arguments,
    options,
    examples,
    plan: async (input) => {
      // The skeleton parsed the options with the parsers of `options`, so that they have the types of O.
      const spec = await definition.resolve(input as CommandInput<O>);
      return { spec, run: (context) => definition.run(spec, context) };
    },
  };
}
