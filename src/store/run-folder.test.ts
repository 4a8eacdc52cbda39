import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { parseNpz } from '../data/npz.ts';
import { StoreError } from '../errors/errors.ts';
import { tensor } from '../tensor/tensor.ts';
import { storeFailure } from './failure.ts';
import { readManifest } from './manifest.ts';
import { createRunFolder } from './run-folder.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'eigenlens-store-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** The message of the StoreError that `work` must reject with; one line, naming what and what to do. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(StoreError);
  const { message } = error as StoreError;
  expect(message).not.toContain('\n');
  return message;
}

async function runWith(path: string, files: Record<string, string>): Promise<void> {
  await using folder = await createRunFolder(path);
  for (const [name, text] of Object.entries(files)) await folder.write(name, text);
  await folder.commit();
}

describe('a run that completes', () => {
  test('commit() puts every kind of file in place with a manifest of sizes and hashes', async () => {
    const path = join(root, 'deep', 'run');
    await using folder = await createRunFolder(path);
    await folder.writeJson('result.json', { seed: 0, model: 'm' });
    await folder.appendRow('rows.jsonl', { a: 1 });
    await folder.appendRow('rows.jsonl', { a: 2 });
    await folder.writeArrays('arrays.npz', { x: tensor('float64', [2], Float64Array.of(1, 2)) });
    await folder.write('picture.png', Uint8Array.of(1, 2, 3));
    expect(await readdir(path)).toEqual([expect.stringMatching(/^\.partial-/)]);

    const files = await folder.commit();

    expect(files).toEqual(['arrays.npz', 'picture.png', 'result.json', 'rows.jsonl', 'run.json']);
    expect((await readdir(path)).sort()).toEqual(files);
    expect(await readFile(join(path, 'result.json'), 'utf8')).toBe('{ "model": "m", "seed": 0 }\n');
    expect(await readFile(join(path, 'rows.jsonl'), 'utf8')).toBe('{"a":1}\n{"a":2}\n');
    expect(parseNpz('test', await readFile(join(path, 'arrays.npz'))).get('x')?.data).toEqual(Float64Array.of(1, 2));
    const manifest = await readManifest(path);
    expect(manifest).toMatchObject({ complete: true });
    // SHA-256 of the bytes 01 02 03, from sha256sum.
    expect(manifest?.files.find((f) => f.name === 'picture.png')).toEqual({
      name: 'picture.png',
      bytes: 3,
      sha256: '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81',
    });
  });

  test('commit() replaces an earlier run, removes files that it lacks and keeps what others put there', async () => {
    await runWith(root, { 'a.txt': 'old', 'b.txt': 'old' });
    await writeFile(join(root, 'notes.txt'), 'mine');
    await runWith(root, { 'a.txt': 'new' });
    expect((await readdir(root)).sort()).toEqual(['a.txt', 'notes.txt', 'run.json']);
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('new');
    expect(await readFile(join(root, 'notes.txt'), 'utf8')).toBe('mine');
  });
});

describe('a run that does not complete', () => {
  test('dispose without commit leaves the earlier run as it was', async () => {
    await runWith(root, { 'a.txt': 'old' });
    {
      await using folder = await createRunFolder(root);
      await folder.write('a.txt', 'half');
      await folder.write('c.txt', 'half');
    }
    expect((await readdir(root)).sort()).toEqual(['a.txt', 'run.json']);
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('old');
  });

  test('dispose without commit removes the folders that it made, and no others', async () => {
    {
      await using folder = await createRunFolder(join(root, 'x', 'y'));
      await folder.write('a.txt', 'half');
    }
    expect(await readdir(root)).toEqual([]);
  });

  test('process.exit() in the middle of a run leaves no temporaries', async () => {
    await runWith(root, { 'a.txt': 'old' });
    const script =
      `import { createRunFolder } from ${JSON.stringify(import.meta.resolve('./run-folder.ts'))};` +
      `const f = await createRunFolder(${JSON.stringify(root)}); await f.write('a.txt', 'half'); process.exit(130);`;
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(status).toBe(130);
    expect((await readdir(root)).sort()).toEqual(['a.txt', 'run.json']);
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('old');
  });

  test.skipIf(process.platform !== 'linux')('a full disk is one line, and the earlier run stands', async () => {
    await runWith(root, { 'a.txt': 'old' });
    await using folder = await createRunFolder(root);
    const staging = (await readdir(root)).find((name) => name.startsWith('.partial-')) as string;
    await symlink('/dev/full', join(root, staging, 'a.txt'));
    expect(await failureOf(folder.write('a.txt', 'new'))).toContain('the disk is full');
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('old');
  });

  test('a commit that is cut short leaves a folder that the next run may replace', async () => {
    await runWith(root, { 'a.txt': 'old' });
    await using folder = await createRunFolder(root);
    await folder.write('b.txt', 'new');
    await mkdir(join(root, 'b.txt', 'full'), { recursive: true }); // Comes in after the name was checked: the rename fails.
    await failureOf(folder.commit());
    expect(await readManifest(root)).toMatchObject({ complete: false, files: [{ name: 'a.txt' }, { name: 'b.txt' }] });
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('old');
    await rm(join(root, 'b.txt'), { recursive: true });
    await runWith(root, { 'b.txt': 'newer' });
    expect((await readdir(root)).filter((name) => !name.startsWith('.')).sort()).toEqual(['b.txt', 'run.json']);
  });
});

describe('a folder that cannot be used', () => {
  test('createRunFolder() says that a file is in the way', async () => {
    await writeFile(join(root, 'file'), '');
    expect(await failureOf(createRunFolder(join(root, 'file')))).toContain('expected a folder, got a file');
    expect(await failureOf(createRunFolder(join(root, 'file', 'run')))).toContain('expected a folder, got a file');
  });

  test.skipIf(process.platform !== 'linux')(
    'createRunFolder() returns on a file system that makes no folders',
    async () => {
      expect(await failureOf(createRunFolder('/proc/eigenlens/run'))).toContain('cannot be made there');
    },
  );

  test.skipIf(process.getuid?.() === 0)('createRunFolder() says that permission is denied', async () => {
    await chmod(root, 0o500);
    expect(await failureOf(createRunFolder(join(root, 'run')))).toContain('permission denied');
    await chmod(root, 0o700);
  });

  test('storeFailure() knows the codes of every refusal that a test cannot stage', () => {
    const words: [string, string][] = [
      ['EACCES', 'permission denied'],
      ['EROFS', 'read-only'],
      ['EDQUOT', 'quota'],
      ['ENAMETOOLONG', 'too long'],
    ];
    for (const [code, word] of words) {
      const { message } = storeFailure('/out', Object.assign(new TypeError('x'), { code }));
      expect(message).toContain(word);
      expect(message).toContain(`(${code})`);
    }
  });

  test('write() refuses to replace a file that no run wrote, or a folder', async () => {
    await writeFile(join(root, 'report.html'), 'mine');
    await mkdir(join(root, 'arrays.npz'));
    expect(await failureOf(createRunFolder(root, ['result.json', 'report.html']))).toContain('report.html');
    await using folder = await createRunFolder(root);
    expect(await failureOf(folder.write('report.html', 'x'))).toContain('not written by a run of Eigenlens');
    expect(await failureOf(folder.write('arrays.npz', 'x'))).toContain('not written by a run of Eigenlens');
    expect(await readFile(join(root, 'report.html'), 'utf8')).toBe('mine');
  });

  test('write() refuses names that leave the folder, and the name of the manifest', async () => {
    await using folder = await createRunFolder(root);
    for (const name of ['../a', 'a/b', '.hidden', '', 'run.json']) {
      expect(await failureOf(folder.write(name, 'x'))).toContain('expected a plain file name');
    }
  });

  test('createRunFolder() refuses a folder whose run.json is of another kind', async () => {
    for (const text of ['{"format":"something-else"}', '{"format":', '[]']) {
      await writeFile(join(root, 'run.json'), text);
      expect(await failureOf(createRunFolder(root))).toContain('expected a manifest of format');
    }
    expect(await readdir(root)).toEqual(['run.json']);
  });

  test('writeJson() refuses NaN, and nothing of that file remains', async () => {
    await using folder = await createRunFolder(root);
    expect(await failureOf(folder.writeJson('result.json', { ratio: NaN }))).toContain('NaN at $.ratio');
    expect(await folder.commit()).toEqual(['run.json']);
  });

  test('a folder is closed after commit', async () => {
    await using folder = await createRunFolder(root);
    await folder.commit();
    expect(await failureOf(folder.write('a.txt', 'x'))).toContain('after commit');
  });
});
