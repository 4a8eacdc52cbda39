import { formatTable } from './table.ts';
import type { Layout } from './terminal.ts';

/** Lines of a table that a person reads; the rest is in files. */
const MOST_LINES = 200;
const GAP = 2;

/** A value of a table of rows. */
export type Cell = number | string | boolean | null | undefined;

/**
 * Rows of any columns as a table: the columns that fit the line, at least two, and a last line that names what is not shown.
 * @param rows  columns stand in the order in which they first appear
 */
export function formatRows(rows: readonly Readonly<Record<string, Cell>>[], layout: Layout): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = rows.slice(0, MOST_LINES);
  const columns = names.map((header) => {
    const cells = shown.map((row) => cellText(row[header]));
    const align = rows.every((row) => typeof row[header] !== 'string') ? ('right' as const) : ('left' as const);
    return { header, align, cells, width: Math.max(header.length, ...cells.map((cell) => cell.length)) };
  });
  let width = -GAP;
  const fit = columns.filter((column, j) => (width += column.width + GAP) <= layout.width || j < 2);
  const table = formatTable(
    fit,
    shown.map((_, i) => fit.map(({ cells }) => cells[i] ?? '')),
    layout,
  );
  const hidden = names.filter((name) => !fit.some(({ header }) => header === name));
  return [
    table,
    ...(rows.length > shown.length ? [`and ${rows.length - shown.length} more rows`] : []),
    ...(hidden.length > 0 ? [`not shown: ${hidden.join(', ')}`] : []),
  ].join('\n');
}

/** A value as people read it: numbers to six digits. */
export function cellText(value: Cell): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  return value === undefined || value === null ? '' : String(value);
}
