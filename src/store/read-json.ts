import { readFile } from 'node:fs/promises';
import { StoreError } from '../errors/errors.ts';
import { storeFailure } from './failure.ts';

/** What a JSON file of a run holds. @throws StoreError naming the file where it cannot be read or is cut short */
export async function readJson(path: string): Promise<unknown> {
  return parse(path, await readText(path));
}

/** What the lines of a JSONL file hold. @throws StoreError naming the file and line */
export async function readJsonLines(path: string): Promise<unknown[]> {
  const lines = (await readText(path)).split('\n');
  return lines.flatMap((line, i) => (line === '' ? [] : [parse(`${path}:${i + 1}`, line)]));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw storeFailure(path, cause);
  }
}

function parse(where: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StoreError(where, 'expected JSON, got something else. Move the run away, or run it again.', { cause });
  }
}
