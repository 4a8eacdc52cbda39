import type { EditDirection, EditResult } from '../experiments/edit-result.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Column } from './table.ts';
import type { Layout } from './terminal.ts';

/** One column of the table: its head, and its cell of a direction. */
interface Cell extends Column {
  readonly cell: (row: EditDirection, result: EditResult) => string;
}

const named: readonly Cell[] = [
  { header: '#', align: 'right', cell: (row) => String(row.number) },
  { header: 'part', fit: true, cell: (row, { parts }) => parts[row.part]?.name ?? '' },
  { header: 'value', align: 'right', cell: ({ value }) => (value === null ? '-' : value.toFixed(3)) },
];
const predicted: readonly Cell[] = [
  { header: 'kept', align: 'right', cell: (row) => row.kept.toFixed(2) },
  { header: 'slope', align: 'right', cell: (row) => row.slope.toFixed(3) },
  { header: 'of', align: 'right', cell: (row) => row.gain.toFixed(3) },
];
const measured: readonly Cell[] = [
  { header: 'cosine', align: 'right', cell: (row) => row.linearity.toFixed(4) },
  { header: 'in/out', align: 'right', cell: ({ ratio }) => (ratio === null ? '-' : significant(ratio)) },
  { header: 'SSIM', align: 'right', cell: similarity },
  { header: 'transfer', align: 'right', cell: ({ transfer }) => (transfer === null ? '-' : transfer.toFixed(2)) },
];
const judged: readonly Cell[] = [{ header: 'changes', cell: shiftOf }];

/** What `edit` found, for a terminal of 80 columns: facts, one line a direction, and how to read it. */
export function editTable(result: EditResult, layout: Layout): string {
  const { directions, judge } = result;
  // What the judge says takes the place of what the linear model predicts: the report has both.
  const columns = judge === undefined ? [...named, ...predicted, ...measured] : [...named, ...measured, ...judged];
  const rows = directions.map((row) => columns.map(({ cell }) => cell(row, result)));
  const blocks = [formatFacts(factsOf(result), layout), formatTable(columns, rows, layout), legend(result)];
  return [...blocks, ...result.notes].join('\n\n');
}

function factsOf(result: EditResult): [string, string][] {
  const { model, images, parts, directions, sigma, vpTime, seconds, composition } = result;
  const masked = parts.filter(({ share }) => share < 1).length;
  const where = masked === 0 ? 'the whole image' : `${masked} part${masked === 1 ? '' : 's'}`;
  const facts: [string, string][] = [
    ['model', `${model.name}, ${result.sampleShape.join(' x ')}`],
    ['image', `${images[0]?.name ?? ''}; round trip ${roundTrip(images[0]?.roundTripPsnr)}`],
    ['noise', `sigma ${significant(sigma)} (t ${vpTime.toFixed(2)} of the linear VP schedule)`],
    ['found', `${directions.length} directions in ${where}, ${significant(seconds.find)} s; one applied in ${significant(seconds.apply)} s`], // prettier-ignore
  ];
  if (composition !== undefined) {
    const terms = composition.terms.map(({ direction, strength }) => `${direction} at ${strength}`).join(' and ');
    facts.push(['composed', `${terms}: ${composition.cosine.toFixed(3)} cosine to the sum of effects, remainder ${composition.remainder.toFixed(2)}`]); // prettier-ignore
  }
  return facts;
}

function roundTrip(psnr: number | null | undefined): string {
  return typeof psnr === 'number' ? `${psnr.toFixed(1)} dB` : 'exact';
}

/** Of the whole image at the two ends, mean. */
function similarity({ changes }: EditDirection): string {
  const ends = [changes[0]?.ssim, changes.at(-1)?.ssim].filter((v) => typeof v === 'number');
  return ends.length === 0 ? '-' : (ends.reduce((a, b) => a + b, 0) / ends.length).toFixed(2);
}

function shiftOf({ attributes }: EditDirection): string {
  const [most] = attributes ?? [];
  return most === undefined ? '-' : `${most.name} ${signed(most.minus)} to ${signed(most.plus)}`;
}

function legend({ directions, judge }: EditResult): string {
  const lines = [
    'value: singular value of the Jacobian inside the part;',
    ...(judge === undefined
      ? [
          'kept: length left by the null-space projection; slope of the posterior mean, measured,',
          '  of the one that the Jacobian predicts;',
        ]
      : []),
    'cosine: least to the linear model; in/out: squared change inside over outside;',
    `SSIM of the whole image; transfer: cosine of the change in other images to this one${judge === undefined ? '.' : ';'}`,
    ...(judge === undefined ? [] : ['changes: the attribute that changes most, in standard deviations of the data.']),
  ];
  if (directions.every(({ ratio }) => ratio === null)) lines.push('Global directions have no outside.');
  return lines.join('\n');
}

function significant(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(1)}`;
}
