import { Command as Program, CommanderError, Option } from 'commander';

import { CancelledError } from '../errors/errors.ts';
import { stableJson } from '../store/json.ts';
import { createRunFolder } from '../store/run-folder.ts';
import type { Command, CommandGroup, CommandInput, CommandResult, Plan } from './command.ts';
import { describeFailure, EXIT } from './failure.ts';
import { watchInterrupts } from './interrupt.ts';
import type { InterruptSource } from './interrupt.ts';
import { createProgress } from './progress.ts';
import { parseSeed } from './seeds.ts';
import { layoutOf } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { packageVersion } from './version.ts';

/** What a command line runs in: the process, or a test's stand-in. */
export interface Host {
  readonly terminal: Terminal;
  readonly interrupts: InterruptSource;
  /** Ends the process at once; called on the second interrupt. */
  exit(code: number): void;
}

/** Flags that every command has. */
interface CommonFlags {
  readonly json?: true;
  readonly out?: string;
  readonly seed?: number;
  readonly dryRun?: true;
  readonly quiet?: true;
}

/**
 * Runs one command line.
 * @param argv  the words after `eigenlens`
 * @returns the exit code: 0 fine, 1 an audit found what it looks for, 2 bad usage or input, 70 a bug of ours, 130 interrupted
 */
export async function runCli(
  argv: readonly string[],
  commands: readonly (Command | CommandGroup)[],
  host: Host,
): Promise<number> {
  const commandLine = ['eigenlens', ...argv.map(quoteWord)].join(' ');
  let exitCode: number = EXIT.ok;
  const program = createProgram(host.terminal);
  addCommands(program, commands, async (command, input, flags) => {
    exitCode = await execute(await command.plan(input), flags, commandLine, host);
  });
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const failure = describeFailure(error);
    host.terminal.stderr.write(`${failure.text}\n`);
    return failure.exitCode;
  }
}

async function execute(plan: Plan, flags: CommonFlags, commandLine: string, host: Host): Promise<number> {
  const { stdout, stderr, env } = host.terminal;
  if (flags.dryRun) {
    stdout.write(`${stableJson(plan.spec)}\n`);
    return EXIT.ok;
  }
  const interactive = stderr.isTTY === true && env.TERM !== 'dumb';
  using progress = createProgress(stderr, {
    layout: layoutOf(stderr, env),
    quiet: flags.quiet ?? false,
    interactive,
  });
  using interrupts = watchInterrupts({
    source: host.interrupts,
    say: (line) => progress.note(line),
    force: () => host.exit(EXIT.interrupted),
  });
  const { signal } = interrupts;
  await using folder =
    flags.out === undefined ? undefined : await createRunFolder(flags.out, ['spec.json', 'result.json']);
  let result: CommandResult;
  try {
    result = await plan.run({ signal, progress, folder, layout: layoutOf(stdout, env), commandLine });
  } catch (error) {
    // Whatever the abort broke on its way is the user's wish, not a failure.
    const saysMore = error instanceof CancelledError && error.details.kept === true;
    throw signal.aborted && !saysMore
      ? new CancelledError('eigenlens', 'was interrupted; nothing was written.', { cause: error })
      : error;
  }
  if (folder !== undefined) {
    await folder.writeJson('spec.json', plan.spec);
    await folder.writeJson('result.json', result.value);
    const files = await folder.commit();
    progress.note(`wrote ${folder.path}: ${files.join(', ')}`);
  }
  await result.afterCommit?.();
  stdout.write(`${flags.json ? stableJson(result.value) : result.text}\n`);
  return result.exitCode ?? EXIT.ok;
}

function createProgram(terminal: Terminal): Program {
  const { stdout, stderr, env } = terminal;
  const [out, err] = [layoutOf(stdout, env), layoutOf(stderr, env)];
  return new Program('eigenlens')
    .description('A lens on the low-dimensional structure inside diffusion models.')
    .version(packageVersion(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(`${text.trim().replace(/\s*\n\s*/g, ' ')} See eigenlens --help.\n`),
      getOutHelpWidth: () => Math.min(out.width, 100),
      getErrHelpWidth: () => Math.min(err.width, 100),
      getOutHasColors: () => out.color,
      getErrHasColors: () => err.color,
    });
}

type Action = (command: Command, input: CommandInput, flags: CommonFlags) => Promise<void>;

function addCommands(program: Program, commands: readonly (Command | CommandGroup)[], action: Action): void {
  for (const command of commands) {
    if ('commands' in command) {
      const group = program.command(command.name).description(command.summary).helpCommand(false);
      addCommands(group, command.commands, action);
    } else addCommand(program, command, action);
  }
}

/** Adds one command with its own options and the common ones. */
function addCommand(program: Program, command: Command, action: Action): void {
  // As a sub-command it inherits how the program exits, suggests and writes.
  const sub = program.command(command.name).description(command.summary);
  for (const { name, description, required, variadic } of command.arguments) {
    const words = variadic ? `${name}...` : name;
    sub.argument(required ? `<${words}>` : `[${words}]`, description);
  }
  for (const [key, option] of Object.entries(command.options)) {
    const flag = `--${key.replace(/(?<=.)[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    // Commander takes `--no-open` for the end of an option `open` that is true without it.
    if (option.value === undefined) sub.option(flag, option.description, isNegation(key));
    else sub.option(`${flag} ${option.value}`, option.description, (text: string) => option.parse(text, flag));
  }
  sub
    .option('--json', 'print one JSON object')
    .option('--out <dir>', 'write the files of this run to a folder')
    .addOption(new Option('--seed <n>', 'seed of every random number').argParser((text) => parseSeed(text)))
    .option('--dry-run', 'print the resolved spec and stop')
    .option('--quiet', 'no progress')
    .addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  eigenlens ${line}`).join('\n')}`)
    .action(async () => {
      const flags = sub.opts<CommonFlags & Record<string, unknown>>();
      const own = Object.keys(command.options).map((key) => [
        key,
        isNegation(key) ? !flags[positive(key)] : flags[key],
      ]);
      // Each value came from its option's parser, or is a switch.
      const options = Object.fromEntries(own) as CommandInput['options'];
      const args = sub.processedArgs.flat() as (string | undefined)[];
      await action(command, { args, options, seed: flags.seed }, flags);
    });
}

/** Whether an option says no: `noOpen`. */
function isNegation(key: string): boolean {
  return /^no[A-Z]/.test(key);
}

/** What it says no to: `open`. */
function positive(key: string): string {
  return key.charAt(2).toLowerCase() + key.slice(3);
}

/** A word as a shell reads it back. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
