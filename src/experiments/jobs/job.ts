/** What a job is watched and stopped by. */
export interface JobContext {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number, detail?: string) => void) | undefined;
}

/** Work that is determined by plain data, so that any process can do it with the same result. */
export interface Job<Spec, Result> {
  /** Its name in the registry, by which other processes find it. */
  readonly name: string;
  /** @param spec  plain data. @returns plain data */
  run(spec: Spec, context: JobContext): Promise<Result>;
}

/** What became of one job. */
export type JobOutcome<Result> =
  { readonly status: 'done'; readonly value: Result } | { readonly status: 'failed'; readonly error: Error };

/** How a list of jobs is watched and stopped. */
export interface RunJobsOptions<Result> {
  readonly signal?: AbortSignal | undefined;
  /** Progress of the job at `index`. */
  readonly onProgress?: ((index: number, done: number, total: number, detail?: string) => void) | undefined;
  /** Called as each job ends, in the order in which they end. */
  readonly onOutcome?: ((index: number, outcome: JobOutcome<Result>) => void | Promise<void>) | undefined;
}

/**
 * Runs jobs somewhere: in this process (`runJobsHere`) or on a pool of others (`execution`). A job that fails does not stop the rest.
 * @returns outcomes in the order of the specs
 * @throws CancelledError once the signal is aborted
 */
export type RunJobs = <Spec, Result>(
  job: Job<Spec, Result>,
  specs: readonly Spec[],
  options?: RunJobsOptions<Result>,
) => Promise<JobOutcome<Result>[]>;

/** The results of jobs of which none may fail. @throws the error of the first that did */
export function resultsOf<Result>(outcomes: readonly JobOutcome<Result>[]): Result[] {
  return outcomes.map((outcome) => {
    if (outcome.status === 'failed') throw outcome.error;
    return outcome.value;
  });
}
