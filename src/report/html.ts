import type { InspectArrays, InspectResult } from '../experiments/inspect-result.ts';
import type { Figure } from './figures/figure.ts';
import { inspectFigures } from './inspect-figures.ts';
import { greatest, keyNumbers, lowestRow, type KeyRow } from './key-numbers.ts';
import { notesSection } from './notes.ts';
import { reportStyle } from './style.ts';
import { escapeText, loadCanvas, showMeasured, showNumber } from './svg.ts';

/** Widths in CSS pixels for which every figure is drawn: the column of the page, and a telephone of 390 pixels. */
const WIDE = 760;
const NARROW = 350;

/**
 * The report of `eigenlens inspect` as one HTML file: no script, no network, light and dark, readable on a telephone and on paper.
 * @returns the whole document
 */
export async function renderReport(result: InspectResult, arrays: InspectArrays): Promise<string> {
  const figures = inspectFigures(await loadCanvas(), result, arrays);
  const rows = keyNumbers(result);
  const title = `${result.model} \u00b7 Eigenlens`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${reportStyle()}
</style>
</head>
<body>
<main>
${header(result)}
${keySection(rows, result)}
${figures.map(figureSection).join('\n')}
${tableSection(rows, result)}
${notesSection(result)}
</main>
</body>
</html>
`;
}

function header(result: InspectResult): string {
  const { model, dataset, seed, dtype, versions, startedAt, wallMs, sampleShape, dimension, reading, device } = result;
  const facts: [string, string][] = [
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
  const items = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeText(value)}</dd></div>`).join('\n');
  return `<header>
<h1>${escapeText(model)}</h1>
<p class="kind">The Jacobian of a denoiser at ${result.sigmas.length} noise levels</p>
<dl class="facts">
${items}
</dl>
</header>`;
}

function keySection(rows: readonly KeyRow[], { dimension, triplets }: InspectResult): string {
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
  const items = keys
    .map(([name, value, note]) => `<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`)
    .join('\n');
  return `<dl class="keys">\n${items}\n</dl>`;
}

function figureSection({ name, title, reading, svg }: Figure): string {
  return `<section id="${name}">
<h2>${escapeText(title)}</h2>
<p class="reading">${escapeText(reading)}</p>
<figure>
<div class="wide">${svg(WIDE)}</div>
<div class="narrow">${svg(NARROW)}</div>
</figure>
</section>`;
}

function tableSection(rows: readonly KeyRow[], { dimension }: InspectResult): string {
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
    return `<tr${row === lowest ? ' class="lowest"' : ''}>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<section id="numbers">
<h2>The numbers</h2>
<p class="reading">Ranks out of ${dimension}, means over held-out samples; s\u2081 is the largest singular value there; residual and symmetry defect are the worst of both sites. The row of lowest rank is shaded.</p>
<div class="scroll">
<table>
<thead>
<tr><th></th><th colspan="3" class="group">held-out samples</th><th colspan="2" class="group">trajectory</th><th></th><th>worst</th><th>symmetry</th></tr>
<tr><th>\u03c3</th><th>rank \u221a0.99</th><th>rank 0.99</th><th>ratio</th><th>rank \u221a0.99</th><th>rank 0.99</th><th>s\u2081</th><th>residual</th><th>defect</th></tr>
</thead>
<tbody>
${body.join('\n')}
</tbody>
</table>
</div>
</section>`;
}

/** Ranks and noise levels. */
function show(value: number | undefined, digits = 4): string {
  return value === undefined ? '\u2013' : showNumber(value, digits);
}

/** What was measured in floating point. */
function measured(value: number | undefined, digits = 2): string {
  return value === undefined ? '\u2013' : showMeasured(value, digits);
}
