import pico from 'picocolors';

import type { Layout } from './terminal.ts';

/** One column of a table; `fit` marks the columns that may lose their ends when the line is too long. */
export interface Column {
  readonly header: string;
  readonly align?: 'left' | 'right';
  readonly fit?: boolean;
}

const GAP = '  ';
const LEAST_WIDTH = 6;

/**
 * A plain table: headers, then one line a row, columns aligned and two spaces apart.
 * @param rows  cells as text, as many as columns
 * @param layout  the widest `fit` columns are cut, with an ellipsis, until lines have at most `width` columns
 * @returns lines without trailing blanks, without a final line break
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], layout: Layout): string {
  const widths = fitWidths(columns, rows, layout.width);
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, j) => pad(cells[j] ?? '', widths[j] ?? 0, column.align ?? 'left'))
      .join(GAP)
      .trimEnd();
  const { bold } = pico.createColors(layout.color);
  return [bold(line(columns.map((c) => c.header))), ...rows.map(line)].join('\n');
}

/** Facts as `name  value` lines. */
export function formatFacts(facts: readonly (readonly [string, string])[], layout: Layout): string {
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  const { dim } = pico.createColors(layout.color);
  return facts.map(([name, value]) => `${dim(name.padEnd(width))}${GAP}${value}`).join('\n');
}

function fitWidths(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map((c, j) => Math.max(c.header.length, ...rows.map((row) => (row[j] ?? '').length)));
  const total = (): number => widths.reduce((sum, w) => sum + w, GAP.length * (columns.length - 1));
  for (let excess = total() - width; excess > 0; excess = total() - width) {
    const widest = columns.reduce(
      (best, column, j) => (column.fit && (widths[j] ?? 0) > (widths[best] ?? LEAST_WIDTH) ? j : best),
      -1,
    );
    if (widest < 0) break; // Nothing may be cut: a long line is better than a lost number.
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function pad(cell: string, width: number, align: 'left' | 'right'): string {
  const text = cell.length > width ? `${cell.slice(0, Math.max(0, width - 1))}…` : cell;
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}
