import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { listing } from '../../../src/server/runs.ts';
import { createRunFolder } from '../../../src/store/run-folder.ts';
import type { DroppedFile } from '../../components/dropped-files.ts';
import type { OperationContext } from '../../compute/protocol.ts';
import { lossesOf, ranksOf, readCurves } from './curves.ts';
import { listRuns } from './list.ts';
import { actions, codec, commandsOf } from './room.ts';
import { addressOf, holds, showBytes, showDuration, showWhen, sorted } from './row.ts';
import type { RunRow } from './row.ts';

const context: OperationContext = {
  signal: new AbortController().signal,
  progress: () => undefined,
  emit: () => undefined,
};
const api = 'http://127.0.0.1:1/api/runs';
const rankCurve = [
  { sigma: 0.1, image: 0, site: 'heldout', rule: 'energy-0.99', rank: 4, ratio: 0.4 },
  { sigma: 0.1, image: 1, site: 'heldout', rule: 'energy-0.99', rank: 2, ratio: 0.2 },
  { sigma: 0.1, image: 0, site: 'trajectory', rule: 'energy-0.99', rank: 9, ratio: 0.9 },
  { sigma: 5, image: 0, site: 'heldout', rule: 'energy-0.99', rank: 1, ratio: 0.1 },
];
const said = { rule: 'energy-0.99', site: 'heldout' } as const;

let folder: string;
let dropped: DroppedFile[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eigenlens-runs-'));
  await using inspect = await createRunFolder(join(folder, 'inspect'));
  await inspect.writeJson('spec.json', { job: 'inspect' });
  await inspect.writeJson('result.json', { rankCurve, started: '2026-01-02T03:04:05.000Z', wallMs: 1500 });
  await inspect.commit();
  await using train = await createRunFolder(join(folder, 'train'));
  await train.writeJson('spec.json', { name: 'small' });
  await train.write('model.safetensors', 'weights');
  await train.appendRow('losses.jsonl', { step: 50, loss: 0.5 });
  await train.appendRow('losses.jsonl', { step: 100, loss: 0.25, heldout: 0.3 });
  await train.commit();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  dropped = await Promise.all(
    paths.map(async (path) => ({ path: path.slice(folder.length + 1), file: new File([await readFile(path)], path) })),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('listRuns()', () => {
  it('says of dropped folders what the server says of the same', async () => {
    const { runs, folder: served } = await listRuns({ api, dropped }, context);
    expect(served).toBeUndefined();
    const wanted = (await listing(folder)).runs;
    expect(wanted.length).toBe(2);
    for (const { path, job, name, wallMs, bytes, files } of wanted) {
      const found = runs.find((run) => run.path === path);
      expect(found).toMatchObject({ job, wallMs, bytes, isDropped: true, files: files.map((file) => file.name) });
      expect(found?.name).toBe(name);
    }
    expect(runs.find(({ path }) => path === 'inspect')?.when).toBe('2026-01-02T03:04:05.000Z');
  });

  it('reads what a server lists, and sees that other hosts have none', async () => {
    const answer = vi.spyOn(globalThis, 'fetch');
    answer.mockResolvedValueOnce(Response.json(await listing(folder)));
    const { runs, folder: served } = await listRuns({ api, dropped: [] }, context);
    expect([served, runs.map(({ path }) => path)]).toEqual([folder, ['inspect', 'train']]);
    // What the built lab holds at this address, and what hosts say that do not hand that out.
    const built = await readFile(new URL('../../public/api/runs', import.meta.url), 'utf8');
    for (const [text, status] of [
      [built, 200],
      ['<!doctype html>', 200],
      ['', 404],
    ] as const) {
      answer.mockResolvedValueOnce(new Response(text, { status }));
      expect((await listRuns({ api, dropped: [] }, context)).folder).toBeUndefined();
    }
    answer.mockResolvedValueOnce(new Response('runs: may not be read.', { status: 500 }));
    await expect(listRuns({ api, dropped: [] }, context)).rejects.toThrow('may not be read');
    answer.mockRestore();
  });

  it('says what is wrong with a folder that is no run, and with one that is not whole', async () => {
    const none = dropped.filter(({ path }) => !path.endsWith('run.json'));
    await expect(listRuns({ api, dropped: none }, context)).rejects.toThrow(/expected the folder of a run, which holds a run.json/); // prettier-ignore
    const part = dropped.filter(({ path }) => !path.endsWith('losses.jsonl'));
    const { skipped } = await listRuns({ api, dropped: part }, context);
    expect(skipped).toEqual([{ path: 'train', reason: expect.stringMatching(/^expected losses.jsonl of \d+ bytes, got none/) }]); // prettier-ignore
  });
});

describe('curves', () => {
  it('are means over images of one site by one rule, the highest noise first', () => {
    const text = JSON.stringify({ rankCurve });
    expect(ranksOf('a', text, said)).toEqual([
      { run: 'a', sigma: 5, ratio: 0.1 },
      { run: 'a', sigma: 0.1, ratio: (0.4 + 0.2) / 2 },
    ]);
    expect(ranksOf('a', text, { ...said, site: 'trajectory' })).toEqual([{ run: 'a', sigma: 0.1, ratio: 0.9 }]);
    expect(() => ranksOf('a', '{}', said)).toThrow('a: has no rank curve');
    expect(() => lossesOf('a', '{"step":1,"loss":2}\nnothing\n')).toThrow('line 2 of losses.jsonl');
  });

  it('come from dropped files, each kind from its own', async () => {
    const { runs } = await listRuns({ api, dropped }, context);
    const { ranks, losses, notes } = await readCurves({ api, dropped, runs, ...said }, context);
    expect(ranks.map(({ run, sigma }) => [run, sigma])).toEqual([['dropped:inspect', 5], ['dropped:inspect', 0.1]]); // prettier-ignore
    expect(losses).toEqual([
      { run: 'dropped:train', step: 50, loss: 0.5, heldout: undefined },
      { run: 'dropped:train', step: 100, loss: 0.25, heldout: 0.3 },
    ]);
    expect(notes).toEqual([]);
  });
});

describe('the table', () => {
  const row = (path: string, bytes: number): RunRow => ({ path, bytes, isDropped: false, job: 'train', when: '', files: [] }); // prettier-ignore
  it('is sorted by a column both ways, equals by path, and filtered by all words', () => {
    const rows = [row('b', 2), row('c', 1), row('a', 2)];
    expect(sorted(rows, 'size', true).map(({ path }) => path)).toEqual(['a', 'b', 'c']);
    expect(sorted(rows, 'run', true).map(({ path }) => path)).toEqual(['c', 'b', 'a']);
    expect(['', 'TRAIN b', 'train x'].map((filter) => holds(row('ab', 1), filter))).toEqual([true, true, false]);
  });

  it('shows sizes and times for people', () => {
    expect([999, 1500, 12e6].map(showBytes)).toEqual(['999 B', '1.5 kB', '12 MB']);
    const noon = new Date(2026, 0, 2, 12, 5); // by this machine's clock
    expect(showWhen(noon.toISOString())).toBe('2026-01-02 12:05');
    expect([1234, 90_000, 3_900_000].map(showDuration)).toEqual(['1.2 s', '2 min', '1 h 5 min']);
  });
});

describe('the state', () => {
  it('comes back from its link, with any path', () => {
    const chosen = ['a/b c', 'with, comma', '100%2C'];
    const state = { ...codec.start, chosen, filter: 'x y', sort: 'size' as const };
    expect(codec.decode(codec.encode(state)).state).toEqual(state);
    expect(addressOf(api, 'a b/report.html')).toBe(`${api}/a%20b/report.html`);
  });

  it('keeps at most twelve runs', () => {
    let state = codec.start;
    for (let i = 0; i < 14; i++) state = actions.toggle(state, String(i));
    expect([state.chosen.length, state.chosen[0]]).toEqual([12, '2']);
    expect(actions.toggle(state, '5').chosen).not.toContain('5');
  });

  it('is a command line of the same', () => {
    expect(commandsOf('runs', ['a', "it's"], true)).toEqual([
      'eigenlens runs ls runs --jobs',
      "eigenlens runs compare runs/a 'runs/it'\\''s'",
    ]);
  });
});
