import type { EditRun } from '../experiments/edit-result.ts';
import type { InspectArrays, InspectResult } from '../experiments/inspect-result.ts';
import { copyingFigures, copyingTable } from './copying-figures.ts';
import { copyingLead } from './copying-lead.ts';
import { stripsFigure } from './figures/edit-strips.ts';
import { EditTiles } from './figures/edit-tiles.ts';
import { inspectFigures } from './inspect-figures.ts';
import { greatest, keyNumbers, lowestRow, type KeyRow } from './key-numbers.ts';
import { inspectNotes } from './inspect-notes.ts';
import { figureSection, remarksSection, reportPage, tableSection } from './page.ts';
import type { KeyNumber } from './page.ts';
import { loadCanvas, showMeasured, showNumber } from './svg.ts';

/**
 * The report of `eigenlens inspect` as one HTML file: no script, no network, light and dark, readable on a telephone and on paper.
 * @param more.other  arrays of the second model, where `result` has one beside
 * @param more.edited  one-step edits of the first held-out image
 * @returns the whole document
 */
export async function renderReport(
  result: InspectResult,
  arrays: InspectArrays,
  more: { readonly other?: InspectArrays | undefined; readonly edited?: EditRun | undefined } = {},
): Promise<string> {
  const canvas = await loadCanvas();
  const { beside } = result;
  const models = [{ result, arrays }, ...(beside && more.other ? [{ result: beside, arrays: more.other }] : [])];
  const figures = [
    ...copyingFigures(canvas, models),
    ...inspectFigures(canvas, result, arrays),
    ...(more.edited ? [stripsFigure(more.edited, new EditTiles(more.edited))] : []),
  ];
  const rows = keyNumbers(result);
  return reportPage({
    title: beside ? `${result.model} beside ${beside.model}` : result.model,
    kind: kindOf(result),
    lead: copyingLead(models),
    facts: factsOf(result),
    keys: keysOf(rows, result),
    sections: [
      ...figures.map(figureSection),
      numbersSection(rows, result),
      ...copyingTable(models.map((model) => model.result)),
      ...remarksSection(models.flatMap((model) => notesOf(model.result))),
      inspectNotes(result),
    ],
  });
}

function notesOf({ model, copying }: InspectResult): string[] {
  return (copying?.notes ?? []).map((note) => `${model}, as eigenlens audit says it: ${note}`);
}

function kindOf({ model, sigmas, beside }: InspectResult): string {
  const jacobian = `The Jacobian of a denoiser at ${sigmas.length} noise levels`;
  if (beside === undefined) return jacobian;
  return `Two models from the same noise; further down, the Jacobian of ${model} at ${sigmas.length} noise levels`;
}

function factsOf(result: InspectResult): [string, string][] {
  const { dataset, seed, dtype, versions, startedAt, wallMs, sampleShape, dimension, reading, device } = result;
  return [
    ['Data', `${dataset.name} (${dataset.hash.slice(0, 12)})`],
    ['Sample', `${sampleShape.join(' \u00d7 ')} = ${dimension} dimensions`],
    ['Seed', String(seed)],
    ['Coordinates', `${result.coordinates}, ${dtype}${device === undefined ? '' : ` on ${device}`}`],
    ...(reading ? [['Read as', reading.label] satisfies [string, string]] : []),
    ['Date', `${startedAt.slice(0, 16).replace('T', ' ')} UTC`],
    ['Time taken', `${showNumber(wallMs / 1000)} s`],
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
  ];
}

function keysOf(rows: readonly KeyRow[], { dimension, triplets }: InspectResult): KeyNumber[] {
  const lowest = lowestRow(rows);
  const rank = lowest?.ranks.heldout['sqrt-energy-0.99'];
  const least = rows.at(-1);
  const open = triplets.filter((t) => t.status !== 'converged').length;
  const keys: [string, string, string][] = [
    [
      'Lowest rank',
      show(rank),
      `of ${dimension} directions (mean of held-out samples), at \u03c3 ${show(lowest?.sigma, 2)}`,
    ],
    ['Rank ratio there', measured(lowest?.ratio, 3), `${measured(least?.ratio, 3)} at \u03c3 ${show(least?.sigma, 2)}`],
    [
      'Worst residual',
      measured(greatest(rows.map((row) => row.residual))),
      open === 0
        ? 'of any singular triplet; all converged'
        : `of any triplet; ${open} of ${triplets.length} sets not converged`,
    ],
    [
      'Symmetry defect',
      measured(lowest?.defect),
      `at \u03c3 ${show(lowest?.sigma, 2)}; at most ${measured(greatest(rows.map((row) => row.defect)))}`,
    ],
  ];
  return keys.map(([name, value, note]) => ({ name, value, note }));
}

function numbersSection(rows: readonly KeyRow[], { dimension }: InspectResult): string {
  const lowest = lowestRow(rows);
  const body = rows.map((row) => {
    const { heldout, trajectory } = row.ranks;
    const cells = [
      show(row.sigma, 2),
      show(heldout['sqrt-energy-0.99']),
      show(heldout['energy-0.99']),
      measured(row.ratio, 3),
      show(trajectory['sqrt-energy-0.99']),
      show(trajectory['energy-0.99']),
      measured(row.leading, 3),
      measured(row.residual),
      measured(row.defect),
    ];
    return { cells, shaded: row === lowest };
  });
  return tableSection({
    id: 'numbers',
    title: 'The numbers',
    reading: `Ranks out of ${dimension}, means over held-out samples; s\u2081 is the largest singular value there; residual and symmetry defect are the worst of both sites. The row of lowest rank is shaded.`,
    head: [
      '<tr><th></th><th colspan="3" class="group">held-out samples</th><th colspan="2" class="group">trajectory</th><th></th><th>worst</th><th>symmetry</th></tr>',
      '<tr><th>\u03c3</th><th>rank \u221a0.99</th><th>rank 0.99</th><th>ratio</th><th>rank \u221a0.99</th><th>rank 0.99</th><th>s\u2081</th><th>residual</th><th>defect</th></tr>',
    ],
    rows: body,
  });
}

/** Ranks and noise levels. */
function show(value: number | undefined, digits = 4): string {
  return value === undefined ? '\u2013' : showNumber(value, digits);
}

/** What was measured in floating point. */
function measured(value: number | undefined, digits = 2): string {
  return value === undefined ? '\u2013' : showMeasured(value, digits);
}
