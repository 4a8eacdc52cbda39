import { SpecError } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { cellText } from '../rows-table.ts';
import { formatTable } from '../table.ts';
import type { Layout } from '../terminal.ts';
import { fieldsByName, numbersOf } from './numbers.ts';

interface CompareRunsSpec {
  readonly command: 'runs compare';
  readonly runs: readonly string[];
}

/** What differs between runs: a name and a value for each. */
interface Difference<T> {
  readonly name: string;
  readonly values: readonly (T | null)[];
}

/** `eigenlens runs compare`: what differs between runs. */
export const compareRuns: Command = defineCommand({
  name: 'compare',
  summary: 'the spec fields and numbers in which runs differ, side by side',
  arguments: [{ name: 'runs', description: 'folders of two or more runs', required: true, variadic: true }],
  options: {},
  examples: ['runs compare runs/a runs/b'],
  resolve: ({ args }): CompareRunsSpec => {
    const runs = args.filter((arg) => arg !== undefined);
    if (runs.length < 2) throw new SpecError('runs compare', `expected two or more runs, got ${runs.length}.`);
    return { command: 'runs compare', runs };
  },
  run: async ({ runs: paths }, { layout }) => {
    const { readRun } = await import('../../store/run-list.ts');
    const runs = await Promise.all(paths.map((path) => readRun(path)));
    const spec = differences(runs.map((run) => fieldsByName(run.spec)));
    const numbers = differences(runs.map((run) => numbersOf(run)));
    const value = { runs: paths, spec: spec.different, numbers: numbers.different };
    const text = [
      paths.map((path, i) => `${letter(i)}  ${path}`).join('\n'),
      section('spec', spec, (v) => v, layout),
      section('numbers', numbers, cellText, layout),
    ].join('\n\n');
    return { value, text };
  },
});

function differences<T>(all: readonly ReadonlyMap<string, T>[]): { different: Difference<T>[]; equal: number } {
  const names = [...new Set(all.flatMap((one) => [...one.keys()]))];
  const lines = names.map((name) => ({ name, values: all.map((one) => one.get(name) ?? null) }));
  const different = lines.filter(({ values }) => new Set(values).size > 1);
  return { different, equal: lines.length - different.length };
}

function section<T>(
  title: string,
  { different, equal }: { different: readonly Difference<T>[]; equal: number },
  show: (value: T) => string,
  layout: Layout,
): string {
  const alike = `${equal} ${title === 'spec' ? 'fields' : 'numbers'} are alike`;
  if (different.length === 0) return `${title}: no difference, ${alike}`;
  const count = different[0]?.values.length ?? 0;
  const columns = [
    { header: title },
    ...Array.from({ length: count }, (_, i) => ({ header: letter(i), align: 'right' as const, fit: true })),
  ];
  const rows = different.map(({ name, values }) => [name, ...values.map((v) => (v === null ? '' : show(v)))]);
  return `${formatTable(columns, rows, layout)}\n${alike}`;
}

/** A, B, ..., Z, 27, 28, ... */
function letter(i: number): string {
  return i < 26 ? String.fromCharCode(65 + i) : String(i + 1);
}
