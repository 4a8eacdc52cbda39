import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ROOT } from './tree.ts';

const execute = promisify(execFile);
const launcher = join(ROOT, 'bin/eigenlens.js');

/** Makes a program believe that it runs on Node 20, until it starts another. */
const asNode20 = [
  '--import',
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})',
];

/** An installed package outside the checkout, whose command prints its Node version or waits for a signal. */
let installed: string;
beforeAll(async () => {
  installed = await mkdtemp(join(tmpdir(), 'eigenlens-launcher-'));
  await mkdir(join(installed, 'bin'));
  await mkdir(join(installed, 'dist/cli'), { recursive: true });
  await copyFile(launcher, join(installed, 'bin/eigenlens.js'));
  await writeFile(join(installed, 'package.json'), '{"type":"module"}');
  const main = `
    if (process.argv[2] === 'wait') {
      process.on('SIGINT', () => process.exit(130));
      setInterval(() => {}, 1000);
      console.log('waiting');
    } else console.log(process.argv.slice(2).join(), parseInt(process.version.slice(1)) >= 24);`;
  await writeFile(join(installed, 'dist/cli/main.js'), main);
});
afterAll(() => rm(installed, { recursive: true, force: true }));

/** Puts an npm package `node` next to the launcher; it hides any that lies in a folder above. */
async function withNodePackage(version: string): Promise<void> {
  await mkdir(join(installed, 'node_modules/node/bin'), { recursive: true });
  await writeFile(join(installed, 'node_modules/node/package.json'), JSON.stringify({ version }));
}

describe('bin/eigenlens.js', () => {
  it('runs the sources of a checkout without a warning, also from an older Node', async () => {
    for (const options of [[], asNode20]) {
      const { stdout, stderr } = await execute(process.execPath, [...options, launcher, '--version']);
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      expect(stderr).toBe('');
    }
  });

  it('runs dist where there are no sources', async () => {
    const { stdout } = await execute(process.execPath, [join(installed, 'bin/eigenlens.js'), 'a', 'b']);
    expect(stdout).toBe('a,b true\n');
  });

  it('says in one line what an older Node lacks, and exits with 2', async () => {
    await withNodePackage('22.1.0');
    const run = execute(process.execPath, [...asNode20, join(installed, 'bin/eigenlens.js')], { cwd: installed });
    await expect(run).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'eigenlens: needs Node 24 or newer, this is 20.1.0. Run: npm install node@24\n',
    });
  });

  it('says so when the package node came without its program', async () => {
    await withNodePackage('24.0.0');
    const run = execute(process.execPath, [...asNode20, join(installed, 'bin/eigenlens.js')], { cwd: installed });
    await expect(run).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('npm rebuild node') as string });
  });

  it.skipIf(process.platform === 'win32')('hands signals and exit codes through', async () => {
    await withNodePackage('24.0.0');
    await symlink(process.execPath, join(installed, 'node_modules/node/bin/node'));
    const child = spawn(process.execPath, [...asNode20, join(installed, 'bin/eigenlens.js'), 'wait']);
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    child.stdout.once('data', () => child.kill('SIGINT'));
    expect(await ended).toEqual({ code: 130, signal: null });
  });
});
