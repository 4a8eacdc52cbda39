import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CancelledError, StoreError } from '../errors/errors.ts';

/** Root of the package; src/ and dist/ lie equally deep. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What the lab is built from, in a checkout. */
const SOURCES = ['lab', 'src', 'assets', 'repro/memorization', 'package-lock.json'];

/** How a build is watched and stopped. */
export interface BuildOptions {
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Folder of the built lab. The package ships it; in a checkout it is built where it is missing or older than its sources.
 * @throws StoreError where it cannot be built; CancelledError
 */
export async function builtLab({ say, signal }: BuildOptions): Promise<string> {
  const site = join(ROOT, 'dist', 'lab');
  const isCheckout = existsSync(join(ROOT, 'lab', 'vite.config.ts'));
  const builtAt = await changedAt(join(site, 'index.html'));
  if (builtAt !== undefined && (!isCheckout || (await newestOf(SOURCES)) < builtAt)) return site;
  if (!isCheckout) throw new StoreError(site, 'expected the built lab, got nothing. Install the package again.');
  say('building the lab, which takes some seconds');
  await build(site, signal);
  return site;
}

/** Builds beside the old one and takes its place at once, so that a server or a second build never sees half of it. */
async function build(site: string, signal: AbortSignal | undefined): Promise<void> {
  const began = new Date();
  const [fresh, old] = [`${site}.new-${process.pid}`, `${site}.old-${process.pid}`];
  try {
    await runVite(fresh, signal);
    // Sources that changed during the build are newer than it.
    await utimes(join(fresh, 'index.html'), began, began);
    await mkdir(join(ROOT, 'dist'), { recursive: true });
    await rename(site, old).catch(() => undefined);
    // Where another build came first, its result is as good.
    await rename(fresh, site).catch(() => undefined);
  } finally {
    for (const folder of [fresh, old]) await rm(folder, { recursive: true, force: true });
  }
}

async function runVite(target: string, signal: AbortSignal | undefined): Promise<void> {
  const program = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  if (!existsSync(program)) throw new StoreError('lab', 'needs vite to be built. Run: npm ci');
  const words = [program, 'build', 'lab', '--outDir', target, '--emptyOutDir', '--logLevel', 'error'];
  const child = spawn(process.execPath, words, {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  if (signal?.aborted) throw new CancelledError('lab');
  if (code !== 0) throw new StoreError('lab', `could not be built: ${said.trim().split('\n').slice(0, 3).join(' ')}`);
}

/** When a file or folder was changed last, in ms; undefined where there is none. */
async function changedAt(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mtimeMs;
}

/** When the newest of the sources was changed; tests are no part of the lab. */
async function newestOf(names: readonly string[]): Promise<number> {
  const files = (await Promise.all(names.map((name) => filesBelow(join(ROOT, name))))).flat();
  const times = await Promise.all(files.filter((path) => !path.endsWith('.test.ts')).map(changedAt));
  return times.reduce((newest: number, time) => Math.max(newest, time ?? 0), 0);
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [path];
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
