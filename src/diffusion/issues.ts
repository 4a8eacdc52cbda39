import type { z } from 'zod';

/** How many wrong fields one line names, and how long it may get: keys come from the file. */
const NAMED = 3;
const LONGEST_LINE = 400;

/** What is wrong with the fields of a file, on one line: `range: expected low < high; sampleShape.0: ...`. */
export function listIssues(issues: readonly z.core.$ZodIssue[]): string {
  const named = issues.slice(0, NAMED).map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  const rest = issues.length - named.length;
  const line = [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ').replace(/\s+/g, ' ');
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)}...`;
}
