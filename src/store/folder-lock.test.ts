import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from './folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const here = { pid: process.pid, host: hostname() };
const other = '.lock-00000000-0000-4000-8000-000000000000.json';
const write = (holder: object): Promise<void> => writeFile(join(folder, other), JSON.stringify(holder));

async function takenOver(): Promise<void> {
  const lock = await lockFolder(folder);
  expect(await readdir(folder)).not.toContain(other);
  await lock[Symbol.asyncDispose]();
}

describe('lockFolder()', () => {
  it('holds a folder until it is disposed, and leaves nothing there', async () => {
    {
      await using lock = await lockFolder(folder);
      expect(lock).toBeDefined();
      await expect(lockFolder(folder)).rejects.toThrow(
        new RegExp(`is in use by process ${process.pid}\\. Wait for it or choose another --out; if it is gone, remove`),
      );
      expect(await readdir(folder)).toHaveLength(1);
    }
    expect(await readdir(folder)).toEqual([]);
    await (await lockFolder(folder))[Symbol.asyncDispose]();
  });

  it('takes over from a process that is gone, even where its number is in use again', async () => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await new Promise((resolve) => child.once('exit', resolve));
    await write({ ...here, pid: child.pid });
    await takenOver();
    await write({ ...here, began: '1' });
    if (process.platform !== 'linux') return; // elsewhere nobody knows when a process began
    await takenOver();
  });

  it('takes over a lock that was cut short, and leaves files of other names alone', async () => {
    await writeFile(join(folder, other), '{"pid"');
    await writeFile(join(folder, '.lock-mine.json'), 'x');
    await takenOver();
    expect(await readFile(join(folder, '.lock-mine.json'), 'utf8')).toBe('x');
  });

  it('trusts the lock of another machine', async () => {
    await write({ pid: 1, host: `not-${hostname()}` });
    await expect(lockFolder(folder)).rejects.toThrow(`is in use by process 1 on not-${hostname()}.`);
    expect(await readdir(folder)).toEqual([other]);
  });

  it('lets at most one of many through that come at once', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
    expect(tries.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  });
});
