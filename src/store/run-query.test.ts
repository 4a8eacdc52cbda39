import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CancelledError, StoreError } from '../errors/errors.ts';
import { queryTables } from './run-query.ts';
import type { QueryTable } from './run-query.ts';

const table: QueryTable = {
  name: 'rows',
  columns: { path: 'VARCHAR', moment: 'TIMESTAMP', extra: 'JSON' },
  rows: [
    { path: 'a', moment: '2026-01-02T03:04:05.000Z', extra: { n: [1, 2] }, loss: 1, step: 1, Loss: true, mixed: 1 },
    { path: 'b', loss: 0.5, step: 2, mixed: 'x', list: [1] },
    { path: 'c', loss: null },
  ],
};

const ask = async (sql: string): Promise<unknown[][]> => (await queryTables([table], sql)).rows as unknown[][];

describe('queryTables()', () => {
  it('finds columns and their types in the rows, and gives plain data', async () => {
    expect(await ask("SELECT path, moment, extra->>'$.n[1]', loss, step FROM rows ORDER BY path")).toEqual([
      ['a', '2026-01-02T03:04:05.000Z', '2', 1, 1],
      ['b', null, null, 0.5, 2],
      ['c', null, null, null, null],
    ]);
    const types = await ask(
      'SELECT typeof(loss), typeof(step), typeof("Loss_1"), typeof(mixed), typeof(list) FROM rows',
    );
    expect(types[0]).toEqual(['DOUBLE', 'BIGINT', 'BOOLEAN', 'VARCHAR', 'JSON']);
    expect(
      await ask("SELECT count(*), 12345678901234567890, 'NaN'::DOUBLE, [1, 2], {'d': DATE '2020-01-01'} FROM rows"),
    ).toEqual([[3, '12345678901234567890', 'NaN', [1, 2], { d: '2020-01-01T00:00:00.000Z' }]]);
  });

  it('names equal columns apart, and takes a table without rows', async () => {
    const empty = { name: 'none', columns: { path: 'VARCHAR' }, rows: [] };
    const { columns, rows } = await queryTables([empty], 'SELECT path, path FROM none');
    expect(new Set(columns).size).toBe(2);
    expect(rows).toEqual([]);
  });

  const file = join(tmpdir(), 'eigenlens-query-writes.csv');
  it.each([
    ['selec 1', 'syntax error'],
    ['', 'expected a statement, got none.'],
    ['-- nothing', 'expected a statement, got none.'],
    ['SELECT 1; SELECT 2', 'expected one statement, got 2.'],
    ['SELECT nope FROM rows', 'Referenced column "nope" not found'],
    [`${'-'.repeat(80)}\nSELECT nope FROM rows`, 'Referenced column "nope" not found'],
    [`COPY rows TO '${file}'`, 'file system operations are disabled'],
    ["SELECT * FROM read_text('package.json')", 'file system operations are disabled'],
    ["ATTACH 'x.db'", 'file system operations are disabled'],
    ['LOAD httpfs', 'disabled through configuration'],
    ['SET enable_external_access = true', 'Cannot'],
    ['SET threads = 1', 'has been locked'],
  ])('refuses %j in one line', async (sql, message) => {
    const said = await ask(sql).then(
      () => expect.unreachable('it ran'),
      (error: unknown) => (error as Error).message,
    );
    expect(said).toContain(message);
    expect(said).toMatch(/^sql: [^\n]*[.?!"]$/);
    expect(existsSync(file)).toBe(false);
  });

  it('stops once its signal is aborted', async () => {
    const stop = new AbortController();
    const running = queryTables([], 'SELECT count(*) FROM range(1000000000000) a', stop.signal);
    setTimeout(() => stop.abort(), 100);
    await expect(running).rejects.toThrow(CancelledError);
  });
});

it('queryTables() says in one line that rows have a column without a name', async () => {
  const work = queryTables([{ name: 'runs', columns: { path: 'VARCHAR' }, rows: [{ path: 'a', '': 1 }] }], 'SELECT 1');
  await expect(work).rejects.toThrow(StoreError);
  await expect(work).rejects.toThrow(/^table runs: .*Move the run with such rows away\.$/);
});
