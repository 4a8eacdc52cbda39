import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Root of the repository, without a final slash. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** Texts of the files below a folder whose names end in `suffix`, by path from the root with forward slashes; no AssemblyScript. */
export function readTree(folder: string, suffix: string): Map<string, string> {
  const entries = readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' });
  const paths = entries
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((p) => p.endsWith(suffix) && !p.endsWith('.as.ts'));
  return new Map(paths.sort().map((path) => [path, readFileSync(`${ROOT}/${path}`, 'utf8')]));
}
