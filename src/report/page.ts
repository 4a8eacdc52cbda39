import type { Figure } from './figures/figure.ts';
import { reportStyle } from './style.ts';
import { escapeText } from './svg.ts';

/** Widths in CSS pixels for which every figure is drawn: the column of the page, and a telephone of 390 pixels. */
const WIDE = 760;
const NARROW = 350;

/** A large number at the top of a report. */
export interface KeyNumber {
  readonly name: string;
  /** HTML. */
  readonly value: string;
  /** One line under it, HTML. */
  readonly note: string;
}

/** A report of one file. Plain strings are escaped here; sections are HTML. */
export interface ReportPage {
  readonly title: string;
  /** What was measured, one line under the title. */
  readonly kind: string;
  /** What must strike the eye first, HTML: stands above the facts. */
  readonly lead?: string | undefined;
  /** Facts of the run by name; the last takes two columns. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly keys: readonly KeyNumber[];
  readonly sections: readonly string[];
}

/** The whole document: no script, no network, light and dark, readable on a telephone and on paper. */
export function reportPage({ title, kind, lead, facts, keys, sections }: ReportPage): string {
  const items = facts.map(([name, value]) => `<div><dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd></div>`);
  const numbers = keys.map(
    ({ name, value, note }) => `<div><dt>${escapeText(name)}</dt><dd>${value}<small>${note}</small></dd></div>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)} \u00b7 Eigenlens</title>
<style>${reportStyle()}
</style>
</head>
<body>
<main>
<header>
<h1>${escapeText(title)}</h1>
<p class="kind">${escapeText(kind)}</p>
${lead ?? ''}
<dl class="facts">
${items.join('\n')}
</dl>
</header>
<dl class="keys">
${numbers.join('\n')}
</dl>
${sections.join('\n')}
</main>
</body>
</html>
`;
}

/** A figure under its title and one sentence that says how to read it. */
export function figureSection({ name, title, reading, svg }: Figure): string {
  return `<section id="${name}">
<h2>${escapeText(title)}</h2>
<p class="reading">${escapeText(reading)}</p>
<figure>
<div class="wide">${svg(WIDE)}</div>
<div class="narrow">${svg(NARROW)}</div>
</figure>
</section>`;
}

/** A table of a report: cells are HTML. */
export interface ReportTable {
  readonly id: string;
  readonly title: string;
  readonly reading: string;
  /** Rows of the head, whole `<tr>`s or lists of names. */
  readonly head: readonly string[];
  readonly rows: readonly { readonly cells: readonly string[]; readonly shaded?: boolean }[];
}

/** A table under its title and one sentence that says how to read it. */
export function tableSection({ id, title, reading, head, rows }: ReportTable): string {
  const body = rows.map(
    ({ cells, shaded }) =>
      `<tr${shaded === true ? ' class="lowest"' : ''}>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  );
  return `<section id="${id}">
<h2>${escapeText(title)}</h2>
<p class="reading">${escapeText(reading)}</p>
<div class="scroll">
<table>
<thead>
${head.join('\n')}
</thead>
<tbody>
${body.join('\n')}
</tbody>
</table>
</div>
</section>`;
}

/** What must be said beside the numbers, a paragraph each; no section where there is nothing to say. */
export function remarksSection(notes: readonly string[]): string[] {
  if (notes.length === 0) return [];
  const paragraphs = notes.map((note) => `<p class="reading">${escapeText(note)}</p>`);
  return [`<section id="remarks">\n<h2>Remarks</h2>\n${paragraphs.join('\n')}\n</section>`];
}

/** The foot of a report: what the numbers mean (HTML), where the definitions come from, how to make it again. */
export function notesSection(notes: {
  readonly terms: readonly (readonly [name: string, text: string])[];
  readonly sources: readonly string[];
  readonly files: readonly string[];
  readonly command: string;
}): string {
  const terms = notes.terms.map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join('\n');
  return `<section id="notes" class="notes">
<h2>What these numbers mean</h2>
<dl>
${terms}
<dt>Sources</dt><dd>${notes.sources.map(escapeText).join('<br>')}</dd>
<dt>Files beside this one</dt><dd>${notes.files.map(escapeText).join(', ')}</dd>
<dt>Make it again</dt><dd><pre><code>${escapeText(notes.command)}</code></pre></dd>
</dl>
</section>`;
}
