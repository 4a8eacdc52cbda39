import type { JobRow } from '../jobs/job.ts';

/**
 * A row of one job as it stands among those of others: with what sets the job apart. A parameter that the row knows by another value
 * is called `spec.NAME`.
 * @param first  columns that come before, such as the key
 */
export function mergedRow(first: JobRow, parameters: JobRow, row: JobRow): JobRow {
  const own = Object.entries(parameters).map(([name, value]) => [
    Object.hasOwn(row, name) && row[name] !== value ? `spec.${name}` : name,
    value,
  ]);
  return { ...first, ...(Object.fromEntries(own) as JobRow), ...row };
}
