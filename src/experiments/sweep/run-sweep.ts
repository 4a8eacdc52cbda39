import { CancelledError, LabError } from '../../errors/errors.ts';
import type { JobContext, JobFiles, JobOutcome, RunJobs, SweepJob } from '../jobs/job.ts';
import { sweepJobNamed } from '../jobs/registry.ts';
import type { SweepEntry, SweepSpec } from './sweep-spec.ts';

/** A job that did not end well. */
export interface SweepFailure extends SweepEntry {
  readonly message: string;
  /** Of a LabError. */
  readonly code?: string | undefined;
}

/** When a job ran. */
export interface JobTimes {
  /** ISO 8601. */
  readonly started: string;
  readonly wallMs: number;
}

/** Where a sweep's results go. */
export interface SweepStore {
  /** Keys of the jobs whose results are there, of those named. */
  done(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Keeps a result whole or not at all. @throws StoreError; with a `path` in its details where the disk refused */
  save(entry: SweepEntry, result: JobFiles, times: JobTimes): Promise<void>;
  fail(failure: SweepFailure): Promise<void>;
}

/** A job under way. */
export interface RunningJob extends SweepEntry {
  done: number;
  total: number;
  detail?: string | undefined;
}

/** State of a sweep under way. */
export interface SweepProgress {
  /** Jobs whose results are there, with those of earlier runs. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  readonly running: readonly RunningJob[];
}

/** Surroundings of a sweep. */
export interface SweepOptions {
  readonly store: SweepStore;
  readonly runJobs: RunJobs;
  /** Jobs at a time. */
  readonly workers: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SweepProgress) => void) | undefined;
}

/** What became of a sweep. */
export interface SweepOutcome {
  readonly ran: number;
  /** Jobs that an earlier run had done. */
  readonly found: number;
  readonly failures: readonly SweepFailure[];
}

/**
 * Runs the jobs of a sweep whose results are not there yet and keeps each result as its job ends. A job that fails does not stop the rest.
 * @throws CancelledError once the signal is aborted; StoreError where results cannot be kept
 */
export async function runSweep(spec: SweepSpec, options: SweepOptions): Promise<SweepOutcome> {
  const found = await options.store.done(spec.jobs.map(({ key }) => key));
  const due = spec.jobs.filter(({ key }) => !found.has(key));
  const state = { done: found.size, total: spec.jobs.length, running: new Set<RunningJob>() };
  const failures: SweepFailure[] = [];
  const report = (): void => options.onProgress?.({ ...state, failed: failures.length, running: [...state.running] });
  const broken = new AbortController();
  const signal = AbortSignal.any([broken.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const job = await sweepJobNamed(spec.kind);
  const next = due.values();
  const lane = async (): Promise<void> => {
    for (const entry of next) {
      if (signal.aborted) return;
      const running: RunningJob = { ...entry, done: 0, total: 1 };
      state.running.add(running);
      report();
      const onProgress = (done: number, total: number, detail?: string): void => {
        Object.assign(running, { done, total, detail });
        report();
      };
      const failure = await runEntry(job, entry, { ...options, signal, onProgress });
      if (failure === undefined) state.done += 1;
      else failures.push(failure);
      state.running.delete(running);
      report();
    }
  };
  const guarded = (): Promise<void> =>
    lane().catch((error: unknown) => {
      broken.abort();
      throw error;
    });
  report();
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(options.workers, due.length) }, guarded));
  const errors = lanes.flatMap((l) => (l.status === 'rejected' ? [l.reason as Error] : []));
  const serious = errors.find((error) => !(error instanceof CancelledError));
  if (serious !== undefined) throw serious;
  if (options.signal?.aborted === true) throw interrupted(state);
  return { ran: due.length - failures.length, found: found.size, failures };
}

/** Runs one job and keeps what it left. @returns why it left nothing, if so. @throws CancelledError, StoreError */
async function runEntry(
  job: SweepJob<object>,
  entry: SweepEntry,
  { store, runJobs, signal, onProgress }: Pick<SweepOptions, 'store' | 'runJobs'> & JobContext,
): Promise<SweepFailure | undefined> {
  const started = new Date().toISOString();
  const begun = performance.now();
  // One job a call, so that no result is held once it is kept.
  const [outcome] = (await runJobs(job, [entry.spec], {
    signal,
    onProgress: (_, done, total, detail) => onProgress?.(done, total, detail),
  })) as [JobOutcome<JobFiles>];
  return keep(entry, outcome, { started, wallMs: Math.round(performance.now() - begun) }, store);
}

function interrupted({ done, total }: { readonly done: number; readonly total: number }): CancelledError {
  const text = `was interrupted with ${done} of ${total} jobs done, which are kept. Run the same command again to go on.`;
  return new CancelledError('sweep', text, { details: { kept: true } });
}

/** Keeps what a job left, or why it left nothing. */
async function keep(
  entry: SweepEntry,
  outcome: JobOutcome<JobFiles>,
  times: JobTimes,
  store: SweepStore,
): Promise<SweepFailure | undefined> {
  try {
    if (outcome.status === 'failed') throw outcome.error;
    await store.save(entry, outcome.value, times);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isLab = error instanceof LabError;
    // A disk that refuses one result refuses the others.
    if (outcome.status === 'done' && !(isLab && error.details.path === undefined)) throw error;
    const failure = { ...entry, message: error.message, ...(isLab && { code: error.code }) };
    await store.fail(failure);
    return failure;
  }
}
