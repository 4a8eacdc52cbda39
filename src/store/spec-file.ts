import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SpecError } from '../errors/errors.ts';
import { codeOf } from './failure.ts';

/** A field that objects would lose, or worse, take for their prototype. */
function refusePrototype(name: string, value: unknown): unknown {
  if (name === '__proto__') throw new SyntaxError("no field may be called '__proto__'");
  return value;
}

/** Where the sweep of a plain name is, if such a one is shipped and no file of that name lies here. */
export function sweepFileNamed(name: string): string {
  // A folder of that name may well be where an earlier sweep went.
  if (!/^[\w-]+$/.test(name) || statSync(name, { throwIfNoEntry: false })?.isFile() === true) return name;
  const shipped = fileURLToPath(new URL(`../../repro/${name}/sweep.json`, import.meta.url));
  return existsSync(shipped) ? shipped : name;
}

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
    return JSON.parse(text.replace(/^\uFEFF/, ''), (name, value: unknown) => refusePrototype(name, value));
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\s+/g, ' ');
    throw new SpecError(path, `expected JSON: ${reason}. Correct the file.`, { cause });
  }
}
