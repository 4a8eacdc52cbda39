import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';

import { builtLab } from '../../src/server/built-lab.ts';

describe('the built lab', () => {
  let site: string;
  let files: readonly { readonly name: string; readonly bytes: number }[];

  beforeAll(async () => {
    site = await builtLab({ say: () => undefined });
    const entries = await readdir(site, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    files = await Promise.all(paths.map(async (name) => ({ name, bytes: (await stat(name)).size })));
  }, 300_000);

  it('has no file that static hosts refuse', () => {
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter(({ bytes }) => bytes > 25e6)).toEqual([]);
  });

  it('loads at most 1 MB of compressed script, whatever room one opens first', async () => {
    const scripts = files.filter(({ name }) => /\.m?js$/.test(name));
    const sizes = await Promise.all(scripts.map(async ({ name }) => gzipSync(await readFile(name)).length));
    // Workers of models come with a model.
    const page = sizes.filter((_, i) => !/worker|ort-/.test(scripts[i]?.name ?? ''));
    expect(page.length).toBeGreaterThan(2);
    expect(page.reduce((a, b) => a + b, 0)).toBeLessThan(1e6);
  });

  it('names its files from where it lies, so that it works under any path', async () => {
    const page = await readFile(join(site, 'index.html'), 'utf8');
    const targets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1] as string);
    expect(targets.length).toBeGreaterThan(2);
    expect(targets.filter((target) => !target.startsWith('./'))).toEqual([]);
  });
});
