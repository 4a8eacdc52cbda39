import { availableParallelism } from 'node:os';
import { SpecError } from '../errors/errors.ts';
import type { JobRow } from '../experiments/jobs/job.ts';
import { mergedRow } from '../experiments/sweep/merged-row.ts';
import type { RunningJob, SweepOutcome, SweepProgress } from '../experiments/sweep/run-sweep.ts';
import type { SweepSpec } from '../experiments/sweep/sweep-spec.ts';
import type { SweepFolder } from '../store/sweep-folder.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { number } from './options.ts';
import type { ProgressReport } from './progress.ts';
import { formatRows } from './rows-table.ts';
import type { Layout } from './terminal.ts';
import { packageVersion } from './version.ts';

interface SweepCommandSpec extends SweepSpec {
  readonly workers?: number;
}

/** `eigenlens sweep`: many jobs on a pool of workers, each kept as it ends. */
export const sweep: Command = defineCommand({
  name: 'sweep',
  summary: 'run many jobs on all cores; stops and goes on, never does a job twice (needs --out)',
  arguments: [
    {
      name: 'spec',
      description: 'JSON file, or the name of one that is shipped (sizes): a kind of job, a base, a grid, cases',
      required: true,
    },
  ],
  options: { workers: number('<n>', 'jobs at a time, each on one core (default one a core)') },
  examples: [
    'sweep sizes --dry-run',
    'sweep repro/sizes/sweep.json --out runs/sizes',
    'sweep sizes --out runs/sizes --workers 8',
  ],
  resolve: async ({ args: [path], options: { workers }, seed }): Promise<SweepCommandSpec> => {
    if (seed !== undefined) throw new SpecError('sweep', 'takes no --seed. Say seeds in the base or the grid.');
    if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1 && workers <= 1024)) {
      throw new SpecError('--workers', `expected an integer from 1 to 1024, got ${workers}.`);
    }
    const { resolveSweep } = await import('../experiments/sweep/sweep-spec.ts');
    const { readSpecFile, sweepFileNamed } = await import('../store/spec-file.ts');
    const spec = await resolveSweep(await readSpecFile(sweepFileNamed(path as string)), packageVersion());
    return { ...spec, ...(workers !== undefined && { workers }) };
  },
  run: (spec, context) => runCommand(spec, context),
});

async function runCommand(
  { workers: said, ...spec }: SweepCommandSpec,
  context: CommandContext,
): Promise<CommandResult> {
  const { signal, progress, folder, layout } = context;
  if (folder === undefined) throw new SpecError('sweep', 'needs a folder for the results. Add --out DIR.');
  const { openSweepFolder } = await import('../store/sweep-folder.ts');
  const { createWorkerPool } = await import('../execution/worker-pool.ts');
  const { runSweep } = await import('../experiments/sweep/run-sweep.ts');
  const workers = said ?? availableParallelism();
  await using store = await openSweepFolder(folder.path, spec);
  await using pool = createWorkerPool({ size: workers, cores: 1 });
  const outcome = await runSweep(spec, {
    store,
    runJobs: pool.run,
    workers,
    signal,
    onProgress: (state) => progress.report(reportOf(state)),
  });
  const results = await mergeRows(spec, store, (text) => folder.write('rows.jsonl', text));
  return result(spec, outcome, results, layout);
}

function reportOf(state: SweepProgress): ProgressReport {
  const partly = state.running.reduce((sum, job) => sum + shareOf(job), 0);
  // A job that failed leaves nothing to wait for.
  return { label: 'jobs', done: state.done + state.failed, total: state.total, partly, detail: describe(state) };
}

/** `1 failed, size 16 seed 0 40% loss 0.31`. */
function describe({ failed, running }: SweepProgress): string | undefined {
  const jobs = running.map((job) =>
    [...Object.values(job.parameters), `${Math.round(100 * shareOf(job))}%`, job.detail ?? ''].join(' ').trim(),
  );
  return [...(failed > 0 ? [`${failed} failed`] : []), ...jobs].join(' | ') || undefined;
}

function shareOf({ done, total }: RunningJob): number {
  return total > 0 ? done / total : 0;
}

/** The last row of each job of this sweep; writes the rows of all jobs of the folder. */
async function mergeRows(
  spec: SweepSpec,
  store: SweepFolder,
  write: (text: string) => Promise<void>,
): Promise<Map<string, JobRow>> {
  const current = new Map(spec.jobs.map((entry) => [entry.key, entry]));
  const last = new Map<string, JobRow>();
  const lines: string[] = [];
  for await (const { record, rows } of store.jobs()) {
    const { key } = record;
    // What is varied may have changed since the job ran.
    const parameters = current.get(key)?.parameters ?? record.parameters;
    for (const row of rows) lines.push(`${JSON.stringify(mergedRow({ key }, parameters, row))}\n`);
    if (current.has(key)) last.set(key, mergedRow({}, parameters, rows.at(-1) ?? {}));
  }
  await write(lines.join(''));
  return last;
}

function result(
  spec: SweepSpec,
  { ran, found, failures }: SweepOutcome,
  last: ReadonlyMap<string, JobRow>,
  layout: Layout,
): CommandResult {
  const jobs = spec.jobs.map(({ key, parameters }) => ({ key, done: last.has(key), row: last.get(key) ?? parameters }));
  const value = {
    name: spec.name,
    kind: spec.kind,
    total: spec.jobs.length,
    ran,
    found,
    failed: failures.length,
    failures: failures.map(({ key, parameters, message, code }) => ({ key, parameters, message, code })),
    jobs,
  };
  const text = [
    formatRows(
      jobs.map(({ key, row }) => ({ key, ...row })),
      layout,
    ),
    ...failures.map(({ key, message }) => `failed ${key}: ${message}`),
    `${spec.name}: ${ran} jobs run, ${found} found done, ${failures.length} failed`,
  ].join('\n');
  return { value, text, exitCode: failures.length > 0 ? 1 : 0 };
}
