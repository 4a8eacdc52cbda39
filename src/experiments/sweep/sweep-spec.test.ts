import { describe, expect, it } from 'vitest';
import { resolveSweep } from './sweep-spec.ts';

const refusal = (input: unknown): Promise<string> =>
  resolveSweep(input, '1').then(
    () => expect.unreachable('the sweep was taken'),
    (error: unknown) => (error as Error).message,
  );

describe('resolveSweep()', () => {
  it('resolves every job, names it by its content, and runs equal ones once', async () => {
    const grid = { seed: [0, 1, 0], size: [16] };
    const sweep = await resolveSweep({ job: 'train', base: { steps: 5 }, grid }, '1');
    expect(sweep).toMatchObject({ job: 'sweep', name: 'sweep', kind: 'train', version: '1' });
    expect(sweep.jobs.map(({ parameters }) => parameters)).toEqual([
      { seed: 0, size: 16 },
      { seed: 1, size: 16 },
    ]);
    expect(sweep.jobs[0]?.spec).toMatchObject({ data: 'fashion-train:16', steps: 5, seed: 0, shards: 1 });
    const other = await resolveSweep({ job: 'train', cases: [{ size: 16, seed: 1 }], base: { steps: 5 } }, '1');
    expect(other.jobs[0]?.key).toBe(sweep.jobs[1]?.key);
    const later = await resolveSweep({ job: 'train', base: { steps: 5 }, grid }, '2');
    expect(later.jobs[0]?.key).not.toBe(sweep.jobs[0]?.key);
  });

  it('names every job that is wrong, and starts none', async () => {
    const message = await refusal({ job: 'train', grid: { steps: [5, 0], batchSize: [4, 'many'] } });
    expect(message).toMatch(/^sweep: 3 of 4 jobs are wrong, so none starts\. /);
    expect(message).toContain('steps 0, batchSize many: train: steps: expected an integer');
    expect(await refusal({ job: 'train', base: { stpes: 1 } })).toMatch(/1 of 1 jobs are wrong.*the base: .*stpes/);
    expect(await refusal({ job: 'train', grid: { steps: Array(50).fill(0) } })).toMatch(/ \| and 47 more$/);
    expect(await refusal({ job: 'train', base: { batchSize: 5, shards: 2 } })).toContain('equal shards');
  });

  it.each([
    [null, /expected object/],
    [[], /expected object/],
    [{}, /job: /],
    [{ job: 'bake' }, /^job: expected train or .*, got 'bake'\./],
    [{ job: 'toString' }, /got 'toString'/],
    [{ job: 'train', grids: {} }, /"grids"/],
    [{ job: 'train', grid: {} }, /grid: expected axes, got none/],
    [{ job: 'train', grid: { size: [] } }, /grid\.size: expected values, got none/],
    [{ job: 'train', grid: { size: 16 } }, /grid\.size: .*expected array/],
    [{ job: 'train', grid: [1] }, /grid: .*expected record/],
    [{ job: 'train', cases: [] }, /cases: expected cases, got none/],
    [{ job: 'train', cases: [1] }, /cases\.0: /],
    [{ job: 'train', base: 'x' }, /base: /],
  ])('refuses %j in one line', async (input, message) => {
    const said = await refusal(input);
    expect(said).toMatch(message);
    expect(said).not.toContain('\n');
  });
});
