import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';

import { commands } from './commands.ts';
import { runCli } from './program.ts';

const interrupts = new EventEmitter();

/** Runs a command line. @param heard  called with all of standard error after each line */
async function run(
  argv: string[],
  heard: (err: string) => void = () => undefined,
): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const code = await runCli(argv, commands, {
    terminal: {
      stdout: { write: (text) => (written.out += text) },
      stderr: {
        write: (text) => {
          written.err += text;
          heard(written.err);
        },
      },
      env: {},
    },
    interrupts,
    exit: () => expect.unreachable('nothing was interrupted twice'),
  });
  return { code, ...written };
}

it('eigenlens lab prints its address, serves the page, and closes on an interrupt', { timeout: 300_000 }, async () => {
  const { promise: address, resolve } = Promise.withResolvers<string>();
  const ended = run(['lab', '--port', '0', '--no-open'], (err) => {
    const url = /the lab is at (\S+)/.exec(err)?.[1];
    if (url !== undefined) resolve(url);
  });
  const url = await address;
  expect(await (await fetch(url)).text()).toContain('<title>Eigenlens lab</title>');
  interrupts.emit('SIGINT', 'SIGINT');
  expect(await ended).toMatchObject({ code: 0, out: 'the lab is closed\n' });
  await expect(fetch(url)).rejects.toThrow();
});

it('eigenlens lab refuses a port that is none, and says where it would look for runs', async () => {
  expect(await run(['lab', '--port', '70000'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('--port: expected a whole number from 0 to 65535, got 70000.') as string,
  });
  const { out } = await run(['lab', '--dry-run', '--runs', 'elsewhere']);
  expect(JSON.parse(out)).toEqual({ command: 'lab', open: true, port: 3141, runs: 'elsewhere' });
});
