import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BackendError, CancelledError, LabError } from '../errors/errors.ts';
import type { ErrorCode } from '../errors/errors.ts';
import type { Job, JobOutcome, RunJobs, RunJobsOptions } from '../experiments/jobs/job.ts';
import type { FromWorker, PlainError, ToWorker } from './protocol.ts';

/** Processes that do jobs beside each other. */
export interface WorkerPool extends AsyncDisposable {
  readonly size: number;
  /** Runs jobs, as many at a time as there are workers; a worker that dies costs its job alone. */
  readonly run: RunJobs;
}

/** How long a stopped job may take to write its checkpoint before its process is killed, in milliseconds. */
const GRACE = 10_000;

/** How to make a pool. */
export interface WorkerPoolOptions {
  /** Most jobs at a time; default one a core. */
  readonly size?: number | undefined;
  /** Cores that each process may use; default all of them, for jobs that see to it themselves. */
  readonly cores?: number | undefined;
  /** What each process runs, by default a program that knows every job of the registry. */
  readonly program?: URL | undefined;
}

/** A pool of child processes, started when they are needed and ended with the pool or with this process, however it ends. */
export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const { size = availableParallelism(), cores, program = usualProgram() } = options;
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  const take = (): Worker => {
    const worker = idle.pop() ?? new Worker(program, cores, () => all.delete(worker));
    all.add(worker);
    return worker;
  };
  const run = async <Spec, Result>(
    job: Job<Spec, Result>,
    specs: readonly Spec[],
    options: RunJobsOptions<Result> = {},
  ): Promise<JobOutcome<Result>[]> => {
    const outcomes: JobOutcome<Result>[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < specs.length && options.signal?.aborted !== true) {
        const index = next++;
        const worker = take();
        const outcome = await worker.run<Result>(job.name, specs[index], index, options);
        if (worker.alive) idle.push(worker);
        if (outcome === undefined) return; // stopped
        outcomes[index] = outcome;
        await options.onOutcome?.(index, outcome);
      }
    };
    await Promise.all(Array.from({ length: Math.min(size, specs.length) }, lane));
    if (options.signal?.aborted === true) throw new CancelledError(job.name);
    return outcomes;
  };
  return {
    size,
    run,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...all].map((worker) => worker.end()));
    },
  };
}

function usualProgram(): URL {
  // Run from source in a checkout, from dist/ in the package.
  return new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
}

/** One child process. */
class Worker {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  alive = true;

  constructor(program: URL, cores: number | undefined, onEnd: () => void) {
    // A test runner's flags are not for a worker.
    this.#child = fork(fileURLToPath(program), cores === undefined ? [] : [`${cores}`], {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.alive = false;
        onEnd();
        resolve(how);
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
  }

  /** @returns undefined where the job was stopped */
  async run<Result>(
    job: string,
    spec: unknown,
    index: number,
    { signal, onProgress }: RunJobsOptions<Result>,
  ): Promise<JobOutcome<Result> | undefined> {
    let killed: NodeJS.Timeout | undefined;
    const stop = (): void => {
      this.#post({ kind: 'stop' });
      killed = setTimeout(() => this.#child.kill('SIGKILL'), GRACE);
    };
    const answered = new Promise<JobOutcome<Result>>((resolve) => {
      this.#child.on('message', (message: FromWorker) => {
        if (message.kind === 'progress') onProgress?.(index, message.done, message.total, message.detail);
        if (message.kind === 'done') resolve({ status: 'done', value: message.value as Result });
        if (message.kind === 'failed') resolve({ status: 'failed', error: errorOf(message.error) });
      });
    });
    const died = this.#ended.then((how): JobOutcome<Result> => ({
      status: 'failed',
      error: new BackendError('worker', `ended by ${how} in the middle of a job. Run again; with less memory in use if it was killed.`), // prettier-ignore
    }));
    signal?.addEventListener('abort', stop);
    try {
      this.#post({ kind: 'run', job, spec });
      const outcome = await Promise.race([answered, died]);
      return signal?.aborted === true ? undefined : outcome;
    } finally {
      signal?.removeEventListener('abort', stop);
      clearTimeout(killed);
      this.#child.removeAllListeners('message');
    }
  }

  async end(): Promise<void> {
    if (this.alive) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #post(message: ToWorker): void {
    // A worker that is gone has said so by its exit.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

function errorOf({ name, message, code, where }: PlainError): Error {
  if (code === undefined || where === undefined) return Object.assign(new BackendError('worker', message), { name });
  const text = message.startsWith(`${where}: `) ? message.slice(where.length + 2) : message;
  return Object.assign(new LabError(code as ErrorCode, where, text), { name });
}
