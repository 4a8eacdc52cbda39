import { runJobsHere } from '../jobs/here.ts';
import { resultsOf } from '../jobs/job.ts';
import type { JobFiles } from '../jobs/job.ts';
import { sweepJobNamed } from '../jobs/registry.ts';
import { resolveSweep } from './sweep-spec.ts';

/** How a sweep is watched and stopped. */
export interface RunSweepOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Runs every job of a sweep somewhere, or finds it done.
 * @param input  what the sweep's file would say; no two jobs are equal
 * @returns results in the order of the jobs
 * @throws SpecError as `resolveSweep`; CancelledError; what the first failed job threw
 */
export type RunSweep = (input: object, options: RunSweepOptions) => Promise<JobFiles[]>;

/** Runs a sweep in this process and keeps nothing. */
export const runSweepHere: RunSweep = async (input, { signal, onProgress }) => {
  // Keys name what is kept: here nothing is.
  const { kind, jobs } = await resolveSweep(input, '');
  let done = 0;
  const outcomes = await runJobsHere(
    await sweepJobNamed(kind),
    jobs.map(({ spec }) => spec),
    { signal, onOutcome: () => onProgress?.(++done, jobs.length) },
  );
  return resultsOf(outcomes);
};
