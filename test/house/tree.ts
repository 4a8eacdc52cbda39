import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Root of the repository, without a final slash. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** The script of a Svelte component, on the lines where it stands; all else is blank. */
export function scriptOf(component: string): string {
  const blank = (text: string): string => text.replace(/[^\n]+/g, '');
  const [, before = component, script = '', after = ''] =
    /^([\s\S]*?<script lang="ts"[^>]*>)([\s\S]*?)(<\/script>[\s\S]*)$/.exec(component) ?? [];
  return blank(before) + script + blank(after);
}

/** Texts of the files below a folder whose names end in `suffix`, by path from the root with forward slashes; no AssemblyScript. */
export function readTree(folder: string, suffix: string): Map<string, string> {
  const entries = readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' });
  const paths = entries
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((p) => p.endsWith(suffix) && !p.endsWith('.as.ts'));
  return new Map(paths.sort().map((path) => [path, readFileSync(`${ROOT}/${path}`, 'utf8')]));
}
