import { commands } from './commands.ts';
import { runCli } from './program.ts';

// A reader that closes the pipe early (`| head`) has what it wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), commands, {
  terminal: { stdout: process.stdout, stderr: process.stderr, env: process.env },
  interrupts: process,
  exit: (code) => process.exit(code),
});
