import { join } from 'node:path';
import type { PlainValue, QueryResult, QueryTable } from '../../store/run-query.ts';
import type { SkippedRun, StoredRun } from '../../store/run-list.ts';
import { mergedRow } from '../../experiments/sweep/merged-row.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { cellText } from '../rows-table.ts';
import { formatTable } from '../table.ts';
import type { Layout } from '../terminal.ts';
import { skippedLines } from './list.ts';

interface SqlSpec {
  readonly command: 'runs sql';
  readonly query: string;
  readonly folder: string;
}

/** `eigenlens runs sql`: SQL over runs and their rows. */
export const sql: Command = defineCommand({
  name: 'sql',
  summary: 'one SQL statement (DuckDB) over the tables runs and rows; changes nothing',
  arguments: [
    { name: 'query', description: 'SELECT ... FROM runs, rows', required: true },
    { name: 'dir', description: 'folder to look in (default runs)' },
  ],
  options: {},
  examples: [
    'runs sql "SELECT path, job, wall_s FROM runs ORDER BY started"',
    'runs sql "SELECT size, avg(loss) FROM rows GROUP BY size" runs/sizes',
  ],
  resolve: ({ args: [query, folder = 'runs'] }): SqlSpec => ({ command: 'runs sql', query: query as string, folder }),
  run: async ({ query, folder }, { layout, signal }) => {
    const { listRuns } = await import('../../store/run-list.ts');
    const { queryTables } = await import('../../store/run-query.ts');
    const { runs, skipped } = await listRuns(folder);
    const { rows, unread } = await rowsOf(runs);
    const notes = [...skipped, ...unread];
    const found = await queryTables([runsTable(runs), rows], query, signal);
    const objects = found.rows.map((row) => Object.fromEntries(found.columns.map((name, j) => [name, row[j] ?? null])));
    return { value: { columns: found.columns, rows: objects, skipped: notes }, text: describe(found, notes, layout) };
  },
});

function runsTable(runs: readonly StoredRun[]): QueryTable {
  const columns = {
    path: 'VARCHAR',
    job: 'VARCHAR',
    name: 'VARCHAR',
    sweep: 'VARCHAR',
    key: 'VARCHAR',
    started: 'TIMESTAMP',
    wall_s: 'DOUBLE',
    bytes: 'BIGINT',
    files: 'JSON',
    parameters: 'JSON',
    last: 'JSON',
    spec: 'JSON',
    result: 'JSON',
  };
  const rows = runs.map(({ when, wallMs, files, ...run }) => ({
    ...run,
    started: when,
    wall_s: wallMs === undefined ? undefined : wallMs / 1000,
    files: files.map(({ name }) => name),
  }));
  return { name: 'runs', columns, rows };
}

/** Rows of all runs, those of jobs with what sets the job apart; a sweep's own rows are those of its jobs. */
async function rowsOf(runs: readonly StoredRun[]): Promise<{ rows: QueryTable; unread: SkippedRun[] }> {
  const { readJsonLines } = await import('../../store/read-json.ts');
  const unread: SkippedRun[] = [];
  const rows: object[] = [];
  for (const { path, job, key, parameters, files } of runs) {
    if (job === 'sweep' || !files.some(({ name }) => name === 'rows.jsonl')) continue;
    const first = { path, ...(key !== undefined && { key }) };
    try {
      for (const row of await readJsonLines(join(path, 'rows.jsonl'))) {
        rows.push(mergedRow(first, parameters, row as Parameters<typeof mergedRow>[2]));
      }
    } catch (error) {
      unread.push({ path, reason: (error as Error).message });
    }
  }
  return {
    rows: { name: 'rows', columns: { path: 'VARCHAR', key: 'VARCHAR' }, rows: rows as QueryTable['rows'] },
    unread,
  };
}

function describe({ columns, rows }: QueryResult, notes: readonly SkippedRun[], layout: Layout): string {
  const isText = (j: number): boolean => rows.some((row) => typeof row[j] === 'string' || typeof row[j] === 'object');
  const shown = columns.map((header, j) => ({
    header,
    align: isText(j) ? ('left' as const) : ('right' as const),
    fit: isText(j),
  }));
  const cells = rows.map((row) => row.map((value) => valueText(value)));
  const count = `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`;
  return [formatTable(shown, cells, layout), count, ...skippedLines(notes)].join('\n');
}

function valueText(value: PlainValue): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : cellText(value);
}
