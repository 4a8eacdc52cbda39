import type {
  CostReport,
  DoctorResult,
  MachineReport,
  ModelReport,
  PortReport,
  ReadingReport,
} from '../experiments/doctor-result.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Column } from './table.ts';
import type { Layout } from './terminal.ts';

/** Readings listed, the best first; the stated one is listed wherever it stands. */
const LISTED = 6;
/** Errors so near to each other, as a ratio, are the same. */
const EQUAL = 1.01;

/** A report with a reading that images judged. */
type Judged = ModelReport & { readonly reading: ReadingReport };

/** What the doctor found, for a terminal: the verdict comes last, where the eye is. */
export function doctorTable(result: DoctorResult, layout: Layout): string {
  if (result.model === undefined) return machineText(result.machine, layout);
  const { model } = result;
  const parts = [
    factsText(model, layout),
    portsText(model, layout),
    checksText(model, layout),
    costsText(model, layout),
  ];
  const { reading } = model;
  if (reading !== undefined) parts.push(readingText({ ...model, reading }, layout));
  const notes = reading?.note === undefined ? model.notes : [reading.note, ...model.notes];
  if (notes.length > 0)
    parts.push(
      facts(
        notes.map((note) => ['note', note]),
        layout,
      ),
    );
  parts.push(facts([['verdict', verdictText(model)]], layout));
  return parts.join('\n\n');
}

function machineText({ node, processor, cores, memoryBytes, devices }: MachineReport, layout: Layout): string {
  const machine = facts(
    [
      ['machine', `${processor}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB`],
      ['node', node],
    ],
    layout,
  );
  const rows = devices.map(({ name, available, detail }): [string, string] => [
    name,
    `${available ? 'works: ' : 'does not work: '}${detail}`,
  ]);
  return `${machine}\n\n${facts(rows, layout)}`;
}

function factsText(model: ModelReport, layout: Layout): string {
  const { name, producer, opset, fileBytes, weights, sampleShape, latent, device, operators } = model;
  return facts(
    [
      ['model', `${name}, ${weights} weights, ${size(fileBytes)}`],
      ['file', `opset ${opset}${producer === '' ? '' : `, by ${producer}`}`],
      ['sample', `${sampleShape.join('x')}${latent ? ', latents of an autoencoder' : ''}`],
      ['device', device],
      ['operators', `${operators.map(({ operator, count }) => `${operator} ${count}`).join(', ')}; all can be read`],
    ],
    layout,
  );
}

function portsText({ ports }: ModelReport, layout: Layout): string {
  const columns = [{ header: 'role' }, { header: 'name', fit: true }, { header: 'type' }, { header: 'shape' }];
  const rows = ports.map(({ role, name, elementType, shape }) => [role, name, elementType, shapeText(shape)]);
  return formatTable(columns, rows, layout);
}

/** Exporters invent long names for open sizes. */
function shapeText(shape: PortReport['shape']): string {
  return `[${shape.map((d) => (typeof d === 'string' && (d === '' || d.length > 8) ? '?' : d)).join(', ')}]`;
}

function checksText({ derivatives, referenceDefect }: ModelReport, layout: Layout): string {
  const { adjointDefect, differenceDefect, batchDefect } = derivatives;
  const row = (name: string, value: number, limit: number): string[] => [
    name,
    value.toExponential(1),
    value <= limit ? 'fine' : `SUSPICIOUS: above ${limit}`,
  ];
  const columns = [{ header: 'check' }, { header: 'relative error', align: 'right' as const }, { header: '' }];
  const rows = [
    row('<u, J v> against <J^T u, v>', adjointDefect, 1e-4),
    row('J v against differences of D', differenceDefect, 0.05),
    row('a batch against its samples one by one', batchDefect, 1e-4),
  ];
  if (referenceDefect !== undefined) rows.push(row("output against the exporter's own", referenceDefect, 1e-4));
  return formatTable(columns, rows, layout);
}

function costsText({ costs, peakBytes, inspect }: ModelReport, layout: Layout): string {
  const columns = [
    { header: 'product' },
    ...['at once', 'compile', 'run', 'each', 'peak'].map((header) => ({ header, align: 'right' as const })),
  ];
  const rows = costs.map(({ operation, count, compileMs, runMs, ...cost }: CostReport) => [
    operation,
    String(count),
    `${compileMs.toFixed(0)} ms`,
    `${milliseconds(runMs)} ms`,
    `${milliseconds(runMs / count)} ms`,
    size(cost.peakBytes),
  ]);
  const { jacobians, rows: dimension, estimatedMs } = inspect;
  const lines = facts(
    [
      ['memory', `${size(peakBytes)} at most; 'peak' is that of the whole process up to there`],
      [
        'inspect',
        `with its defaults ${jacobians} Jacobians of ${dimension} rows, about ${duration(estimatedMs)}; --levels 3 takes a quarter`,
      ],
    ],
    layout,
  );
  return `${formatTable(columns, rows, layout)}\n\n${lines}`;
}

function readingText({ reading: report, sampleShape, latent }: Judged, layout: Layout): string {
  const { check, stated, best, data, images } = report;
  const pixels = sampleShape.length === 3 && !latent;
  // Readings that are equal are listed in the order in which they are likely.
  const ranked = check.readings.toSorted((a, b) => Number(b.label === best.label) - Number(a.label === best.label));
  const listed = ranked.filter(({ label }, i) => i < LISTED || label === stated?.label);
  const cells = (label: string, range: string, numbers: readonly number[]): string[] => [
    label,
    ...(pixels ? [range] : []),
    ...numbers.map((e) => e.toPrecision(3)),
  ];
  const rows = listed.map(({ label, errors, score }) => {
    const [kind = '', range = ''] = label.split(', pixels ');
    return cells(`${kind}${label === stated?.label ? ' *' : ''}`, range, [...errors, score]);
  });
  const right = (header: string): Column => ({ header, align: 'right' });
  const columns = [
    { header: `read as${stated === undefined ? '' : ' (* stated)'}`, fit: true },
    ...(pixels ? [{ header: 'pixels' }] : []),
    ...check.sigmas.map((sigma) => right(`at ${Number(sigma.toPrecision(3))}`)),
    right('relative'),
  ];
  const wiener = cells('scalar Wiener filter', '', [...check.wiener, 1]);
  const many = `${images} ${pixels ? 'image' : 'sample'}${images === 1 ? '' : 's'}`;
  const units = pixels ? ', in units where black is -1 and white 1' : '';
  const title = `Mean squared error per number on ${many} of ${data} with noise of three levels sigma${units}. Relative: over the error of a filter that knows only the variance; below 1 the network denoises.`;
  const left = ranked.length - listed.length;
  const more = [
    ...(left > 0 ? [`${left} more are worse`] : []),
    ...(check.untried > 0 ? [`${check.untried} were not tried for lack of time`] : []),
    ...(check.overflowed.length > 0 ? [`${check.overflowed.length} gave no finite numbers`] : []),
  ].join(', ');
  const table = formatTable(columns, [...rows, wiener], layout);
  return `${wrap(title, layout.width).join('\n')}\n\n${table}${more === '' ? '' : `\n(${more})`}`;
}

/** What to make of it all, and what to do next. */
function verdictText(model: ModelReport): string {
  const { reading } = model;
  if (reading === undefined) {
    return 'NOT CHECKED: without images nothing can tell how the output is to be read. Give some like those of its training with --data.';
  }
  const { check, stated, by, best, flags } = reading;
  const tried = check.readings.length + check.overflowed.length;
  if (check.verdict === 'unclear') {
    return `UNCLEAR: under none of ${tried} readings does it denoise these data. ${causes({ ...model, reading }).join(' ')}`;
  }
  const leading = check.readings.find(({ label }) => label === best.label)?.score ?? NaN;
  const equals = check.readings.filter(({ label, score }) => label !== best.label && score <= EQUAL * leading);
  const others =
    equals.length === 0 ? '' : ` As good: ${equals.map(({ label }) => `'${label}'`).join(', ')}; either will do.`;
  if (stated === undefined) {
    return `NOT STATED: the best of ${tried} readings is '${best.label}'. Say it with ${flags}, or --write a side-car.${others}`;
  }
  if (check.verdict === 'right') return `RIGHT: none of ${tried} readings beats '${stated.label}' (${by}).`;
  return `WRONG: '${best.label}' beats '${stated.label}' (${by}). Read it with ${flags}.${others}`;
}

/** Why a network may denoise under no reading, the likely causes first. */
function causes({ referenceDefect, ports, sampleShape, latent, reading }: Judged): string[] {
  const has = (role: PortReport['role']): boolean => ports.some((port) => port.role === role);
  const likely = [
    `the data are unlike those of its training (another kind, or another size${reading?.note === undefined ? '' : ' made to fit'})`,
  ];
  likely.push('its weights are random or not loaded');
  if (referenceDefect === undefined) likely.push('the export went wrong (docs/export.md compares it with PyTorch)');
  if (latent) {
    const scale = `the latents have a deviation of ${deviation(reading).toPrecision(2)}, where about 1 is usual`;
    likely.push(`the encoder or its scaling is another: ${scale} (docs/side-car.md: latent)`);
  } else if (sampleShape.length === 3 && sampleShape[0] !== 1 && sampleShape[0] !== 3) {
    likely.push('it works on latents of another scale (docs/side-car.md: latent)');
  }
  if (has('text')) likely.push('the text embedding is of another encoder (--text)');
  if (has('class')) likely.push('another class is meant (--class), or the last one is "none"');
  likely.push('it is told time or noise in a way that was not tried (--parameterization JSON: docs/side-car.md)');
  const numbered = likely.map((cause, i) => `(${i + 1}) ${cause}`).join('; ');
  const proved = referenceDefect === undefined || referenceDefect > 1e-4 ? [] : ['The export itself is right.'];
  return [`Likely causes: ${numbered}.`, ...proved];
}

/** Of the clean data, as the filter's error l sigma^2 / (l + sigma^2) tells their variance l. */
function deviation({ check: { wiener, sigmas } }: ReadingReport): number {
  const [error, variance] = [wiener.at(-1) as number, (sigmas.at(-1) as number) ** 2];
  return Math.sqrt((error * variance) / (variance - error));
}

/** Facts whose values are wrapped beside their names. */
function facts(pairs: readonly (readonly [string, string])[], layout: Layout): string {
  const indent = Math.max(...pairs.map(([name]) => name.length)) + 2;
  const lines = pairs.flatMap(([name, value]) =>
    wrap(value, layout.width - indent).map((line, i): [string, string] => [i === 0 ? name : '', line]),
  );
  return formatFacts(lines, layout);
}

/** Words in lines of at most `width` columns; longer words, such as paths, stay whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

function milliseconds(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(2);
}

function duration(ms: number): string {
  if (ms < 90_000) return `${Math.max(1, Math.round(ms / 1000))} s`;
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

function size(bytes: number): string {
  return bytes < 2 ** 20
    ? `${Math.ceil(bytes / 2 ** 10)} KiB`
    : `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`;
}
