import { LabError, type ErrorCode } from '../errors/errors.ts';

/** Exit codes of every command. */
export const EXIT = { ok: 0, found: 1, usage: 2, bug: 70, interrupted: 130 } as const;

/** What is written on standard error for a failure, and the exit code. */
export interface Failure {
  readonly text: string;
  readonly exitCode: number;
}

/** One line and a code for what the user can mend, the stack for what only we can. */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof LabError) || error.code === 'E_DISPOSED')
    return { text: bugReport(error), exitCode: EXIT.bug };
  const line = error.message.replace(/\s*\n\s*/g, ' ');
  return { text: `error: ${line} (${error.code})`, exitCode: exitCodeOf(error.code) };
}

function exitCodeOf(code: ErrorCode): number {
  return code === 'E_CANCELLED' ? EXIT.interrupted : EXIT.usage;
}

function bugReport(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${stack}\n\nThis is a bug in Eigenlens: please report it with the lines above and the command line.`;
}
