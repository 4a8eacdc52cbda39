import type { InspectResult, LinearityRow, TripletRow } from '../experiments/inspect-result.ts';
import type { ToldReading } from '../experiments/open-model.ts';
import { copiesInWords } from '../report/copy-words.ts';
import { keyNumbers, lowestRow } from '../report/key-numbers.ts';
import type { KeyRow } from '../report/key-numbers.ts';
import { besideTable } from './beside-table.ts';
import { formatFacts, formatTable } from './table.ts';
import type { Column } from './table.ts';
import type { Layout } from './terminal.ts';

const columns: readonly Column[] = [
  { header: 'sigma', align: 'right' },
  { header: 'held-out', align: 'right' },
  { header: 'trajectory', align: 'right' },
  { header: 'S1', align: 'right' },
  { header: 'residual', align: 'right' },
  { header: 'status' },
  { header: 'asym', align: 'right' },
  { header: 'bend', align: 'right' },
];

/** What went wrong with triplets, the worst first, in words that fit. */
const severity: readonly (readonly [TripletRow['status'], string])[] = [
  ['nonFinite', 'not finite'],
  ['stagnated', 'stagnated'],
  ['maxIterations', 'slow'],
];

/** What `inspect` found, for a terminal of 80 columns: facts, one line a noise level, and how to read it. */
export function inspectTable(result: InspectResult, layout: Layout): string {
  const rows = keyNumbers(result);
  const step = unitStep(result);
  const facts = formatFacts(
    [
      ['model', `${result.model}, ${result.dimension} dimensions, ${result.dtype}`],
      ['data', `${result.dataset.name}, ${imageCount(result)}; seed ${result.seed}`],
      ['lowest', describeLowest(rows, result.dimension)],
      ...(result.copying ? [['copying', copiesInWords(result.copying)] satisfies [string, string]] : []),
      ...(result.reading ? readingFacts(result.reading) : []),
    ],
    layout,
  );
  const table = formatTable(
    columns,
    rows.map((row) => tableRow(row, result, step)),
    layout,
  );
  const beside = result.beside && besideTable(result, result.beside, layout);
  return [facts, ...(beside === undefined ? [] : [beside]), table, legend(result, step)].join('\n\n');
}

function tableRow(row: KeyRow, result: InspectResult, step: number): string[] {
  const statuses = new Set(result.triplets.filter((t) => t.sigma === row.sigma).map((t) => t.status));
  const bends = result.linearity
    .filter((l) => l.sigma === row.sigma && l.site === 'heldout')
    .map((l) => l.steps[step]?.remainder);
  return [
    significant(row.sigma),
    rankCell(row, 'heldout', result.dimension),
    rankCell(row, 'trajectory', result.dimension),
    row.leading?.toFixed(4) ?? '-',
    exponent(row.residual),
    severity.find(([status]) => statuses.has(status))?.[1] ?? 'ok',
    exponent(row.defect),
    exponent(Math.max(...bends.map((bend) => bend ?? NaN))),
  ];
}

/** `6 12 0.125`: rank by the papers' rule, by plain energy, and the ratio of the first. */
function rankCell({ ranks }: KeyRow, site: keyof KeyRow['ranks'], dimension: number): string {
  const { 'sqrt-energy-0.99': papers, 'energy-0.99': plain } = ranks[site];
  if (papers === undefined || plain === undefined) return '-';
  const width = String(dimension).length;
  const show = (rank: number): string => String(Math.round(rank)).padStart(width);
  return `${show(papers)} ${show(plain)} ${(papers / dimension).toFixed(3)}`;
}

function describeLowest(rows: readonly KeyRow[], dimension: number): string {
  const lowest = lowestRow(rows);
  const rank = lowest?.ranks.heldout['sqrt-energy-0.99'];
  if (lowest?.ratio === undefined || rank === undefined) return 'no rank was measured';
  const ratio = lowest.ratio.toPrecision(3);
  return `rank ${Math.round(rank)} of ${dimension} (ratio ${ratio}) at sigma ${significant(lowest.sigma)}, held-out`;
}

/** How a foreign network was read, who says so, and what the images say. */
function readingFacts({ label, by, check }: ToldReading): [string, string][] {
  if (by === undefined)
    return [
      ['read as', label],
      ['', `not stated: the best of ${check.readings.length} tried`],
    ];
  const proof = check.verdict === 'right' ? 'real images agree' : 'these images do not tell';
  return [
    ['read as', label],
    ['', `${proof}; stated by ${by}`],
  ];
}

function imageCount({ rankCurve }: InspectResult): string {
  const count = new Set(rankCurve.filter((r) => r.site === 'heldout').map((r) => r.image)).size;
  return count === 1 ? '1 held-out sample' : `means of ${count} held-out samples`;
}

/** Index of the step whose length at the lowest noise, where VE and VP lengths agree, is nearest to 1. */
function unitStep({ linearity }: InspectResult): number {
  const row = linearity.reduce<LinearityRow | undefined>(
    (least, l) => (least === undefined || l.sigma < least.sigma ? l : least),
    undefined,
  );
  const distances = (row?.steps ?? []).map(({ length }) => Math.abs(Math.log(length)));
  return distances.indexOf(Math.min(...distances));
}

function legend({ linearity }: InspectResult, step: number): string {
  const lengths = linearity.map((row) => row.steps[step]?.length ?? NaN);
  return [
    'held-out, trajectory: numerical rank of the Jacobian at a noised held-out',
    '  sample and at that state of a sampling trajectory: by sqrt-energy-0.99, by',
    '  energy-0.99, and the first over the dimension; low: few directions matter.',
    'S1, residual, status: largest singular value; worst |Jv - su| or |J^Tu - sv| of',
    '  the leading triplets; ok if all of them converged.',
    'asym: |J - J^T| / |J|, 0 for an exact posterior mean.',
    `bend: share of the change that J misses, ${significant(Math.min(...lengths))} sqrt(1 + sigma^2) along the leading`,
    '  direction: near 0 the denoiser is linear there, near 1 it is not.',
  ].join('\n');
}

function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function exponent(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  return value === 0 ? '0' : value.toExponential(0);
}
