import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreError } from '../errors/errors.ts';
import { checkpointFile } from './checkpoint-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-checkpoint-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('checkpointFile()', () => {
  it('checkpointFile() reads nothing before the first write, then always the last state whole', async () => {
    const file = checkpointFile(join(folder, 'new', 'deep', 'state'));
    expect(isAbsolute(file.path)).toBe(true);
    expect(await file.read()).toBeUndefined();
    await file.write(new Uint8Array(1000).fill(1));
    await file.write(Uint8Array.of(2, 3));
    expect(await file.read()).toEqual(Uint8Array.of(2, 3));
    expect(await readdir(join(folder, 'new', 'deep'))).toEqual(['state']);
  });

  it('checkpointFile() removes its file, and a second time without complaint', async () => {
    const file = checkpointFile(join(folder, 'removed'));
    await file.write(Uint8Array.of(1));
    await file.remove();
    await file.remove();
    expect(await file.read()).toBeUndefined();
  });

  it('checkpointFile() keeps the old state when a write fails', async () => {
    const path = join(folder, 'kept');
    const file = checkpointFile(path);
    await file.write(Uint8Array.of(1, 2, 3));
    await mkdir(`${path}.partial`);
    await expect(file.write(Uint8Array.of(9))).rejects.toThrow(StoreError);
    expect(await file.read()).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('checkpointFile() writes over what a crash left half-written', async () => {
    const path = join(folder, 'crashed');
    await writeFile(`${path}.partial`, 'half a sta');
    const file = checkpointFile(path);
    expect(await file.read()).toBeUndefined();
    await file.write(Uint8Array.of(7));
    expect(await file.read()).toEqual(Uint8Array.of(7));
  });

  it('checkpointFile() says in one line why a place cannot be written or read', async () => {
    await writeFile(join(folder, 'plain'), '');
    const below = checkpointFile(join(folder, 'plain', 'state'));
    await expect(below.write(Uint8Array.of(1))).rejects.toThrow(/plain.state: expected a folder, got a file[^\n]+$/);
    await expect(below.read()).rejects.toThrow(StoreError);
    await expect(checkpointFile(folder).read()).rejects.toThrow(/expected a file, got a folder[^\n]+$/);
  });
});
