import { SpecError } from '../errors/errors.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { number, switchOption, text } from './options.ts';

interface LabSpec {
  readonly command: 'lab';
  readonly port: number;
  readonly open: boolean;
  readonly runs: string;
}

const PORT = 3141;

/** `eigenlens lab`: the web app on this machine, until interrupted. */
export const lab: Command = defineCommand({
  name: 'lab',
  summary: "theory, models and this machine's runs live in the browser; nothing leaves the machine",
  arguments: [],
  options: {
    port: number('<n>', `first port to try (default ${PORT}); 0 takes any that is free`),
    noOpen: switchOption('do not open the browser'),
    runs: text('<dir>', 'folder of runs to show (default runs)'),
  },
  examples: ['lab', 'lab --port 8080 --no-open --runs runs/sizes'],
  resolve: ({ options: { port = PORT, noOpen, runs = 'runs' } }): LabSpec => {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new SpecError('--port', `expected a whole number from 0 to 65535, got ${port}.`);
    }
    return { command: 'lab', port, open: !noOpen, runs };
  },
  run: serve,
});

async function serve({ port, open, runs }: LabSpec, { signal, progress }: CommandContext): Promise<CommandResult> {
  const { builtLab } = await import('../server/built-lab.ts');
  const { startLabServer } = await import('../server/lab-server.ts');
  const say = (line: string): void => progress.note(line);
  const site = await builtLab({ say, signal });
  await using server = await startLabServer({ site, runs, port, say });
  say(`the lab is at ${server.url} until Ctrl-C`);
  if (open) (await import('../server/open-browser.ts')).openBrowser(server.url);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return { value: { url: server.url }, text: 'the lab is closed' };
}
