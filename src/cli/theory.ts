import { nearest } from '../data/nearest.ts';
import { SpecError } from '../errors/errors.ts';
import { theoryTopics } from '../experiments/theory/registry.ts';
import type { TheoryTopic } from '../experiments/theory/topic.ts';
import { defineCommand } from './command.ts';
import type { Command, CommandContext, CommandResult, ValueOption } from './command.ts';
import { number } from './options.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

interface TheorySpec {
  readonly job: 'theory';
  readonly topic?: string;
  /** JSON has no Infinity, which a number of noise draws may be. */
  readonly parameters: Readonly<Record<string, number | 'Infinity'>>;
  readonly seed: number;
}

/** `eigenlens theory NAME`: closed forms of the sources as numbers, tables and curves. */
export const theory: Command = defineCommand({
  name: 'theory',
  summary: 'closed forms of the sources as numbers, tables and curves; with --trials, Monte Carlo beside them',
  arguments: [{ name: 'name', description: `one of ${theoryTopics.map((t) => t.name).join(', ')}; none lists them` }],
  options: parameterOptions(),
  examples: ['theory', 'theory overlap --p 200 --n 1000 --snr 1 --json', 'theory boundary --n 48 --d 4 --trials 20'],
  resolve: ({ args: [name], options, seed }): TheorySpec => {
    const given = Object.fromEntries(
      Object.entries(options).filter((entry): entry is [string, number] => entry[1] !== undefined),
    );
    if (name === undefined) return { job: 'theory', parameters: {}, seed: seed ?? 0 };
    return { job: 'theory', topic: name, parameters: withFallbacks(topicOf(name), given), seed: seed ?? 0 };
  },
  run: (spec, context) => (spec.topic === undefined ? Promise.resolve(list(context.layout)) : evaluate(spec, context)),
});

/** One flag for every parameter that any topic takes. */
function parameterOptions(): Record<string, ValueOption<number>> {
  const meanings = new Map<string, Map<string, string[]>>();
  for (const topic of theoryTopics) {
    for (const [name, { meaning }] of Object.entries(topic.parameters)) {
      const known = meanings.get(name) ?? new Map<string, string[]>();
      known.set(meaning, [...(known.get(meaning) ?? []), topic.name]);
      meanings.set(name, known);
    }
  }
  return Object.fromEntries(
    [...meanings].map(([name, uses]) => {
      const text = [...uses].map(([meaning, topics]) => `${topics.join(', ')}: ${meaning}`).join('; ');
      return [name, number('<x>', text)];
    }),
  );
}

function topicOf(name: string): TheoryTopic {
  const names = theoryTopics.map((t) => t.name);
  const found = theoryTopics.find((t) => t.name === name);
  if (found !== undefined) return found;
  const near = nearest(name, names);
  throw new SpecError(
    'theory',
    `expected ${names.join(', ')}, got '${name}'.${near ? ` Did you mean '${near}'?` : ''}`,
  );
}

function withFallbacks(
  topic: TheoryTopic,
  given: Readonly<Record<string, number>>,
): Record<string, number | 'Infinity'> {
  const surplus = Object.keys(given).find((name) => !Object.hasOwn(topic.parameters, name));
  if (surplus !== undefined) {
    const takes = Object.keys(topic.parameters).map(flagOf).join(', ');
    throw new SpecError(`theory ${topic.name}`, `does not take ${flagOf(surplus)}. It takes ${takes}.`);
  }
  const missing = Object.entries(topic.parameters).filter(
    ([name, { fallback }]) => fallback === undefined && given[name] === undefined,
  );
  if (missing.length > 0) {
    const flags = missing.map(([name, { meaning }]) => `${flagOf(name)} (${meaning})`).join(', ');
    throw new SpecError(`theory ${topic.name}`, `needs ${flags}.`);
  }
  return Object.fromEntries(
    Object.entries(topic.parameters).flatMap(([name, { fallback }]) => {
      const value = given[name] ?? fallback;
      return value === undefined ? [] : [[name, value === Infinity ? 'Infinity' : value]];
    }),
  );
}

/** A parameter as the command line says it: `--sigma-min`, but `--K`. */
function flagOf(name: string): string {
  return `--${name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function list(layout: Layout): CommandResult {
  const columns = [{ header: 'name' }, { header: 'computes' }];
  const rows = theoryTopics.flatMap(({ name, summary, source }) => [[name, summary], ['', `source: ${source}`]]); // prettier-ignore
  const topics = theoryTopics.map(({ name, summary, source, parameters }) => ({ name, summary, source, parameters }));
  return { value: { topics }, text: formatTable(columns, rows, layout) };
}

async function evaluate(spec: TheorySpec, context: CommandContext): Promise<CommandResult> {
  const { signal, progress, folder, layout } = context;
  const topic = topicOf(spec.topic ?? '');
  const parameters = Object.fromEntries(Object.entries(spec.parameters).map(([name, v]) => [name, Number(v)]));
  const { values, table, figures } = await topic.compute(parameters, {
    seed: spec.seed,
    signal,
    onProgress: (done, total) => progress.report({ label: topic.name, done, total }),
  });
  if (folder !== undefined && figures !== undefined) {
    const { plainFigureFiles } = await import('../report/plain-files.ts');
    for (const [name, svg] of await plainFigureFiles(figures)) await folder.write(name, svg);
  }
  const facts = Object.entries(values).flatMap(([name, v]): [string, string][] =>
    typeof v === 'number' ? [[name, String(Number(v.toPrecision(6)))]] : typeof v === 'string' ? [[name, v]] : [],
  );
  const parts = [formatFacts([['source', topic.source], ...facts], layout)];
  if (table !== undefined) {
    const columns = table.columns.map((header) => ({ header, align: 'right' as const }));
    const rows = table.rows.map((row) =>
      row.map((v) => (typeof v === 'number' ? String(Number(v.toPrecision(4))) : v)),
    );
    parts.push(formatTable(columns, rows, layout));
  }
  const value = { topic: topic.name, source: topic.source, parameters: spec.parameters, ...values };
  return { value, text: parts.join('\n\n') };
}
