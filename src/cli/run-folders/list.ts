import { join } from 'node:path';
import { describeParameters } from '../../experiments/sweep/describe-parameters.ts';
import type { RunList, SkippedRun, StoredRun } from '../../store/run-list.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { switchOption } from '../options.ts';
import { formatTable } from '../table.ts';
import type { Layout } from '../terminal.ts';
import { keyNumbersText, numbersOf, sizeText, whenText } from './numbers.ts';

interface ListSpec {
  readonly command: 'runs ls';
  readonly folder: string;
  /** Whether jobs of sweeps are listed one by one. */
  readonly jobs: boolean;
}

/** `eigenlens runs ls`: every run below a folder. */
export const list: Command = defineCommand({
  name: 'ls',
  summary: 'every run below a folder (default runs); a sweep is one line',
  arguments: [{ name: 'dir', description: 'folder to look in' }],
  options: { jobs: switchOption('list the jobs of sweeps one by one') },
  examples: ['runs ls', 'runs ls runs/sizes --jobs'],
  resolve: ({ args: [folder = 'runs'], options: { jobs } }): ListSpec => ({ command: 'runs ls', folder, jobs }),
  run: async ({ folder, jobs }, { layout }) => {
    const { listRuns } = await import('../../store/run-list.ts');
    const found = await listRuns(folder);
    const { runs, skipped } = found;
    const shown = jobs ? runs : folded(runs);
    const value = { folder, runs: shown.map(summary), skipped };
    return { value, text: describe(folder, shown, found, layout) };
  },
});

/** A line of the list: a run, or a sweep with its jobs. */
type Line = StoredRun & { readonly jobs?: readonly StoredRun[] };

/** Jobs under the line of their sweep, which has a line even before its first end. */
function folded(runs: readonly StoredRun[]): Line[] {
  const jobs = Map.groupBy(
    runs.filter(({ sweep }) => sweep !== undefined),
    ({ sweep }) => sweep as string,
  );
  const single = runs.filter(({ sweep }) => sweep === undefined);
  const known = new Set(single.map(({ path }) => path));
  const unfinished = [...jobs].filter(([path]) => !known.has(path)).map(([path, own]) => startedSweep(path, own));
  return [...single, ...unfinished]
    .map((run) => (jobs.has(run.path) ? { ...run, jobs: jobs.get(run.path) as StoredRun[] } : run))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A sweep that has not come to an end wrote nothing of itself yet. */
function startedSweep(path: string, jobs: readonly StoredRun[]): Line {
  const when = jobs[0]?.when ?? '';
  return { path, job: 'sweep', parameters: {}, last: {}, when, files: [], bytes: 0, spec: {}, result: {} };
}

function bytesOf({ bytes, jobs = [] }: Line): number {
  return jobs.reduce((sum, job) => sum + job.bytes, bytes);
}

function whenOf({ when, jobs = [] }: Line): string {
  return jobs.reduce((latest, job) => (job.when > latest ? job.when : latest), when);
}

function summary(line: Line): object {
  const { path, job, name, key, jobs } = line;
  const numbers = jobs === undefined ? Object.fromEntries(numbersOf(line)) : undefined;
  return { path, job, name, key, when: whenOf(line), bytes: bytesOf(line), jobs: jobs?.length, numbers };
}

function describe(folder: string, lines: readonly Line[], { skipped }: RunList, layout: Layout): string {
  if (lines.length === 0 && skipped.length === 0)
    return `no runs below ${folder}. A command with --out DIR writes one.`;
  const columns = [
    { header: 'path' },
    { header: 'job' },
    { header: 'when' },
    { header: 'size', align: 'right' },
    { header: 'name, numbers', fit: true },
  ] as const;
  const rows = lines.map((line) => {
    const { path, job, jobs } = line;
    const name = line.key === undefined ? line.name : describeParameters(line.parameters);
    const kind = jobs?.[0]?.job;
    const numbers = jobs === undefined ? keyNumbersText(line, 3) : `${jobs.length} jobs done`;
    const about = [name, numbers].filter((part) => part !== undefined && part !== '').join(': ');
    return [
      path,
      kind === undefined ? job : `sweep of ${kind}`,
      whenText(whenOf(line)),
      sizeText(bytesOf(line)),
      about,
    ];
  });
  return [formatTable(columns, rows, layout), ...skippedLines(skipped)].join('\n');
}

/** One line for each folder that was passed over. */
export function skippedLines(skipped: readonly SkippedRun[]): string[] {
  return skipped.map(({ path, reason }) => `skipped ${join(path)}: ${reason}`);
}
