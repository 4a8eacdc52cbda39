import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { openDataset } from '../../data/open.ts';
import { openYaleB } from '../../data/yale-b.ts';
import { resolveClusterSpec } from '../cluster-spec.ts';
import { near } from './reproduction.ts';
import { yaleB } from './yale-b.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-yale-b-'));
  const about = { file: 'x.u8.gz', dtype: 'uint8', order: 'C', layout: 'NHW', shape: [3, 2, 2] };
  await writeFile(join(folder, 'yaleb2414_32x32_gray.json'), JSON.stringify(about));
  await writeFile(join(folder, 'x.u8.gz'), gzipSync(Uint8Array.from({ length: 12 }, (_, i) => i * 20)));
  await writeFile(join(folder, 'yaleb2414_labels.json'), '[1, 1, 2]');
  await writeFile(join(folder, 'yaleb_48x42_gray.json'), JSON.stringify({ ...about, shape: [3, 2, 3] }));
  await writeFile(join(folder, 'labels.json'), '[{"subject": 4}, {"subject": 4}, {"subject": 9}]');
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

describe('yaleB', () => {
  it.each([0, 1, 2])('yaleB.run("tiny") passes every claim on independent subspaces, seed %i', async (seed) => {
    const { claims } = await yaleB.run('tiny', { seed });
    expect(claims).toHaveLength(7);
    expect(claims.filter((claim) => !claim.pass)).toEqual([]);
  });

  it('yaleB makes claims that can fail: one sample of 160 in the wrong cluster is not accuracy 1', () => {
    expect(near('accuracy', 159 / 160, 1, 0, 'test').pass).toBe(false);
  });

  it('yaleB.run("full") without the faces runs the synthetic part and says what it skipped', async () => {
    vi.stubEnv('EIGENLENS_YALE_B', '');
    const { claims, notes } = await yaleB.run('full', { seed: 0 });
    expect(claims.every((claim) => claim.pass)).toBe(true);
    expect(notes).toEqual(['Skipped the faces: EIGENLENS_YALE_B names no folder that holds them.']);
  });

  it('yaleB stops on abort', async () => {
    await expect(yaleB.run('tiny', { seed: 0, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
  });
});

describe('openYaleB()', () => {
  it('openYaleB() reads pixels as they are stored and the person of each', async () => {
    vi.stubEnv('EIGENLENS_YALE_B', folder);
    const faces = await openDataset('yale-b');
    expect(faces).toMatchObject({ name: 'yale-b', count: 3, sampleShape: [1, 2, 2] });
    expect([...(faces.labels ?? [])]).toEqual([1, 1, 2]);
    const { data } = await faces.read([1]);
    // Bytes 80, 100, 120, 140 as v / 127.5 - 1, in float32.
    [80, 100, 120, 140].forEach((v, at) => expect(data[at]).toBeCloseTo(v / 127.5 - 1, 6));
  });

  it('openYaleB() says what is missing or wrong', async () => {
    vi.stubEnv('EIGENLENS_YALE_B', '');
    await expect(openYaleB('yale-b')).rejects.toThrow(/EIGENLENS_YALE_B to name the folder .*\. Set it\.$/);
    vi.stubEnv('EIGENLENS_YALE_B', folder);
    await expect(openYaleB('yale-b-48x42')).rejects.toThrow(/expected 18 bytes .* got 12/);
    await writeFile(join(folder, 'labels.json'), '[{"subject": "four"}]');
    await expect(openYaleB('yale-b-48x42')).rejects.toMatchObject({ code: 'E_DATASET' });
    await writeFile(join(folder, 'labels.json'), '[1');
    await expect(openYaleB('yale-b-48x42')).rejects.toThrow(/expected JSON/);
  });
});

describe('resolveClusterSpec()', () => {
  it('resolveClusterSpec() fills in defaults, with fewer starts for the dear method', () => {
    expect(resolveClusterSpec({})).toEqual({
      job: 'cluster',
      data: 'fashion-heldout',
      method: 'ssc-omp',
      rank: 5,
      sparsity: 5,
      restarts: 20,
      seed: 0,
    });
    expect(resolveClusterSpec({ method: 'k-subspaces' }).restarts).toBe(5);
  });

  it('resolveClusterSpec() names every field that is wrong, in one line', () => {
    expect(() => resolveClusterSpec({ clusters: 1.5, rank: 0 })).toThrow(
      /clusters: expected an integer from 1 to 10000, got 1\.5; rank: expected an integer from 1 .* got 0/,
    );
  });
});
