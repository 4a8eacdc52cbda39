import type { JobRow } from '../jobs/job.ts';

/** `size 16, seed 0`, or `the base` where nothing was varied. */
export function describeParameters(parameters: JobRow): string {
  const parts = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? 'the base' : parts.join(', ');
}
