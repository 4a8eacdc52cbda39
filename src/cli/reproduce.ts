import { nearest } from '../data/nearest.ts';
import { SpecError } from '../errors/errors.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from '../experiments/reproduce/reproduction.ts';
import type { RunFolder } from '../store/run-folder.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { keptSweep } from './kept-sweep.ts';
import { switchOption } from './options.ts';
import { formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

interface ReproduceSpec {
  readonly job: 'reproduce';
  /** `all`, or what to run; none lists them. */
  readonly names: readonly string[] | 'all';
  readonly size: 'tiny' | 'full';
  readonly seed: number;
}

/** `eigenlens reproduce`: the figures and tables of the sources as experiments that pass or fail. */
export const reproduce: Command = defineCommand({
  name: 'reproduce',
  summary: 'a figure or table of the sources with its expected numbers: pass or fail (exit 1)',
  arguments: [{ name: 'name', description: 'which one; --list names them' }],
  options: {
    list: switchOption('list them with their sources'),
    all: switchOption('run all of them'),
    tiny: switchOption('the small version that the tests run, in seconds'),
  },
  examples: ['reproduce --list', 'reproduce overlap-table --out runs/overlap', 'reproduce --all --tiny'],
  resolve: ({ args: [name], options, seed }): ReproduceSpec => {
    const { list, all, tiny } = options;
    if (!list && !all && name === undefined) {
      throw new SpecError('reproduce', 'expected a name, --list or --all. See eigenlens reproduce --list.');
    }
    const names = list ? [] : all ? 'all' : [name as string];
    return { job: 'reproduce', names, size: tiny ? 'tiny' : 'full', seed: seed ?? 0 };
  },
  run: async (spec, context) => {
    const { reproductions } = await import('../experiments/reproduce/registry.ts');
    if (spec.names.length === 0) return listed(reproductions, context.layout);
    if (spec.names !== 'all') {
      const chosen = spec.names.map((name) => named(reproductions, name));
      const long = chosen.find(({ hours }) => hours !== undefined && spec.size === 'full');
      if (long !== undefined && context.folder === undefined) {
        throw new SpecError(
          'reproduce',
          `${long.name} takes hours and keeps what it has done in a folder. Add --out DIR.`,
        );
      }
      return runAll(chosen, [], spec, context);
    }
    const isLong = ({ hours }: Reproduction): boolean => hours !== undefined && spec.size === 'full';
    return runAll(
      reproductions.filter((r) => !isLong(r)),
      reproductions.filter(isLong),
      spec,
      context,
    );
  },
});

function named(reproductions: readonly Reproduction[], name: string): Reproduction {
  const found = reproductions.find((r) => r.name === name);
  if (found !== undefined) return found;
  const names = reproductions.map((r) => r.name);
  const near = nearest(name, names);
  const remedy = near === undefined ? `There are ${names.join(', ')}.` : `Did you mean '${near}'?`;
  throw new SpecError('reproduce', `knows no '${name}'. ${remedy}`);
}

function listed(reproductions: readonly Reproduction[], layout: Layout): CommandResult {
  const columns = [{ header: 'name' }, { header: 'claim' }];
  const value = { reproductions: reproductions.map(({ name, title, source }) => ({ name, title, source })) };
  const rows = value.reproductions.flatMap(({ name, title, source }) => [[name, title], ['', `source: ${source}`]]); // prettier-ignore
  return { value, text: formatTable(columns, rows, layout) };
}

interface Outcome extends ReproductionResult {
  readonly name: string;
  readonly seconds: number;
}

async function runAll(
  chosen: readonly Reproduction[],
  leftOut: readonly Reproduction[],
  spec: ReproduceSpec,
  context: CommandContext,
): Promise<CommandResult> {
  const { signal, progress, folder, layout } = context;
  const { createWorkerPool } = await import('../execution/worker-pool.ts');
  await using pool = createWorkerPool();
  const outcomes: Outcome[] = [];
  for (const reproduction of chosen) {
    const { name } = reproduction;
    const begun = performance.now();
    const result = await reproduction.run(spec.size, {
      seed: spec.seed,
      signal,
      onProgress: (done, total) => progress.report({ label: name, done, total }),
      // Starting workers takes longer than a tiny run.
      ...(spec.size === 'full' && { runJobs: pool.run, ...(folder && { runSweep: keptSweep(folder.path) }) }),
    });
    outcomes.push({ name, ...result, seconds: (performance.now() - begun) / 1000 });
    if (folder !== undefined) await writeFigures(folder, chosen.length > 1 ? `${name}-` : '', result);
  }
  const failed = outcomes.flatMap((o) => o.claims).filter((c) => !c.pass).length;
  const value = {
    size: spec.size,
    failed,
    leftOut: leftOut.map(({ name }) => name),
    reproductions: outcomes.map(({ name, claims, values, notes, seconds }) => ({
      name,
      seconds,
      claims,
      values,
      notes,
    })),
  };
  const hint = leftOut.map(
    ({ name, hours }) => `\nnot run, as it takes ${hours} h: eigenlens reproduce ${name} --out DIR`,
  );
  return { value, text: claimsTable(outcomes, failed, layout) + hint.join(''), exitCode: failed > 0 ? 1 : 0 };
}

async function writeFigures(folder: RunFolder, prefix: string, { figures }: ReproductionResult): Promise<void> {
  if (figures === undefined) return;
  const { plainFigureFiles } = await import('../report/plain-files.ts');
  for (const [name, svg] of await plainFigureFiles(figures)) await folder.write(`${prefix}${name}`, svg);
}

function claimsTable(outcomes: readonly Outcome[], failed: number, layout: Layout): string {
  const blocks = outcomes.map((outcome) => claimsBlock(outcome, layout));
  const count = outcomes.reduce((sum, { claims }) => sum + claims.length, 0);
  const verdict = failed === 0 ? `all ${count} claims pass` : `${failed} of ${count} claims FAIL`;
  return [...blocks, verdict].join('\n\n');
}

/** One reproduction: its claims under each source, then what was assumed. */
function claimsBlock({ name, claims, notes, seconds }: Outcome, layout: Layout): string {
  const columns = [
    { header: '' },
    { header: 'measured', align: 'right' },
    { header: 'expected', fit: true },
    { header: 'claim', fit: true },
  ] as const;
  const rows = claims.map(({ claim, expected, measured, pass }: ClaimResult) => [
    pass ? 'pass' : 'FAIL',
    String(Number(measured.toPrecision(4))),
    expected.replace(/\d\.\d{6,}/g, (digits) => String(Number(Number(digits).toPrecision(4)))),
    claim,
  ]);
  const sources = [...new Set(claims.map(({ source }) => source))];
  return [
    `${name}, ${seconds.toFixed(1)} s`,
    formatTable(columns, rows, layout),
    ...sources.map((source) => `  source  ${source}`),
    ...notes.map((note) => `  note    ${note}`),
  ].join('\n');
}
