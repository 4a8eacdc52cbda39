import type { Tensor } from '../../tensor/tensor.ts';

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

/** What a job of a sweep leaves: plain data for tables, arrays, and files by name. */
export interface JobFiles {
  /** Rows of the results table: flat objects of numbers, text and truth values; null for what does not apply. */
  readonly rows: readonly JobRow[];
  /** Kept as one arrays.npz. */
  readonly arrays?: Readonly<Record<string, Tensor>> | undefined;
  /** Text or bytes by file name, such as model.json and model.safetensors. */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | undefined;
}

/** One row of a results table. */
export type JobRow = Readonly<Record<string, number | string | boolean | null>>;

/** A kind of job that sweeps run: fills in what was left out, checks, runs. */
export interface SweepJob<Spec extends object> extends Job<Spec, JobFiles> {
  /** Fills in every default; plain data that JSON holds. @throws SpecError in one line */
  resolve(input: object): Spec;
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
