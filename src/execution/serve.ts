import { LabError } from '../errors/errors.ts';
import type { Job } from '../experiments/jobs/job.ts';
import type { FromWorker, PlainError, ToWorker } from './protocol.ts';

/**
 * Makes this process a worker of a pool: it does what its parent sends, one job at a time, and ends when the parent is gone.
 * @param jobNamed  finds a job
 */
export function serve(jobNamed: (name: string) => Promise<Job<unknown, unknown>>): void {
  let running: AbortController | undefined;
  const run = async (name: string, spec: unknown): Promise<void> => {
    const stop = new AbortController();
    running = stop;
    try {
      const job = await jobNamed(name);
      const value = await job.run(spec, {
        signal: stop.signal,
        onProgress: (done, total, detail) => send({ kind: 'progress', done, total, detail }),
      });
      send({ kind: 'done', value });
    } catch (error) {
      send({ kind: 'failed', error: plain(error) });
    } finally {
      running = undefined;
    }
  };
  // Ctrl-C reaches the whole group of processes; the parent decides what stops.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit());
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') running?.abort();
    else void run(message.job, message.spec);
  });
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

function plain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  return error instanceof LabError ? { name, message, code: error.code, where: error.where } : { name, message };
}
