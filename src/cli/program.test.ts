import { EventEmitter } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DisposedError, DomainError, SpecError, throwIfAborted } from '../errors/errors.ts';
import { commands } from './commands.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandGroup } from './command.ts';
import { runCli } from './program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const interrupts = new EventEmitter();

/** Counts to a number, and fails on request: every way a command can end. */
const count = defineCommand({
  name: 'count',
  summary: 'Count.',
  arguments: [{ name: 'how', description: 'way to end' }],
  options: {
    upTo: {
      value: '<n>',
      description: 'last number',
      parse: (text: string, flag: string): number => {
        if (!/^\d+$/.test(text)) throw new SpecError(flag, `expected an integer, got ${text}.`);
        return Number(text);
      },
    },
    loud: { description: 'shout' },
    noEcho: { description: 'say nothing twice' },
  },
  examples: ['count --up-to 3'],
  resolve: ({ args: [how], options, seed }) => ({
    how: how ?? 'well',
    ...options, // Only the command's own: the specs below are compared whole.
    upTo: options.upTo ?? 2,
    seed: seed ?? 0,
  }),
  run: async (spec, { signal, progress, folder: files, commandLine }) => {
    for (let done = 1; done <= spec.upTo; done++) progress.report({ label: 'counting', done, total: spec.upTo });
    await files?.write('count.txt', 'counted');
    if (spec.how === 'badly') throw new DomainError('count', 'expected good will,\n got none.');
    if (spec.how === 'buggy') throw new TypeError('x is not a function');
    if (spec.how === 'disposed') throw new DisposedError('count');
    if (spec.how === 'interrupted') {
      interrupts.emit('SIGINT', 'SIGINT');
      throwIfAborted('count', signal);
    }
    return { value: { ...spec, commandLine }, text: `counted to ${spec.upTo}`, exitCode: spec.how === 'found' ? 1 : 0 };
  },
});

interface Ended {
  code: number;
  out: string;
  err: string;
}

async function run(argv: string[], known: readonly (Command | CommandGroup)[] = [count]): Promise<Ended> {
  const written = { out: '', err: '' };
  const code = await runCli(argv, known, {
    terminal: {
      stdout: { write: (text) => (written.out += text) },
      stderr: { write: (text) => (written.err += text) },
      env: {},
    },
    interrupts,
    exit: () => expect.unreachable('nothing was interrupted twice'),
  });
  return { code, ...written };
}

describe('runCli()', () => {
  it('hears a switch that says no', async () => {
    const { out } = await run(['count', '--no-echo', '--json']);
    expect(JSON.parse(out)).toMatchObject({ loud: false, noEcho: true });
  });

  it('prints a text for people, or one JSON object and nothing else with --json', async () => {
    expect(await run(['count', '--quiet'])).toEqual({ code: 0, out: 'counted to 2\n', err: '' });
    const { out, code } = await run(['count', '--up-to', '5', '--loud', '--seed', '7', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ how: 'well', upTo: 5, loud: true, noEcho: false, seed: 7 });
  });

  it('keeps progress on standard error', async () => {
    const { out, err } = await run(['count']);
    expect(out).toBe('counted to 2\n');
    expect(err).toMatch(/^counting 2\/2/);
  });

  it('prints the resolved spec with --dry-run and does not run', async () => {
    const { out, code } = await run(['count', 'buggy', '--dry-run']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ how: 'buggy', upTo: 2, loud: false, noEcho: false, seed: 0 });
  });

  it('writes the files, the spec and the result to --out, and repeats its command line', async () => {
    const out = join(folder, 'a run');
    const { err, code } = await run(['count', '--out', out]);
    expect(code).toBe(0);
    expect(err).toContain(`wrote ${out}: count.txt, result.json, run.json, spec.json`);
    const result = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as { commandLine: string };
    expect(result.commandLine).toBe(`eigenlens count --out '${out}'`);
  });

  it('leaves nothing of a run that failed', async () => {
    const { code } = await run(['count', 'badly', '--out', join(folder, 'failed')]);
    expect(code).toBe(2);
    expect(await readdir(folder)).not.toContain('failed');
  });

  it('refuses a folder where a file of somebody else bears a name of the run, before the work', async () => {
    const own = await mkdtemp(join(tmpdir(), 'eigenlens-own-'));
    await writeFile(join(own, 'spec.json'), '{}');
    const { code, err } = await run(['count', '--out', own]);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: .*spec\.json: exists and was not written by a run of Eigenlens\..*\(E_STORE\)\n$/);
    expect(await readdir(own)).toEqual(['spec.json']);
    await rm(own, { recursive: true });
  });

  it('exits with 1 where a command found what it looks for', async () => {
    expect((await run(['count', 'found'])).code).toBe(1);
  });

  it('tells what the user can mend in one line with its code, and exits with 2', async () => {
    expect(await run(['count', 'badly', '--quiet'])).toEqual({
      code: 2,
      out: '',
      err: 'error: count: expected good will, got none. (E_DOMAIN)\n',
    });
  });

  it.each(['buggy', 'disposed'])('shows the stack of a bug of ours and exits with 70: %s', async (how) => {
    const { code, err } = await run(['count', how, '--quiet']);
    expect(code).toBe(70);
    expect(err).toContain('    at ');
    expect(err).toContain('This is a bug in Eigenlens');
  });

  it('exits with 130 when interrupted', async () => {
    const { code, err } = await run(['count', 'interrupted', '--out', join(folder, 'stopped')]);
    expect(code).toBe(130);
    expect(err).toContain('stopping');
    expect(err).toContain('was interrupted');
    expect(await readdir(folder)).not.toContain('stopped');
  });

  it.each([
    [['cuont'], /^error: unknown command 'cuont' \(Did you mean count\?\) See eigenlens --help\.\n$/],
    [['count', '--lout'], /^error: unknown option '--lout' \(Did you mean one of --loud, --out\?\)/],
    [['count', 'a', 'b'], /^error: too many arguments/],
    [['count', '--up-to'], /^error: option '--up-to <n>' argument missing/],
    [['count', '--up-to', 'x'], /^error: --up-to: expected an integer, got x\. \(E_SPEC\)\n$/],
    [['count', '--seed', '-1'], /^error: --seed: expected an integer/],
  ])('refuses %j in one line and exits with 2', async (argv, line) => {
    const { code, out, err } = await run(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(line);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('shows help and the version on standard output', async () => {
    expect((await run([])).out).toContain('count [options] [how]');
    expect((await run(['count', '--help'])).out).toContain('eigenlens count --up-to 3');
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

/** Words as a shell splits them. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, inner]) => inner ?? word);
}

describe('commands', () => {
  const leaves = commands.flatMap((c) => ('commands' in c ? c.commands : [c]));
  const examples = leaves.flatMap((c) => c.examples.map((line) => [line] as const));

  it.each(examples)('eigenlens %s resolves to a spec', async (line) => {
    const { code, err } = await run([...wordsOf(line), '--dry-run'], commands);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});

describe('eigenlens data', () => {
  it('describes the shipped images, and their halves by definition', async () => {
    const { out, code } = await run(['data', 'fashion-heldout', '--json'], commands);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ name: 'fashion-heldout', count: 1000, sampleShape: [1, 28, 28] });
  });

  it('lists what is built in', async () => {
    const { out } = await run(['data'], commands);
    expect(out).toMatch(/^fashion +10000 +1 x 28 x 28$/m);
  });

  it('suggests the nearest name and exits with 2', async () => {
    const { code, err } = await run(['data', 'fashon'], commands);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: .*Did you mean 'fashion'\? \(E_DATASET\)\n$/);
  });
});
