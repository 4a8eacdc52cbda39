import { mergedRow } from '../../experiments/sweep/merged-row.ts';
import type { StoredRun } from '../../store/run-list.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { formatDuration } from '../progress.ts';
import { cellText, formatRows } from '../rows-table.ts';
import { formatFacts, formatTable } from '../table.ts';
import type { Layout } from '../terminal.ts';
import { fieldsByName, numbersOf, sizeText, whenText } from './numbers.ts';

interface ShowSpec {
  readonly command: 'runs show';
  readonly run: string;
}

/** `eigenlens runs show`: one run. */
export const show: Command = defineCommand({
  name: 'show',
  summary: 'one run: its spec, numbers and files; of a sweep, its jobs',
  arguments: [{ name: 'run', description: 'folder of the run', required: true }],
  options: {},
  examples: ['runs show runs/inspect-fashion', 'runs show runs/sizes/jobs/0a1b2c3d4e5f6071 --json'],
  resolve: ({ args: [run] }): ShowSpec => ({ command: 'runs show', run: run as string }),
  run: async ({ run: path }, { layout }) => {
    const { listRuns, readRun } = await import('../../store/run-list.ts');
    const run = await readRun(path);
    // Not of its jobs folder: a sweep whose jobs all failed has none.
    const jobs = run.key === undefined ? (await listRuns(path)).runs.filter(({ key }) => key !== undefined) : [];
    const { job, name, key, when, wallMs, bytes, files, spec, result, parameters } = run;
    const said = { path, job, name, key, when, wallMs, bytes, parameters, spec, files };
    const value =
      run.job === 'sweep'
        ? { ...said, jobs: jobs.map(line) }
        : { ...said, result, ...(jobs.length > 0 && { jobs: jobs.map(line) }) };
    return { value, text: describe(run, jobs, layout) };
  },
});

function line({ key, parameters, last }: StoredRun): object {
  return { key, parameters, last };
}

function describe(run: StoredRun, jobs: readonly StoredRun[], layout: Layout): string {
  const { path, job, name, when, wallMs, bytes, files } = run;
  const facts: [string, string][] = [
    ['path', path],
    ['job', job],
    ...(name === undefined ? [] : [['name', name] as [string, string]]),
    ['when', whenText(when)],
    ...(wallMs === undefined ? [] : [['time', formatDuration(wallMs / 1000)] as [string, string]]),
    ['size', sizeText(bytes)],
  ];
  const columns = [{ header: 'file' }, { header: 'size', align: 'right' }] as const;
  const rows = files.map((file) => [file.name, sizeText(file.bytes)]);
  const parts = [formatFacts(facts, layout)];
  if (job !== 'sweep') {
    parts.push(`spec\n${indented([...fieldsByName(run.spec)], layout)}`);
    const numbers = [...numbersOf(run)].slice(0, 40).map(([name, v]): [string, string] => [name, cellText(v)]);
    if (numbers.length > 0) parts.push(`numbers\n${indented(numbers, layout)}`);
  }
  if (job === 'sweep' || jobs.length > 0) {
    parts.push(
      formatRows(
        jobs.map(({ key, parameters, last }) => mergedRow({ key: key ?? '' }, parameters, last)),
        layout,
      ),
    );
  }
  parts.push(formatTable(columns, rows, layout));
  return parts.join('\n\n');
}

function indented(facts: readonly (readonly [string, string])[], layout: Layout): string {
  return formatFacts(facts, layout).replace(/^/gm, '  ');
}
