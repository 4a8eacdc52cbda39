import { resolve } from 'node:path';

import type { Dataset } from '../data/dataset.ts';
import { DatasetError, throwIfAborted } from '../errors/errors.ts';
import type { Command, CommandContext, CommandResult } from './command.ts';
import { defineCommand } from './command.ts';
import { formatFacts, formatTable } from './table.ts';

interface DataSpec {
  readonly command: 'data';
  readonly dataset?: string;
}

/** `eigenlens data`: the built-in data sets, or one data set described. */
export const data: Command = defineCommand({
  name: 'data',
  summary: 'List the built-in data sets, or describe one: count, shape, range, classes and content hash.',
  arguments: [
    { name: 'dataset', description: 'built-in name, folder of PNG or JPEG images, IDX(.gz), NPY or NPZ file' },
  ],
  options: {},
  examples: ['data', 'data fashion --json', 'data photos/'],
  resolve: ({ args: [dataset] }): DataSpec => ({ command: 'data', ...(dataset !== undefined && { dataset }) }),
  run: ({ dataset }, context) => (dataset === undefined ? list(context) : describe(dataset, context)),
});

async function list({ layout, signal }: CommandContext): Promise<CommandResult> {
  const { datasetNames, openDataset } = await import('../data/open.ts');
  const datasets: object[] = [];
  const rows: string[][] = [];
  for (const name of datasetNames) {
    throwIfAborted('data', signal);
    try {
      const { count, sampleShape } = await openDataset(name);
      datasets.push({ name, available: true, count, sampleShape });
      rows.push([name, String(count), sampleShape.join(' x '), '']);
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      datasets.push({ name, available: false, reason: error.message });
      rows.push([name, '-', '-', 'not on this machine']);
    }
  }
  const columns = [
    { header: 'name' },
    { header: 'count', align: 'right' },
    { header: 'shape' },
    { header: '', fit: true },
  ] as const;
  return { value: { datasets }, text: formatTable(columns, rows, layout) };
}

async function describe(spec: string, { layout }: CommandContext): Promise<CommandResult> {
  const { datasetNames, openDataset } = await import('../data/open.ts');
  const dataset = await openDataset(spec);
  const path = datasetNames.includes(spec) ? undefined : resolve(spec);
  const classes = classSizes(dataset);
  const { name, count, sampleShape, range, note } = dataset;
  const hash = await dataset.hash();
  const facts: [string, string][] = [
    ['name', name],
    ['count', String(count)],
    ['shape', sampleShape.join(' x ')],
    ['range', `${range.low} to ${range.high}`],
    ['sha256', hash],
  ];
  if (path !== undefined) facts.push(['path', path]);
  if (classes.length > 0) facts.push(['classes', classes.map((c) => `${c.name} ${c.count}`).join(', ')]);
  if (note !== undefined) facts.push(['note', note]);
  return { value: { name, count, sampleShape, range, hash, path, classes, note }, text: formatFacts(facts, layout) };
}

function classSizes({ labels, classNames }: Dataset): { name: string; count: number }[] {
  const counts = new Map<number, number>();
  for (const label of labels ?? []) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([label, count]) => ({ name: classNames?.[label] ?? String(label), count }));
}
