import type { JobRow } from '../jobs/job.ts';

/**
 * A row of one job as it stands among those of others: with what sets the job apart. A parameter that the row knows by another value
 * is called `spec.NAME`, and so is one named as a column of `first`; a row's own column of such a name is called `row.NAME`.
 * @param first  columns that come before, such as the key
 */
export function mergedRow(first: JobRow, parameters: JobRow, row: JobRow): JobRow {
  const own = Object.entries(parameters).map(([name, value]) => [
    clashes(row, name, value) || clashes(first, name, value) ? `spec.${name}` : name,
    value,
  ]);
  const found = Object.entries(row).map(([name, value]) => [clashes(first, name, value) ? `row.${name}` : name, value]);
  return { ...first, ...(Object.fromEntries([...own, ...found]) as JobRow) };
}

function clashes(other: JobRow, name: string, value: JobRow[string]): boolean {
  return Object.hasOwn(other, name) && other[name] !== value;
}
