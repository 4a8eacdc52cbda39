import type { DoctorResult, MachineReport, ModelReport, ReadingReport } from '../experiments/doctor-result.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

/** Readings listed, the best first. */
const LISTED = 6;

/** What the doctor found, for a terminal. */
export function doctorTable(result: DoctorResult, layout: Layout): string {
  if (result.model === undefined) return machineText(result.machine, layout);
  const { model } = result;
  const parts = [factsText(model, layout), portsText(model, layout), operatorsText(model, layout)];
  if (model.reading !== undefined) parts.push(readingText(model.reading, layout));
  parts.push(derivativesText(model, layout), costsText(model, layout));
  if (model.notes.length > 0) parts.push(model.notes.map((note) => wrapped(note, layout.width)).join('\n'));
  return parts.join('\n\n');
}

function machineText({ node, processor, cores, memoryBytes, devices }: MachineReport, layout: Layout): string {
  const facts = formatFacts(
    [
      ['machine', `${processor}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB`],
      ['node', node],
    ],
    layout,
  );
  const rows = devices.map(({ name, available, detail }) => [name, available ? 'works' : 'no', detail]);
  const columns = [{ header: 'device' }, { header: '' }, { header: '' }];
  return `${facts}\n\n${formatTable(columns, rows, layout)}`;
}

function factsText(model: ModelReport, layout: Layout): string {
  const { name, producer, opset, fileBytes, weights, sampleShape, latent, device } = model;
  return formatFacts(
    [
      ['model', `${name}, ${weights} weights, ${mebibytes(fileBytes)}`],
      ['file', `opset ${opset}${producer === '' ? '' : `, by ${producer}`}`],
      ['sample', `${sampleShape.join('x')}${latent ? ', latents of an autoencoder' : ''}`],
      ['device', device],
    ],
    layout,
  );
}

function portsText({ ports }: ModelReport, layout: Layout): string {
  const columns = [{ header: 'role' }, { header: 'name', fit: true }, { header: 'type' }, { header: 'shape' }];
  const rows = ports.map(({ role, name, elementType, shape }) => [
    role,
    name,
    elementType,
    `[${shape.map((d) => (d === '' ? '?' : d)).join(', ')}]`,
  ]);
  return formatTable(columns, rows, layout);
}

function operatorsText({ operators }: ModelReport, { width }: Layout): string {
  const list = operators.map(({ operator, count }) => `${operator} ${count}`).join(', ');
  return wrapped(`operators  ${list}; all can be read`, width);
}

function readingText(report: ReadingReport, layout: Layout): string {
  const { check, stated, data, images } = report;
  const rows = check.readings
    .slice(0, LISTED)
    .map(({ label, errors, score }) => [
      label === stated?.label ? `${label} (stated)` : label,
      ...errors.map((e) => e.toPrecision(3)),
      score.toPrecision(3),
    ]);
  const columns = [
    { header: 'reading', fit: true },
    ...check.sigmas.map((sigma) => ({ header: `at ${Number(sigma.toPrecision(3))}`, align: 'right' as const })),
    { header: 'relative', align: 'right' as const },
  ];
  const wiener = ['scalar Wiener filter', ...check.wiener.map((e) => e.toPrecision(3)), '1.00'];
  const title = `mean squared error of ${images} images of ${data} with noise, by reading; lower is better`;
  return `${title}\n${formatTable(columns, [...rows, wiener], layout)}\n\n${wrapped(verdict(report), layout.width)}`;
}

function verdict({ check, stated, by, best, flags }: ReadingReport): string {
  if (check.verdict === 'unclear') {
    return 'verdict  UNCLEAR: under no reading does it denoise these images. Give images like those of its training, or check the export.';
  }
  const tried = check.readings.length + check.overflowed.length;
  if (stated === undefined)
    return `verdict  NOT STATED: the best of ${tried} readings is '${best.label}'. Say it with ${flags}, or --write a side-car.`;
  if (check.verdict === 'right') return `verdict  RIGHT: none of ${tried} readings beats '${stated.label}' (${by}).`;
  return `verdict  WRONG: '${best.label}' beats '${stated.label}' (${by}). Read it with ${flags}.`;
}

function derivativesText({ derivatives, referenceDefect }: ModelReport, layout: Layout): string {
  const { adjointDefect, differenceDefect, batchDefect } = derivatives;
  const row = (value: number, limit: number): string =>
    `${value.toExponential(1)} ${value <= limit ? 'fine' : 'SUSPICIOUS'}`;
  return formatFacts(
    [
      ['<u, J v> against <J^T u, v>', row(adjointDefect, 1e-4)],
      ['J v against differences of D', row(differenceDefect, 0.05)],
      ['a batch against its samples', row(batchDefect, 1e-4)],
      ...(referenceDefect === undefined
        ? []
        : [["F against the exporter's own output", row(referenceDefect, 1e-4)] as const]),
    ],
    layout,
  );
}

function costsText({ costs, peakBytes }: ModelReport, layout: Layout): string {
  const columns = [
    { header: 'product' },
    { header: 'at once', align: 'right' },
    { header: 'compile, ms', align: 'right' },
    { header: 'run, ms', align: 'right' },
  ] as const;
  const rows = costs.map(({ operation, count, compileMs, runMs }) => [
    operation,
    String(count),
    compileMs.toFixed(0),
    runMs.toPrecision(3),
  ]);
  return `${formatTable(columns, rows, layout)}\n\npeak memory ${mebibytes(peakBytes)}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`;
}

/** Words in lines of at most `width` columns, later ones indented. */
function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )(?! )/)) {
    if (line !== '' && line.length + word.trimEnd().length > width) {
      lines.push(line.trimEnd());
      line = '  ';
    }
    line += word;
  }
  return [...lines, line].join('\n');
}
