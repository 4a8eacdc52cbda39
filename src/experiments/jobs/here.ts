import { CancelledError, throwIfAborted } from '../../errors/errors.ts';
import type { Job, JobOutcome, RunJobsOptions } from './job.ts';

/** Runs jobs one after another in this process. @throws CancelledError */
export async function runJobsHere<Spec, Result>(
  job: Job<Spec, Result>,
  specs: readonly Spec[],
  options: RunJobsOptions<Result> = {},
): Promise<JobOutcome<Result>[]> {
  const { signal, onProgress, onOutcome } = options;
  const outcomes: JobOutcome<Result>[] = [];
  for (const [index, spec] of specs.entries()) {
    await new Promise((resolve) => setTimeout(resolve, 0)); // an interrupt must be heard
    throwIfAborted(job.name, signal);
    const outcome = await attempt(job, spec, {
      signal,
      onProgress: (done, total, detail) => onProgress?.(index, done, total, detail),
    });
    outcomes.push(outcome);
    await onOutcome?.(index, outcome);
  }
  return outcomes;
}

async function attempt<Spec, Result>(
  job: Job<Spec, Result>,
  spec: Spec,
  context: Parameters<Job<Spec, Result>['run']>[1],
): Promise<JobOutcome<Result>> {
  try {
    return { status: 'done', value: await job.run(spec, context) };
  } catch (error) {
    if (error instanceof CancelledError || !(error instanceof Error)) throw error;
    return { status: 'failed', error };
  }
}
