import { readFile } from 'node:fs/promises';
import { SpecError } from '../errors/errors.ts';
import { codeOf } from './failure.ts';

/** What a JSON file that a user wrote holds. @throws SpecError in one line for a file that is missing or no JSON */
export async function readSpecFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const code = codeOf(cause);
    const problem =
      code === 'ENOENT' ? 'nothing' : code === 'EISDIR' ? 'a folder' : `a file that cannot be read (${code})`;
    throw new SpecError(path, `expected a JSON file, got ${problem}. Check the path.`, { cause });
  }
  if (text.trim() === '') throw new SpecError(path, 'expected JSON, got an empty file. See docs/sweeps.md.');
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\s+/g, ' ');
    throw new SpecError(path, `expected JSON: ${reason}. Correct the file.`, { cause });
  }
}
